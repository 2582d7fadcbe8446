"""Images explained by superpixels: exact where values are known, and only where the model looks."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from clary import clarify
from clary.clarify import ImageConfig, Shap
from clary.clarify.images.superpixels import superpixels

CHINA, FLOWER = (image[::4, ::4] for image in load_sample_images().images)
BLACK = "black.png"


def settings(tmp_path: Path, **more: Any) -> Shap:
    """Explained against black, so that a superpixel that is not known scores nothing."""
    shape = {key: more.pop(key) for key in list(more) if key in ImageConfig.__dataclass_fields__}
    Image.new("RGB", (10, 10)).save(tmp_path / BLACK)
    config = ImageConfig("IMAGE_CLASSIFICATION", **shape)
    return Shap(**{"baseline": str(tmp_path / BLACK), "seed": 3, "image_config": config, **more})


def colours(images: Any) -> Any:
    """A model of three labels that is no sum of its parts: red, green and blue against each other."""
    mean = images.reshape(len(images), -1, 3).mean(axis=1) / 255
    return np.stack([mean[:, 0] * mean[:, 2], mean.prod(axis=1) ** 0.5, np.tanh(5 * mean[:, 2])], axis=1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (8, 8), (120, 80)])
@pytest.mark.parametrize("wanted", [1, 7, 200])
def test_every_pixel_is_in_one_superpixel(shape: tuple[int, int], wanted: int) -> None:
    for pixels in (
        np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8),
        np.full((*shape, 3), 90, dtype=np.uint8),
    ):
        found = superpixels(pixels, ImageConfig("IMAGE_CLASSIFICATION", num_segments=wanted))
        assert found.shape == shape
        assert np.unique(found).tolist() == list(range(found.max() + 1))


def test_more_segments_are_more_superpixels_and_compact_ones_are_rounder() -> None:
    def perimeter(compactness: float) -> float:
        found = superpixels(CHINA, ImageConfig("IMAGE_CLASSIFICATION", 40, compactness))
        edges = (found[:, 1:] != found[:, :-1]).sum() + (found[1:] != found[:-1]).sum()
        return float(edges) / (found.max() + 1) ** 0.5

    counts = [superpixels(CHINA, ImageConfig("IMAGE_CLASSIFICATION", n)).max() for n in (5, 20, 80)]
    assert counts == sorted(set(counts))
    assert perimeter(100) < perimeter(1)


def test_values_are_those_of_exact_enumeration(tmp_path: Path) -> None:
    found = clarify.explain_image(CHINA, colours, settings(tmp_path, num_segments=6, segment_compactness=20))
    m = found.superpixels
    assert 4 <= m <= 9
    players = range(m)
    score = {
        s: colours(np.where(np.isin(found.segments, s)[..., None], CHINA, 0)[None])[0]
        for size in range(m + 1)
        for s in itertools.combinations(players, size)
    }
    exact = np.zeros((m, 3))
    for i, s in itertools.product(players, score):
        if i not in s:
            weight = 1 / (m * math.comb(m - 1, len(s)))
            exact[i] += weight * (score[tuple(sorted((*s, i)))] - score[s])
    for attribution in found.attributions:
        k = int(attribution.label.removeprefix("label"))
        assert attribution.values == pytest.approx(exact[:, k], abs=1e-10)
        assert (attribution.errors == 0).all()


def test_drawn_coalitions_add_up_and_tell_their_error(tmp_path: Path) -> None:
    exact, drawn = (
        clarify.explain_image(
            CHINA, colours, settings(tmp_path, num_segments=14, segment_compactness=20, num_samples=n)
        )
        for n in (100_000, 300)
    )
    assert drawn.evaluations < exact.evaluations
    for one, other in zip(drawn.attributions, exact.attributions, strict=True):
        assert one.values.sum() + one.expected == pytest.approx(one.score, abs=1e-12)
        assert one.efficiency_gap < 1e-12
        assert 0 < one.errors.max() < 0.1 * np.abs(other.values).max()
        assert (np.abs(one.values - other.values) < 6 * one.errors + 1e-12).all()


def test_only_the_patch_that_the_model_looks_at_has_a_value(tmp_path: Path) -> None:
    rows, columns = slice(40, 60), slice(100, 130)
    found = clarify.explain_image(
        FLOWER,
        lambda images: images[:, rows, columns, 0].mean(axis=(1, 2)) / 255,
        settings(tmp_path, num_segments=30, num_samples=400),
    )
    (attribution,) = found.attributions
    inside = np.unique(found.segments[rows, columns])
    outside = np.setdiff1d(np.arange(found.superpixels), inside)
    assert len(outside) > len(inside)
    assert attribution.values[inside].sum() == pytest.approx(attribution.score)
    assert np.abs(attribution.values[outside]).max() < 1e-12


def test_a_seed_makes_it_the_same_again(tmp_path: Path) -> None:
    def noise(seed: int | None) -> list[float]:
        found = clarify.explain_image(
            FLOWER, colours, settings(tmp_path, baseline=None, seed=seed, num_samples=100)
        )
        return found.attributions[0].values.tolist()

    assert noise(5) == noise(5)
    assert noise(5) != noise(6)
    assert noise(None) != noise(None)


def test_the_highest_labels_are_explained_by_their_names(tmp_path: Path) -> None:
    found = clarify.explain_image(
        FLOWER, colours, settings(tmp_path, max_labels=2, num_samples=60), ["warm", "any", "cold"]
    )
    own = colours(FLOWER[None])[0]
    best = np.argsort(-own)[:2]
    assert [a.label for a in found.attributions] == [["warm", "any", "cold"][k] for k in best]
    assert [a.score for a in found.attributions] == pytest.approx(own[best])
    with pytest.raises(clarify.ClarifyError, match="2 names, but the model has 3"):
        clarify.explain_image(FLOWER, colours, settings(tmp_path), ["a", "b"])


def test_logits_add_up_too(tmp_path: Path) -> None:
    found = clarify.explain_image(FLOWER, colours, settings(tmp_path, use_logit=True, num_samples=60))
    own = np.sort(colours(FLOWER[None])[0])[::-1]
    assert [a.score for a in found.attributions] == pytest.approx(np.log(own / (1 - own)))


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (lambda images: ["cat"] * len(images), "labels only"),
        (lambda images: [0.5], "1 predictions for"),
        (lambda images: [np.nan] * len(images), "NaN"),
    ],
)
def test_bad_answers_are_named(tmp_path: Path, model: Any, says: str) -> None:
    with pytest.raises(clarify.ClarifyError, match=says):
        clarify.explain_image(FLOWER, model, settings(tmp_path, num_samples=60))


@pytest.mark.parametrize("pixels", [FLOWER[..., 0], FLOWER / 255])
def test_pixels_that_are_no_bytes_of_three_colours_are_refused(tmp_path: Path, pixels: Any) -> None:
    with pytest.raises(clarify.ClarifyError, match=r"must be bytes \(uint8\) of shape \(height, width, 3\)"):
        clarify.explain_image(pixels, colours, settings(tmp_path))


def test_a_single_pixel_is_one_superpixel(tmp_path: Path) -> None:
    pixels = np.full((1, 1, 3), 200, dtype=np.uint8)
    found = clarify.explain_image(pixels, colours, settings(tmp_path))
    for attribution in found.attributions:
        assert attribution.values == pytest.approx([attribution.score])


def folder_of_photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(CHINA).save(folder / "china.jpg")
    Image.fromarray(FLOWER).save(folder / "flower.png")
    (folder / "notes.txt").write_text("passed over")
    return folder


def test_the_files_are_laid_out_as_clarify_does(tmp_path: Path) -> None:
    config = {
        "dataset_type": "application/x-image",
        "methods": {
            "shap": {
                "num_samples": 60,
                "seed": 1,
                "image_config": {"model_type": "IMAGE_CLASSIFICATION", "num_segments": 12, "max_labels": 2},
            },
            "report": {"name": "report", "title": "Photos"},
        },
        "predictor": {"label_headers": ["warm & red", "any", "cold"]},
    }
    told: list[str] = []
    out = tmp_path / "out"
    analysis = clarify.analyze(config, folder_of_photos(tmp_path), colours, out, told.append)
    assert json.loads((out / "analysis.json").read_text()) == analysis
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    images = analysis["explanations"]["images"]
    assert [image["image"] for image in images] == ["china", "flower"]
    for image in images:
        segments = np.load(out / f"explanations_shap/segments_{image['image']}.npy")
        assert segments.shape == (image["height"], image["width"])
        for found in image["explained"]:
            stem = f"shap_{image['image']}_{found['label'].replace(' & ', '_')}"
            assert {f"{stem}.jpeg", f"explanations_shap/{stem}.npy"} <= files
            assert np.load(out / f"explanations_shap/{stem}.npy").tolist() == found["segment_shap_values"]
            total = sum(found["segment_shap_values"]) + found["expected_value"]
            assert total == pytest.approx(found["score"])
            assert Image.open(out / found["heat_map"]).size[0] > 600
    assert "Explained 2 of 2 images." in told
    page = (out / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 6
    assert "warm &amp; red" in page and "Photos" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_heat_maps_without_local_values(tmp_path: Path) -> None:
    config = {
        "dataset_type": "application/x-image",
        "methods": {
            "shap": {
                "num_samples": 60,
                "save_local_shap_values": False,
                "image_config": {"model_type": "IMAGE_CLASSIFICATION", "max_labels": 1},
            }
        },
    }
    clarify.analyze(config, folder_of_photos(tmp_path), colours, tmp_path / "out")
    ends = {path.suffix for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert ends == {".jpeg", ".json"}
