"""An explainer deployed by the sagemaker SDK 2, and what a Predictor gets from it."""

from __future__ import annotations

import ast
from pathlib import Path

import pandas as pd
import pytest

from sdk.script import Script

pytestmark = pytest.mark.timeout(600)


def test_deployed_with_an_explainer_and_asked_for_reasons(scripts: dict[str, Script], tables: Path) -> None:
    script = scripts["v2_explained"]
    columns = pd.read_csv(tables / "train.csv", nrows=1).columns.drop("target").tolist()
    assert ast.literal_eval(script.told("headers")) == columns
    predictions, sums = (ast.literal_eval(script.told(label)) for label in ("predictions", "sums"))
    empty, _, expected = script.told("off").partition(" ")
    assert empty == "{}"
    assert [float(expected) + each for each in sums] == pytest.approx(predictions, abs=1e-6)
    assert script.told("described") == "[0]>=`0`"
