"""Bias metrics: hand-computed values, conventions of degenerate tables, column types and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clary import clarify
from clary.clarify.fairness.contrast import count
from clary.clarify.fairness.metrics import POST_TRAINING, PRE_TRAINING, metrics_of
from clary.clarify.fairness.metrics.registry import value

# M: 10 rows, 6 positive, 5 predicted positive (4 right). F: 5 rows, 1 positive, 2 predicted so (1 right).
HIRED = pd.DataFrame(
    {
        "sex": ["M"] * 10 + ["F"] * 5,
        "hired": ["yes"] * 6 + ["no"] * 4 + ["yes"] + ["no"] * 4,
        "guess": ["yes"] * 4 + ["no"] * 2 + ["yes"] + ["no"] * 3 + ["yes"] + ["yes"] + ["no"] * 3,
        "team": ["x"] * 15,
        "years": range(15),
    }
)


def values(found: Any, facet: str = "sex") -> dict[str, float]:
    return {m["name"]: m["value"] for m in found.facets[facet][0].metrics}


def measure(predicted: bool, **more: Any) -> dict[str, float]:
    target = clarify.Target(HIRED["hired"], ["yes"], HIRED["guess"] if predicted else None)
    return values(clarify.bias(HIRED[["sex", "years"]], {"sex": ["F"]}, target, HIRED["team"], **more))


def test_pre_training_metrics_by_hand() -> None:
    found = measure(predicted=False)
    assert found["CI"] == pytest.approx(5 / 15)
    assert found["DPL"] == pytest.approx(0.6 - 0.2)
    assert found["KL"] == pytest.approx(0.6 * np.log(3) + 0.4 * np.log(0.5))
    assert found["LP"] == pytest.approx(np.sqrt(2) * 0.4)
    assert found["TVD"] == found["KS"] == pytest.approx(0.4)
    assert found["CDDL"] == pytest.approx(4 / 8 - 1 / 7)


def test_post_training_metrics_by_hand() -> None:
    found = measure(predicted=True)
    assert found["DPPL"] == pytest.approx(0.5 - 0.4)
    assert found["DI"] == pytest.approx(0.4 / 0.5)
    assert found["DCA"] == pytest.approx(6 / 5 - 1 / 2)
    assert found["DCR"] == pytest.approx(4 / 3 - 4 / 5)
    assert found["RD"] == pytest.approx(4 / 6 - 1)
    assert found["SD"] == pytest.approx(3 / 4 - 3 / 4)
    assert found["DAR"] == pytest.approx(4 / 5 - 1 / 2)
    assert found["DRR"] == pytest.approx(3 / 3 - 3 / 5)
    assert found["AD"] == pytest.approx(7 / 10 - 4 / 5)
    assert found["TE"] == pytest.approx(0 / 1 - 2 / 1)
    assert found["CDDPL"] == pytest.approx(3 / 8 - 2 / 7)
    benefit = np.array([1] * 4 + [0] * 2 + [2] + [1] * 3 + [1, 2, 1, 1, 1])
    assert found["GE"] == pytest.approx(((benefit / benefit.mean()) ** 2 - 1).sum() / (2 * 15))


def test_the_flip_test_has_smclarifys_sign() -> None:
    """The one d row is predicted positive while its neighbour outside is not: +1."""
    data = pd.DataFrame({"d": [True, False, False], "x": [0.0, 0.1, 9.0]})
    target = clarify.Target(pd.Series([1, 1, 0], name="y"), [1], np.array([True, False, True]))
    (flip,) = clarify.bias(data, {"d": [True]}, target, methods=["FT"]).facets["d"][0].metrics
    assert flip["value"] == 1.0
    assert flip["documented_sign_value"] == -1.0


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_metrics_stay_in_their_range_or_say_why_not(rows: list[tuple[bool, bool, bool]]) -> None:
    facet, label, predicted = (np.array(column) for column in zip(*rows, strict=True))
    contrast = count(facet, label, predicted, np.zeros(len(rows), np.intp))
    for metric in [*metrics_of(PRE_TRAINING), *metrics_of(POST_TRAINING)]:
        try:
            found = value(metric, contrast)
        except ValueError as error:
            assert len(str(error)) > 20
            continue
        # KL may be negative where a label is missing on one side: smclarify's convention.
        low = -np.inf if metric.name == "KL" else metric.scale.low
        assert low - 1e-12 <= found <= metric.scale.high + 1e-12


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_swapping_the_sides_turns_the_sign_of_a_difference(rows: list[tuple[bool, bool, bool]]) -> None:
    facet, label, predicted = (np.array(column) for column in zip(*rows, strict=True))
    if facet.all() or not facet.any():
        return
    one, other = count(facet, label, predicted), count(~facet, label, predicted)
    for metric in metrics_of(POST_TRAINING, ["DPPL", "DCA", "DCR", "RD", "SD", "DAR", "DRR", "AD", "TE"]):
        assert value(metric, one) == pytest.approx(-value(metric, other))


def test_a_failing_metric_takes_no_other_down_and_says_what_to_do() -> None:
    data = HIRED[["sex", "team"]]
    found = clarify.bias(data, {"sex": ["F"]}, clarify.Target(HIRED["hired"], ["yes"], HIRED["guess"]))
    records = {m["name"]: m for m in found.facets["sex"][0].metrics}
    assert records["FT"]["value"] is None
    assert "team" in records["FT"]["error"]
    assert "group_variable" in records["CDDPL"]["error"]
    assert records["DI"]["value"] == pytest.approx(0.8)


def test_infinite_values_are_written_as_clarify_writes_them() -> None:
    nobody = pd.Series(["no"] * 10 + ["yes"] * 5)
    found = values(
        clarify.bias(HIRED[["sex"]], {"sex": ["F"]}, clarify.Target(HIRED["hired"], ["yes"], nobody))
    )
    assert found["DI"] == "Infinity"
    assert found["TE"] == "-Infinity"


def test_no_facet_value_means_each_value_against_all() -> None:
    found = clarify.bias(HIRED[["sex"]], {"sex": None}, clarify.Target(HIRED["hired"], ["yes"]))
    assert [f.value_or_threshold for f in found.facets["sex"]] == ["M", "F"]


def test_a_small_0_1_label_is_a_category() -> None:
    label = pd.Series([1, 0, 1, 0], name="y")
    found = clarify.bias(pd.DataFrame({"s": list("aabb")}), {"s": ["a"]}, clarify.Target(label, [1]))
    assert values(found, "s")["DPL"] == 0.0


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["1", "0", "1", "0"]),
        pd.Series([1, 0, 1, 0]),
        pd.Series([True, False, True, False]),
        pd.Series(["1", "0", "1", "0"], dtype="category"),
        pd.Series([1, 0, 1, 0], dtype="Int64"),
    ],
    ids=["text", "int", "bool", "category", "nullable"],
)
@pytest.mark.parametrize("value", [1, "1", 1.0])
def test_a_value_is_found_whatever_its_type(column: pd.Series[Any], value: Any) -> None:
    if isinstance(column.iloc[0], np.bool_ | bool) and isinstance(value, str):
        return
    label = pd.Series(["y", "y", "n", "n"], name="label")
    found = clarify.bias(pd.DataFrame({"s": column}), {"s": [value]}, clarify.Target(label, ["y"]))
    assert values(found, "s")["CI"] == 0.0


@pytest.mark.parametrize(
    ("facets", "target", "says"),
    [
        ({"Sex": ["F"]}, clarify.Target(HIRED["hired"], ["yes"]), "Did you mean 'sex'"),
        ({"sex": ["Female"]}, clarify.Target(HIRED["hired"], ["yes"]), "'M', 'F'"),
        ({"sex": ["F"]}, clarify.Target(HIRED["hired"], ["yess"]), "Did you mean 'yes'"),
        ({"years": None}, clarify.Target(HIRED["hired"], ["yes"]), "give one threshold"),
        ({"years": [99]}, clarify.Target(HIRED["hired"], ["yes"]), "from 0 to 14"),
        (
            {"sex": ["F"]},
            clarify.Target(HIRED["hired"], ["yes"], HIRED["guess"][:3]),
            "3 predictions for 15 rows",
        ),
        (
            {"sex": ["F"]},
            clarify.Target(HIRED["hired"], ["yes"], HIRED["team"]),
            "none of the label's values",
        ),
    ],
)
def test_what_is_not_there_is_named(facets: Any, target: clarify.Target, says: str) -> None:
    with pytest.raises(clarify.ClarifyError, match=says.replace("(", r"\(")):
        clarify.bias(HIRED[["sex", "years"]], facets, target)
