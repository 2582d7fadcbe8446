"""Image files as people have them: every mode, turned ones, broken ones, many of the same name."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clary import clarify
from clary.clarify.images.files import read, sources

PIXELS = np.random.default_rng(2).integers(0, 256, (20, 30, 3), dtype=np.uint8)
PHOTO = Image.fromarray(PIXELS)


def test_grey_images_are_grey(tmp_path: Path) -> None:
    PHOTO.convert("L").save(tmp_path / "a.png")
    PHOTO.convert("1").save(tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        found = read(tmp_path / name)
        assert found.shape == (20, 30, 3)
        assert (found == found[..., :1]).all()


def test_sixteen_bits_of_grey_are_scaled(tmp_path: Path) -> None:
    grey = np.linspace(0, 65535, 600).astype(np.uint16).reshape(20, 30)
    Image.fromarray(grey).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png")[..., 0].tolist() == (grey >> 8).tolist()


def test_transparency_is_white(tmp_path: Path) -> None:
    alpha = PHOTO.convert("RGBA")
    alpha.putalpha(Image.fromarray(np.repeat([0, 255], 300).astype(np.uint8).reshape(20, 30)))
    alpha.save(tmp_path / "a.png")
    found = read(tmp_path / "a.png")
    assert (found[:10] == 255).all()
    assert (found[10:] == PIXELS[10:]).all()
    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((1, 0), 1)
    palette.save(tmp_path / "b.png", transparency=1)
    assert read(tmp_path / "b.png").tolist() == [[[255, 0, 0], [255, 255, 255]]]


def test_ink_becomes_light(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    red, green, blue = read(tmp_path / "a.jpg")[4, 4].tolist()
    assert red > 200 and green < 60 and blue < 60


def test_a_photo_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    PHOTO.save(tmp_path / "a.jpg", exif=exif, quality=95)
    assert read(tmp_path / "a.jpg").shape == (30, 20, 3)


def broken(folder: Path, what: str) -> None:
    PHOTO.save(folder / "good.png")
    path = folder / "broken.jpg"
    if what == "text":
        path.write_text("not an image at all")
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "cut":
        PHOTO.save(folder / "whole.png")
        path.write_bytes((folder / "whole.png").read_bytes()[:900])
        (folder / "whole.png").unlink()
    else:
        Image.new("1", (6000, 5000)).save(path.with_suffix(".png"))


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("text", "broken.jpg cannot be read as an image (no image in it)"),
        ("empty", "broken.jpg cannot be read as an image (no image in it)"),
        ("cut", "broken.jpg cannot be read as an image ("),
        ("huge", "broken.png has 6,000 x 5,000 pixels; at most 25,000,000 can be explained"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, what: str, says: str) -> None:
    broken(tmp_path, what)
    config = {
        "dataset_type": "application/x-image",
        "methods": {"shap": {"num_samples": 50, "image_config": {"model_type": "IMAGE_CLASSIFICATION"}}},
    }
    with pytest.raises(clarify.ClarifyError, match=re.escape(says)):
        clarify.analyze(config, tmp_path, lambda images: images.mean(axis=(1, 2, 3)))


def test_a_folder_without_images_says_so(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("1,2\n")
    with pytest.raises(clarify.ClarifyError, match=re.escape("give files that end in .jpg, .jpeg, .png")):
        sources(tmp_path)


def test_results_of_images_with_the_same_name_are_kept_apart(tmp_path: Path) -> None:
    for name in ("cat.jpg", "a/cat.JPG", "a/dog.jpg", "a/dog.png", ".hidden.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [s.name for s in sources(tmp_path)] == ["a_cat", "a_dog.jpg", "a_dog.png", "cat"]
    assert [s.name for s in sources(tmp_path / "cat.jpg")] == ["cat"]


@pytest.mark.parametrize("missing", ["PIL", "skimage.segmentation"])
def test_a_missing_package_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    PHOTO.save(tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, missing, None)  # what the import system does where it is not installed
    settings = clarify.Shap(image_config=clarify.ImageConfig("IMAGE_CLASSIFICATION"))
    with pytest.raises(clarify.ClarifyError, match=re.escape("pip install 'clary[images]'")):
        clarify.explain_image(read(tmp_path / "a.png"), lambda images: images.mean(axis=(1, 2, 3)), settings)


BASE: dict[str, Any] = {
    "dataset_type": "application/x-image",
    "methods": {"shap": {"image_config": {"model_type": "IMAGE_CLASSIFICATION"}}},
}


def image_config(**more: Any) -> dict[str, Any]:
    return {"methods": {"shap": {"image_config": {"model_type": "IMAGE_CLASSIFICATION", **more}}}}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (image_config(debug={"class_ids": [1]}), "image_config.debug is not built"),
        (image_config(model_type="OBJECT_DETECTOR"), "Did you mean 'OBJECT_DETECTION'"),
        (image_config(num_segments=0), "num_segments must be at least 1"),
        (image_config(num_segment=4), "Did you mean 'num_segments'"),
        (image_config(segment_compactness=0), "segment_compactness must be above 0"),
        (image_config(feature_extraction_method="grid"), "use segmentation"),
        (image_config(max_objects=2), "max_objects has no meaning for IMAGE_CLASSIFICATION"),
        (image_config(model_type="OBJECT_DETECTION", iou_threshold=1.5), "iou_threshold must be between 0"),
        (image_config(model_type="OBJECT_DETECTION", max_labels=2), "max_labels has no meaning"),
        ({"methods": {"shap": {}}}, "needs methods.shap.image_config"),
        ({"methods": {**BASE["methods"], "pdp": {}}}, "methods.pdp has no meaning for images"),
        ({"label": "y"}, "label has no meaning for IMAGE_CLASSIFICATION"),
        ({"probability_threshold": 0.5}, "probability_threshold has no meaning"),
        ({"predictor": {"content_type": "text/csv"}}, "must be one of image/jpeg"),
        ({"dataset_type": "text/csv"}, "image_config needs dataset_type application/x-image"),
        (
            {"methods": {"shap": {**BASE["methods"]["shap"], "num_clusters": 2}}},
            "num_clusters has no meaning",
        ),
        ({"methods": {"shap": {**BASE["methods"]["shap"], "baseline": [[1]]}}}, "baseline must be an image"),
        (
            {**image_config(model_type="OBJECT_DETECTION"), "predictor": {"accept_type": "text/csv"}},
            "A detection model answers application/json",
        ),
    ],
)
def test_what_does_not_fit_images_is_refused_by_name(
    tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    PHOTO.save(tmp_path / "a.png")
    with pytest.raises(clarify.ClarifyError, match=re.escape(says)):
        clarify.analyze({**BASE, **change}, tmp_path, lambda images: images.mean(axis=(1, 2, 3)))
