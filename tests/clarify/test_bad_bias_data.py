"""Data that nobody wants: a clear error or a stated convention, no other exception, no silent number."""

from __future__ import annotations

import datetime
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clary import clarify

JUNK = [
    *(
        None,
        math.nan,
        math.inf,
        -math.inf,
        0,
        1,
        -1,
        2**62,
        0.5,
        True,
        False,
        "",
        " ",
        "1",
        "1.0",
        "a",
        "nan",
    ),
    *("None", "é", datetime.date(2020, 1, 1), pd.Timestamp("2020-01-01 12:00"), pd.NaT, np.int64(3)),
]


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.sampled_from([1, 2, 3, 40, 41]))
    found = {}
    for name in ("facet", "label", "group", "guess"):
        some = draw(st.lists(st.sampled_from(JUNK), min_size=1, max_size=4))
        values = draw(st.lists(st.sampled_from(some), min_size=rows, max_size=rows))
        column = pd.Series(values, dtype=object)
        found[name] = column.infer_objects() if draw(st.booleans()) else column
    return pd.DataFrame(found)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.data())
def test_anything_gives_metrics_or_reasons(data: pd.DataFrame, draw: st.DataObject) -> None:
    scalar = [v for v in JUNK if isinstance(v, int | float | str)]
    asked = draw.draw(st.none() | st.lists(st.sampled_from(scalar), min_size=1, max_size=2))
    positive = draw.draw(st.lists(st.sampled_from(scalar), min_size=1, max_size=2))
    predicted, group = (
        draw.draw(st.sampled_from([None, "guess"])),
        draw.draw(st.sampled_from([None, "group"])),
    )
    target = clarify.Target("label", positive, predicted)
    try:
        found = clarify.bias(
            data, {"facet": asked}, target, group, intervals=clarify.Intervals(replicates=100)
        )
    except clarify.ClarifyError as error:
        assert len(str(error)) > 20
        return
    for facet in found.facets["facet"]:
        json.dumps(facet.in_json(), allow_nan=False)
        for metric in facet.metrics:
            assert metric["value"] is not None or len(metric["error"]) > 20


def analyse(data: pd.DataFrame, **more: Any) -> dict[str, Any]:
    config = {
        "dataset_type": "text/csv",
        "label": "y",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "s", "value_or_threshold": ["f"]}],
        "methods": {"pre_training_bias": {"methods": "all"}},
        **more,
    }
    return clarify.analyze(config, data)


def pre(data: pd.DataFrame, **more: Any) -> dict[str, Any]:
    found = analyse(data, **more)["pre_training_bias_metrics"]["facets"]["s"][0]["metrics"]
    return {m["name"]: m["value"] if m["value"] is not None else m["error"] for m in found}


PEOPLE = pd.DataFrame({"s": ["f", "m"] * 20, "x": range(40), "y": [1, 0, 0, 1, 0] * 8})


def test_forty_rows_with_a_label_of_two_integers() -> None:
    """smclarify takes such a label for a quantity, and finds no positive row."""
    assert pre(PEOPLE)["DPL"] == pytest.approx(0.0)
    assert pre(PEOPLE.assign(y=[1, 0, 0, 0, 0] * 8))["CI"] == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"y": [0] * 40}, "no row with \\[1\\]"),
        ({"y": [1.0] * 39 + [math.nan]}, "missing in 1 of 40 rows"),
        ({"s": [None] * 40}, "has no values at all"),
        ({"s": ["m"] * 40}, "no row with \\['f'\\]"),
        ({"s": [["f"], ["m"]] * 20}, "lists or objects"),
    ],
)
def test_what_cannot_be_compared_is_said(change: dict[str, Any], says: str) -> None:
    with pytest.raises(clarify.ClarifyError, match=says):
        pre(PEOPLE.assign(**change))


def test_a_constant_facet_has_nobody_to_compare_with_in_every_metric() -> None:
    found = pre(PEOPLE.assign(s="f"))
    assert all("nothing to compare" in found[name] for name in ("CI", "DPL", "KL", "KS"))


def test_a_label_that_is_always_positive() -> None:
    found = pre(PEOPLE.assign(y=1), group_variable="x")
    assert found["DPL"] == found["KL"] == 0
    assert "negative label" in found["CDDL"]


def test_a_missing_group_counts_everywhere_but_in_the_conditional_metrics() -> None:
    group = pd.Series(["a", "b", None, None] * 10)
    found = pre(PEOPLE.assign(g=group), group_variable="g")
    known = group.notna()
    part = PEOPLE[known]
    f, y = part["s"] == "f", part["y"] == 1
    expected = 0.0
    for name in ("a", "b"):
        here = group[known] == name
        rejected, accepted = here & ~y, here & y
        expected += here.sum() * (
            (rejected & f).sum() / rejected.sum() - (accepted & f).sum() / max(accepted.sum(), 1)
        )
    assert found["CDDL"] == pytest.approx(expected / known.sum())
    assert found["CI"] == 0


def test_one_bad_metric_takes_no_other_down() -> None:
    methods = {"post_training_bias": {"methods": "all"}}
    data = PEOPLE.assign(guess=[0] * 40, text="t")
    found = analyse(data, methods=methods, predicted_label="guess")
    metrics = {m["name"]: m for m in found["post_training_bias_metrics"]["facets"]["s"][0]["metrics"]}
    assert metrics["DI"]["value"] == 0
    assert "text" in metrics["FT"]["error"]
    assert "group_variable" in metrics["CDDPL"]["error"]
    assert metrics["AD"]["value"] is not None


@pytest.mark.parametrize(
    ("data", "facets", "positive", "said"),
    [
        ({"s": ["a", "b"]}, {"s": ["a"]}, ["y"], "data must be a table or a path, not dict"),
        (None, ["s"], ["y"], "facets must map columns to values"),
        (None, {"s": "abc"}, ["y"], r"facets\['s'\] must be a list of values, \['abc'\]"),
        (None, {"s": 40}, ["y"], r"facets\['s'\] must be a list of values, \[40\]"),
        (None, {"s": ["abc"]}, ">50K", r"Target.positive must be a list of values, \['>50K'\]"),
    ],
)
def test_a_word_is_not_taken_apart_into_letters(data: Any, facets: Any, positive: Any, said: str) -> None:
    table = pd.DataFrame({"s": ["abc", "d"] * 5, "label": [">50K", "y"] * 5})
    with pytest.raises(clarify.ClarifyError, match=said):
        clarify.bias(table if data is None else data, facets, clarify.Target("label", positive))
