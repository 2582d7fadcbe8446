"""Images explained by a job that the SDK starts: its files, and values that add up to the scores."""

from __future__ import annotations

import ast
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from running import Clary
from sdk.conftest import DIGITS
from sdk.script import Script
from sdk.test_clarify_by_sdk import results

pytestmark = pytest.mark.timeout(600)


def test_digits_are_explained(scripts: dict[str, Script], watched: Clary) -> None:
    script = scripts["v2_images"]
    assert script.told("job") == "Completed"
    found = results(watched, "v2/images/results")
    assert sorted(found) == ast.literal_eval(script.told("files"))
    digits = load_digits()
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1).fit(digits.data, digits.target)
    own = model.predict_proba(digits.data[:DIGITS])
    images = json.loads(found["analysis.json"])["explanations"]["images"]
    assert [image["image"] for image in images] == [f"digit-{i}" for i in range(DIGITS)]
    for image, scores in zip(images, own, strict=True):
        best = np.argsort(-scores)[:3]
        assert [part["label"] for part in image["explained"]] == [f"digit {k}" for k in best]
        for part, k in zip(image["explained"], best, strict=True):
            assert part["score"] == pytest.approx(scores[k], abs=1e-3)
            total = sum(part["segment_shap_values"]) + part["expected_value"]
            assert total == pytest.approx(part["score"])
            stem = Path(part["heat_map"]).stem
            values = np.load(io.BytesIO(found[f"explanations_shap/{stem}.npy"]))
            assert values.tolist() == part["segment_shap_values"]
            assert Image.open(io.BytesIO(found[part["heat_map"]])).format == "JPEG"
    assert "report.html" in found and b"digit 0" in found["report.html"]
