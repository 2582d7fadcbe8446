"""Confidence intervals and p-values: against theory, against resampling the rows, and repeatable."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clary import clarify
from clary.clarify import Intervals
from clary.clarify.fairness.contrast import Contrast
from clary.clarify.fairness.intervals import resampled
from clary.clarify.fairness.metrics import POST_TRAINING, PRE_TRAINING, metrics_of
from clary.clarify.fairness.metrics.registry import value, values


def people(rows: int, gap: float, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], rows)
    hired = rng.random(rows) < np.where(sex == "f", 0.5 - gap, 0.5)
    return pd.DataFrame({"sex": sex, "hired": np.where(hired, "yes", "no")})


def records(data: pd.DataFrame, predicted: Any = None, **more: Any) -> dict[str, dict[str, Any]]:
    target = clarify.Target("hired", ["yes"], predicted)
    found = clarify.bias(data, {"sex": ["f"]}, target, **more)
    return {m["name"]: m for m in found.facets["sex"][0].metrics}


def test_a_difference_of_shares_has_the_width_that_theory_gives() -> None:
    data = people(4000, 0.1)
    low, high = records(data)["DPL"]["confidence_interval"]
    shares = (data["hired"] == "yes").groupby(data["sex"]).agg(["mean", "size"])
    width = 2 * 1.96 * np.sqrt((shares["mean"] * (1 - shares["mean"]) / shares["size"]).sum())
    assert high - low == pytest.approx(width, rel=0.1)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    hit = 0
    for seed in range(120):
        low, high = records(people(300, 0.2, seed), methods=["DPL"])["DPL"]["confidence_interval"]
        hit += low <= 0.2 <= high
    assert 0.90 <= hit / 120 <= 0.99


def test_where_there_is_no_disparity_small_p_values_are_rare() -> None:
    """Of differences (two-sided) and of distances, which chance can only make larger."""
    small = {"DPL": 0, "TVD": 0, "KL": 0}
    for seed in range(120):
        found = records(people(300, 0.0, seed), methods=list(small))
        for name in small:
            small[name] += found[name]["p_value"] < 0.05
    assert all(count <= 15 for count in small.values()), small


def test_a_clear_disparity_is_significant() -> None:
    found = records(people(2000, 0.2))
    assert all(found[name]["p_value"] < 0.01 for name in ("DPL", "KL", "JS", "LP", "TVD", "KS"))
    assert found["CI"]["p_value"] > 0.01


def test_replicates_are_as_rows_drawn_anew() -> None:
    """Each metric's spread over multinomial draws is its spread over draws of the rows themselves."""
    rng = np.random.default_rng(5)
    rows = 600
    table = rng.dirichlet(np.full(24, 2.0))
    drawn = rng.choice(24, rows, p=table)
    contrast = Contrast(np.bincount(drawn, minlength=24).reshape(3, 2, 2, 2).astype(float))
    slow = [np.bincount(rng.choice(drawn, rows), minlength=24).reshape(3, 2, 2, 2) for _ in range(1500)]
    fast = resampled(contrast, 1500, rng)
    for m in [*metrics_of(PRE_TRAINING), *metrics_of(POST_TRAINING)]:
        if m.name != "FT":
            ours, theirs = values(m, fast), values(m, Contrast(np.array(slow, dtype=float)))
            assert ours.mean() == pytest.approx(theirs.mean(), abs=4 * theirs.std() / 30), m.name
            assert ours.std() == pytest.approx(theirs.std(), rel=0.12), m.name


def test_formulas_give_for_stacked_tables_what_they_give_for_each() -> None:
    rng = np.random.default_rng(6)
    stack = rng.poisson(0.7, (200, 3, 2, 2, 2)).astype(float)
    for m in [*metrics_of(PRE_TRAINING), *metrics_of(POST_TRAINING)]:
        if m.name == "FT":
            continue
        together = values(m, Contrast(stack))
        for cells, found in zip(stack, together, strict=True):
            try:
                alone = value(m, Contrast(cells))
            except ValueError:
                alone = np.nan
            np.testing.assert_equal(found, alone)


def test_weights_spread_intervals_as_rows_with_weights_do() -> None:
    rng = np.random.default_rng(7)
    data = people(1500, 0.15).assign(weight=rng.exponential(size=1500))
    low, high = records(data, methods=["DPL"], weights="weight")["DPL"]["confidence_interval"]

    def gap(rows: pd.DataFrame) -> float:
        total = rows["weight"].groupby(rows["sex"]).sum()
        hired = rows["weight"].where(rows["hired"] == "yes", 0).groupby(rows["sex"]).sum() / total
        return float(hired["m"] - hired["f"])

    drawn = [gap(data.sample(len(data), replace=True, random_state=i)) for i in range(400)]
    assert high - low == pytest.approx(np.subtract(*np.quantile(drawn, [0.975, 0.025])), rel=0.15)


def test_the_flip_tests_interval_is_that_of_its_mean() -> None:
    rng = np.random.default_rng(8)
    data = people(800, 0.1).assign(x=rng.normal(size=800))
    found = records(data, rng.random(800) < 0.5, methods=["FT"])["FT"]
    low, high = found["confidence_interval"]
    assert low < found["value"] < high
    rows = (data["sex"] == "f").sum()
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.5 / rows), rel=0.25)


def test_a_seed_repeats_and_another_does_not() -> None:
    data = people(400, 0.1)
    one, same, other = (
        records(data, intervals=Intervals(seed=seed))["DPL"]["confidence_interval"] for seed in (1, 1, 2)
    )
    assert one == same != other


def test_a_wider_confidence_is_wider_and_none_is_possible() -> None:
    data = people(400, 0.1)
    (low, high), (lower, higher) = (
        records(data, intervals=Intervals(confidence=c))["DPL"]["confidence_interval"] for c in (0.8, 0.99)
    )
    assert lower < low < high < higher
    assert "p_value" not in records(data, intervals=None)["DPL"]


def test_few_rows_have_no_interval_and_say_so() -> None:
    data = pd.DataFrame({"sex": ["f", "m"], "hired": ["yes", "no"]})
    found = records(data, methods=["KL", "CI"])
    assert "error" in found["KL"]
    assert "confidence_interval" not in found["KL"]
    assert "few rows" in found["CI"]["interval_error"]
    json.dumps(found, allow_nan=False)


def test_infinite_ends_are_written_as_clarify_writes_infinity() -> None:
    data = people(60, 0.0)
    guess = data["hired"].where(data["sex"] == "f", "no").mask(data.index == 1, "yes")
    found = records(data, guess, methods=["DI"])["DI"]
    assert found["confidence_interval"][1] == "Infinity"
    json.dumps(found, allow_nan=False)


def test_a_thousand_replicates_of_all_metrics_take_a_tenth_of_a_second_whatever_the_rows() -> None:
    cells = np.random.default_rng(9).dirichlet(np.ones(64)).reshape(8, 2, 2, 2)
    metrics = [m for s in (PRE_TRAINING, POST_TRAINING) for m in metrics_of(s) if m.name != "FT"]
    for rows in (1e4, 1e9):
        contrast = Contrast(np.round(cells * rows))
        taken = []
        for _ in range(3):
            begin = time.process_time()
            replicates = resampled(contrast, 1000, np.random.default_rng(0))
            for m in metrics:
                values(m, replicates)
            taken.append(time.process_time() - begin)
        assert min(taken) < 0.1


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"replicates": 10}, "too few"),
        ({"confidence": 1.0}, "between 0 and 1"),
        ({"seed": -1}, "must not be below 0"),
    ],
)
def test_settings_that_make_no_interval_are_refused(how: dict[str, Any], says: str) -> None:
    with pytest.raises(clarify.ClarifyError, match=says):
        Intervals(**how)


def test_a_share_of_none_or_all_among_few_has_wilsons_interval() -> None:
    """Two sides of which only d is uncertain, and of d only how many are found: z^2 / (n + z^2)."""
    data = pd.DataFrame({"sex": ["f"] * 3 + ["m"] * 100_000, "hired": "yes"})
    found = records(data, np.r_[np.zeros(3, bool), np.ones(100_000, bool)], methods=["RD"])["RD"]
    assert found["value"] == 1
    low, high = found["confidence_interval"]
    assert low == pytest.approx(1 - 3.8415 / 6.8415, abs=1e-4) and high == pytest.approx(1)


def test_intervals_of_few_rows_that_are_nearly_all_alike_hold_the_truth() -> None:
    """More than half of the samples of ten rows have ten positive ones: resampled, they never vary."""
    hit = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        hired = np.r_[rng.random(10) < 0.95, rng.random(400) < 0.6]
        data = pd.DataFrame({"sex": ["f"] * 10 + ["m"] * 400, "hired": np.where(hired, "yes", "no")})
        low, high = map(float, records(data, methods=["DPL"])["DPL"]["confidence_interval"])
        hit += low <= 0.6 - 0.95 <= high
    assert hit / 120 >= 0.95


def test_an_infinite_value_of_few_rows_is_not_certain() -> None:
    data = pd.DataFrame(
        {"sex": ["f"] * 20 + ["m"] * 400, "hired": ["yes"] * 5 + ["no"] * 15 + ["yes", "no"] * 200}
    )
    found = records(data, np.r_[np.zeros(20, bool), np.tile([True, False], 200)], methods=["DCA"])["DCA"]
    assert found["value"] == "-Infinity" and found["p_value"] is None
    assert found["confidence_interval"][0] == "-Infinity" and found["confidence_interval"][1] < 1
