"""`clary clarify` on images: a model of digits from its folder, asked in JPEG files and in arrays."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

SCRIPT = Path(__file__).parents[1] / "sdk/scripts/source/digits.py"
DIGITS = load_digits()
CONFIG: dict[str, Any] = {
    "dataset_type": "application/x-image",
    "methods": {
        "shap": {"num_samples": 80, "seed": 1, "image_config": {"model_type": "IMAGE_CLASSIFICATION"}},
        "report": {"name": "digits"},
    },
    "predictor": {"probability": "predictions"},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    (folder / "code").mkdir()
    shutil.copy(SCRIPT, folder / "code/inference.py")
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1).fit(DIGITS.data, DIGITS.target)
    joblib.dump(model, folder / "model.joblib")
    return folder


def run(folder: Path, model: Path, **predictor: str) -> Any:
    images = folder / "images"
    images.mkdir(exist_ok=True)
    large = np.kron(255 - 15 * DIGITS.images[0], np.ones((8, 8))).astype(np.uint8)
    Image.fromarray(large).save(images / "zero.png")
    config = {**CONFIG, "predictor": {**CONFIG["predictor"], **predictor}}
    (folder / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "clary.cli", "clarify", str(folder / "config.json")]
    command += ["--data", str(images), "--model", str(model), "--output", str(folder / "out")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("kind", "far"), [("application/x-npy", 1e-3), ("image/jpeg", 0.02)])
def test_a_script_is_asked_in_both_forms(tmp_path: Path, model: Path, kind: str, far: float) -> None:
    done = run(tmp_path, model, content_type=kind)
    assert (done.returncode, done.stderr) == (0, "")
    (image,) = json.loads((tmp_path / "out/analysis.json").read_text())["explanations"]["images"]
    scores = joblib.load(model / "model.joblib").predict_proba(DIGITS.data[:1])[0]
    assert image["explained"][0]["label"] == "label0"
    assert image["explained"][0]["score"] == pytest.approx(scores[0], abs=far)
    assert {p.name for p in (tmp_path / "out").iterdir()} >= {"digits.html", "shap_zero_label0.jpeg"}


def test_a_model_that_reads_no_such_images_is_told(tmp_path: Path, model: Path) -> None:
    done = run(tmp_path, model, content_type="image/png")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "failed on an image of 64 x 64 pixels: ValueError: this model reads no image/png" in done.stderr


def test_a_broken_image_is_named_in_one_line(tmp_path: Path, model: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.jpg").write_text("no image")
    done = run(tmp_path, model)
    assert done.returncode == 1
    message = "clary clarify: a.jpg cannot be read as an image (no image in it): replace or remove it.\n"
    assert done.stderr == message
