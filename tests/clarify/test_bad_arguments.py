"""Arguments that nobody should give: one sentence that says what to change, no other exception."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clary import clarify

DAYS = ["2024-01-01", "2024-01-02", "2024-01-03"]
SOLD, WEATHER = np.array([1.0, 2.0, 4.0]), np.array([[3.0, 1.0, 2.0]])
ITEM = clarify.Series("s", DAYS, SOLD, WEATHER)


def last(items: Any) -> list[list[float]]:
    return [[float(item.target[-1])] for item in items]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"timestamps": DAYS[::-1]}, "sort its steps by time"),
        ({"timestamps": DAYS[:2]}, r"target of item 's' has the shape \(3,\)"),
        ({"target": np.array([1.0, np.nan, 2.0])}, "target of item 's' has a missing or infinite number"),
        ({"related": WEATHER.T}, r"shape \(3, 1\): give \(1, 3\)"),
        ({"related": [3.0, 1.0, 2.0]}, r"shape \(3,\): give \(1, 3\)"),
        ({"related": np.array([[np.inf, 1, 2]])}, "related series of item 's' has a missing"),
        ({"static": ["x"]}, "1 static covariates, but Panel.static names 0"),
    ],
)
def test_a_series_that_is_none(change: dict[str, Any], said: str) -> None:
    panel = clarify.Panel([replace(ITEM, **change)], "sold", ["weather"])
    with pytest.raises(clarify.ClarifyError, match=said):
        clarify.explain_forecasts(panel, last)


def test_a_forecaster_that_fails() -> None:
    def fails(items: Any) -> Any:
        raise ZeroDivisionError("no luck")

    with pytest.raises(clarify.ClarifyError, match="failed on 1 series: ZeroDivisionError: no luck"):
        clarify.explain_forecasts(clarify.Panel([ITEM], "sold", ["weather"]), fails)


def test_directions_and_kinds_that_do_not_exist() -> None:
    panel = clarify.Panel([ITEM], "sold", ["weather"])
    with pytest.raises(clarify.ClarifyError, match="backwards"):
        clarify.explain_forecasts(panel, last, clarify.AsymmetricShapley("backwards", "timewise"))
    with pytest.raises(clarify.ClarifyError, match="'CLASSIFICATION' does not exist"):
        clarify.ImageConfig("CLASSIFICATION")
    with pytest.raises(clarify.ClarifyError, match="num_segments must be at least 1"):
        clarify.ImageConfig("IMAGE_CLASSIFICATION", num_segments=0)
    for nothing in ([], None, "x"):
        with pytest.raises(clarify.ClarifyError, match="must be a JSON object"):
            clarify.analyze(nothing, pd.DataFrame({"a": [1]}))  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [1e154, 1e200, 1e308])
def test_a_huge_feature_costs_the_flip_test_alone(scale: float) -> None:
    rng = np.random.default_rng(0)
    data = pd.DataFrame(
        {"sex": rng.integers(0, 2, 200), "x": rng.normal(size=200).clip(-1, 1) * scale, "y": 0}
    )
    data["y"] = rng.integers(0, 2, 200)
    target = clarify.Target("y", [1], rng.integers(0, 2, 200))
    found = {m["name"]: m for m in clarify.bias(data, {"sex": [1]}, target).facets["sex"][0].metrics}
    assert "beyond numbers" in found["FT"]["error"] and found["AD"]["value"] is not None
    explained = clarify.explain(data[["sex", "x"]], lambda f: (f["x"] > 0).to_numpy() * 1.0)
    assert np.isfinite(explained.values).all() and len(explained.baseline) >= 1


def test_weights_whose_squares_are_infinite() -> None:
    data = pd.DataFrame({"sex": ["f", "m"] * 20, "y": [0, 1, 1, 0] * 10, "w": 1e300})
    with pytest.raises(clarify.ClarifyError, match="A weight is 1e\\+300"):
        clarify.bias(data, {"sex": ["f"]}, clarify.Target("y", [1]), weights="w")
