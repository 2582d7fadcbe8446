"""Drift by hand: AWS's own example of NDCG, the rule for bias metrics, and two analyses held together."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from clary import clarify
from clary.clarify.monitoring.attribution_drift import attribution_drift, ndcg
from clary.clarify.report import drift as drift_report

TRAINING = {"SAT score": 0.70, "GPA": 0.50, "Class rank": 0.05}
LIVE = {"SAT score": 0.10, "GPA": 0.20, "Class rank": 0.70}


def analysis(**values: Any) -> dict[str, Any]:
    """An analysis.json as SageMaker writes it, of one facet and label."""
    records = [{"name": name, "description": name, "value": value} for name, value in values.items()]
    facets = {"Sex": [{"value_or_threshold": "Female", "metrics": records}]}
    section = {"label": "income", "label_value_or_threshold": ">50K", "facets": facets}
    return {"version": "1.0", "post_training_bias_metrics": section}


def explained(**outputs: dict[str, float]) -> dict[str, Any]:
    shap = {name: {"global_shap_values": values, "expected_value": 0.5} for name, values in outputs.items()}
    return {"version": "1.0", "explanations": {"kernel_shap": shap}}


def violated(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return [violation["metric_name"] for violation in clarify.compare(then, now).violations]


def test_the_documented_example_of_ndcg() -> None:
    """AWS: the ranking is reversed, and NDCG is 0.69."""
    dcg = 0.05 / 1 + 0.50 / math.log2(3) + 0.70 / 2
    ideal = 0.70 / 1 + 0.50 / math.log2(3) + 0.05 / 2
    assert ndcg(TRAINING, LIVE) == pytest.approx(dcg / ideal, abs=1e-15)
    assert round(dcg / ideal, 2) == 0.69


def test_two_neighbours_that_change_places() -> None:
    then, now = {"a": 4.0, "b": 2.0, "c": 1.0}, {"a": 2.0, "b": 4.0, "c": 1.0}
    third = 1 / 2
    expected = (2 + 4 / math.log2(3) + third) / (4 + 2 / math.log2(3) + third)
    assert ndcg(then, now) == pytest.approx(expected, abs=1e-15)


def test_ties_share_their_places_whatever_the_order_of_the_columns() -> None:
    then, now = {"a": 4.0, "b": 2.0, "c": 1.0}, {"a": 3.0, "b": 3.0, "c": 1.0}
    shared = (1 + 1 / math.log2(3)) / 2
    expected = (6 * shared + 1 / 2) / (4 + 2 / math.log2(3) + 1 / 2)
    assert ndcg(then, now) == pytest.approx(expected, abs=1e-15)
    assert ndcg(dict(reversed(then.items())), dict(reversed(now.items()))) == ndcg(then, now)


VALUES = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([0.0, 0.1, 0.2, 0.5, 3.0]), min_size=2)


@given(VALUES, st.data())
def test_it_is_scikit_learns_score(then: dict[str, float], data: st.DataObject) -> None:
    now = {name: data.draw(st.sampled_from([0.0, 0.1, 0.2, 0.5, 3.0])) for name in then}
    if any(then.values()):
        expected = ndcg_score([list(then.values())], [list(now.values())])
        assert ndcg(then, now) == pytest.approx(expected, abs=1e-12)
    else:
        assert ndcg(then, now) is None


@given(VALUES, st.randoms())
def test_the_same_values_in_any_order_do_not_drift(then: dict[str, float], random: Any) -> None:
    names = list(then)
    random.shuffle(names)
    assert ndcg(then, {name: then[name] for name in names}) in (None, pytest.approx(1.0))


def test_missing_and_new_features_are_named_and_ranked() -> None:
    found = attribution_drift("label0", {"a": 3.0, "b": 2.0, "c": 1.0}, {"b": 2.0, "c": 1.0, "d": 5.0})
    assert found is not None
    assert (found.missing, found.new) == (["a"], ["d"])
    expected = (2 / math.log2(3) + 1 / 2 + 3 / math.log2(5)) / (3 + 2 / math.log2(3) + 1 / 2)
    assert found.ndcg == pytest.approx(expected, abs=1e-15)
    assert [(f.name, f.rank_then, f.rank_now) for f in found.features] == [
        ("a", 1, None),
        ("b", 2, 2),
        ("c", 3, 3),
        ("d", None, 1),
    ]


def test_a_reversed_ranking_is_a_violation_in_model_monitors_words() -> None:
    found = clarify.compare(explained(label0=TRAINING), explained(label0=LIVE))
    assert found.violations == [
        {
            "label": "label0",
            "metric_name": "shap",
            "constraint_check_type": "feature_attribution_drift_check",
            "description": f"Feature attribution drift {ndcg(TRAINING, LIVE)} exceeds threshold 0.9",
        }
    ]
    assert found.exit_message == "CompletedWithViolations: Job completed successfully with 1 violations."


@pytest.mark.parametrize(
    ("then", "now", "violates"),
    [
        ({"DPPL": 0.2}, {"DPPL": 0.1}, False),  # AWS's example: nearer to 0
        ({"DPPL": 0.2}, {"DPPL": -0.3}, True),  # AWS's example: farther from 0, on the other side
        ({"DPPL": 0.2}, {"DPPL": -0.2}, False),
        ({"DPPL": 0.0}, {"DPPL": 1e-9}, True),
        ({"DI": 0.8}, {"DI": 1.25}, False),  # as far from 1 as 0.8, as a ratio
        ({"DI": 0.8}, {"DI": 1.3}, True),
        ({"DI": 0.8}, {"DI": 0.7}, True),
        ({"DI": 5.0}, {"DI": 0.0}, True),
        ({"DI": 0.0}, {"DI": "Infinity"}, False),
        ({"DCA": "Infinity"}, {"DCA": 7.0}, False),
        ({"DCA": 7.0}, {"DCA": "-Infinity"}, True),
    ],
)
def test_values_alone(then: dict[str, Any], now: dict[str, Any], violates: bool) -> None:
    """SageMaker's own analysis.json has no intervals: then the values decide."""
    assert bool(violated(analysis(**then), analysis(**now))) is violates


def with_error(document: dict[str, Any], standard_error: float, confidence: float = 0.95) -> dict[str, Any]:
    document = copy.deepcopy(document)
    section = document["post_training_bias_metrics"]
    section["intervals"] = {"confidence": confidence}
    section["facets"]["Sex"][0]["metrics"][0]["standard_error"] = standard_error
    return document


def test_an_interval_that_reaches_the_allowed_range_is_no_violation() -> None:
    """0.3 - 1.96 x 0.05 = 0.202 lies above 0.2; with 0.052 it would be 0.198, and with 0.05 at 99 % 0.171."""
    then, now = analysis(DPPL=0.2), analysis(DPPL=0.3)
    assert violated(then, with_error(now, 0.05)) == ["DPPL"]
    assert violated(then, with_error(now, 0.052)) == []
    assert violated(then, with_error(now, 0.05, 0.99)) == []


def test_the_violations_are_laid_out_as_model_monitor_lays_them_out() -> None:
    found = clarify.compare(analysis(DPPL=0.2), analysis(DPPL=-0.3)).in_json()
    assert found["version"] == "1.0"
    assert found["violations"] == [
        {
            "facet": "Sex",
            "facet_value": "Female",
            "metric_name": "DPPL",
            "constraint_check_type": "bias_drift_check",
            "description": "Value -0.3 does not meet the constraint requirement",
        }
    ]


def test_a_threshold_is_the_same_whatever_the_largest_value_is() -> None:
    then, now = analysis(DPPL=0.1), analysis(DPPL=0.4)
    for document, interval in ((then, "(40.0, 90.0]"), (now, "(40, 78]")):
        document["post_training_bias_metrics"]["facets"]["Sex"][0]["value_or_threshold"] = interval
    (violation,) = clarify.compare(then, now).violations
    assert violation["facet_value"] == "40"


def test_a_metric_without_a_value_now_is_told() -> None:
    now = analysis(DPPL=0.1, AD=None)
    now["post_training_bias_metrics"]["facets"]["Sex"][0]["metrics"][1]["error"] = "No rows."
    found = clarify.compare(analysis(DPPL=0.1, AD=0.1, TE=0.0, DI=None), now)
    assert [item.what for item in found.unchecked] == ["AD of Sex = Female", "TE of Sex = Female"]
    assert "No rows" in found.unchecked[0].reason
    assert "does not measure it" in found.unchecked[1].reason


def changed(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    document = copy.deepcopy(document)
    document["post_training_bias_metrics"] |= changes
    return document


HERE = analysis(DPPL=0.1)
FACET = HERE["post_training_bias_metrics"]["facets"]["Sex"][0]


@pytest.mark.parametrize(
    ("constraints", "says"),
    [
        ({}, "neither bias metrics nor global SHAP values"),
        ({"features": [], "version": 0.0}, "neither bias metrics"),
        ({"explanations": {"kernel_shap": {"label0": {}}}}, "not laid out as analysis.json"),
        ({"pre_training_bias_metrics": []}, "not laid out as analysis.json"),
        (changed(HERE, label="pay"), "label 'pay'"),
        (changed(HERE, label_value_or_threshold="1"), "positive value 1"),
        (changed(HERE, facets={"Sexe": [FACET]}), "Did you mean 'Sex'"),
        (analysis(AD=0.1), "None of the constraints can be checked"),
        (analysis(XYZ=0.1), "XYZ"),
        (analysis(DPPL=math.nan), "None of the constraints"),
        (explained(label0=TRAINING), "None of the constraints"),
    ],
)
def test_constraints_of_something_else_are_refused(constraints: dict[str, Any], says: str) -> None:
    with pytest.raises(clarify.ClarifyError, match=says):
        clarify.compare(constraints, HERE)


def test_explanations_of_something_else_are_refused() -> None:
    with pytest.raises(clarify.ClarifyError, match="Did you mean 'label0'"):
        clarify.compare(explained(label1=TRAINING), explained(label0=LIVE))
    with pytest.raises(clarify.ClarifyError, match="no feature of 'label0' in common"):
        clarify.compare(explained(label0=TRAINING), explained(label0={"x": 1.0}))
    with pytest.raises(clarify.ClarifyError, match="no ranking"):
        clarify.compare(explained(label0={"x": 0.0}), explained(label0={"x": 1.0}))


def test_a_facet_that_was_cut_otherwise_is_refused() -> None:
    """Of many rows 40 is exactly 40; of few it is a threshold: two different groups."""
    then, now = analysis(DPPL=0.1), analysis(DPPL=0.1)
    then["post_training_bias_metrics"]["facets"]["Sex"][0]["value_or_threshold"] = "40"
    now["post_training_bias_metrics"]["facets"]["Sex"][0]["value_or_threshold"] = "(40, 90]"
    with pytest.raises(clarify.ClarifyError, match="quantities"):
        clarify.compare(then, now)


CONFIG: dict[str, Any] = {
    "dataset_type": "text/csv",
    "label": "label",
    "label_values_or_threshold": [1],
    "predicted_label": "guess",
    "facet": [{"name_or_index": "facet"}],
    "methods": {
        "pre_training_bias": {"methods": "all"},
        "post_training_bias": {"methods": "all"},
        "bias": {"replicates": 100, "intersections": [], "mitigation": False},
    },
}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(20, 200))
def test_the_same_rows_in_another_order_never_violate(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({name: rng.integers(0, 2, rows) for name in ("facet", "label", "guess")})
    table["x"] = rng.normal(size=rows)  # with equally near rows the flip test depends on their order
    table.iloc[:4, :3] = [[0, 0, 1], [0, 1, 0], [1, 0, 1], [1, 1, 0]]
    then = clarify.analyze(CONFIG, table)
    now = clarify.analyze(CONFIG, table.sample(frac=1, random_state=seed))
    assert clarify.compare(then, now).violations == []


def test_the_page_says_what_happened_and_escapes_names() -> None:
    evil = "<b>SAT</b>"
    then = analysis(DPPL=0.2) | explained(label0={evil: 0.7, "GPA": 0.5})
    now = with_error(analysis(DPPL=0.3), 0.01) | explained(label0={evil: 0.01, "GPA": 0.5})
    page = drift_report.render(clarify.compare(then, now))
    assert "This batch drifts." in page
    assert evil not in page
    assert "&lt;b&gt;SAT" in page
    assert "http" not in page
    calm = drift_report.render(clarify.compare(then, then))
    assert "No drift." in calm
    assert "As at the baseline." in calm
