"""Bias beyond Clarify: intersections, classes, quantities, weights, small groups, remedies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from clary import clarify

RNG = np.random.default_rng(4)
ROWS = 900
PEOPLE = pd.DataFrame(
    {
        "sex": RNG.choice(["f", "m"], ROWS, p=[0.4, 0.6]),
        "race": RNG.choice(["a", "b", "c"], ROWS, p=[0.6, 0.38, 0.02]),
        "age": RNG.integers(18, 80, ROWS),
        "level": RNG.choice(["junior", "senior", "lead"], ROWS, p=[0.5, 0.4, 0.1]),
        "pay": RNG.gamma(2.0, 1000.0, ROWS),
        "weight": RNG.integers(0, 4, ROWS),
    }
)
PEOPLE["hired"] = np.where(RNG.random(ROWS) < np.where(PEOPLE["sex"] == "f", 0.3, 0.5), "yes", "no")


def analyse(data: pd.DataFrame = PEOPLE, predict: Any = None, **more: Any) -> dict[str, Any]:
    config = {
        "dataset_type": "text/csv",
        "label": "hired",
        "label_values_or_threshold": ["yes"],
        "facet": [{"name_or_index": "sex", "value_or_threshold": ["f"]}, {"name_or_index": "race"}],
        "methods": {"pre_training_bias": {"methods": "all"}},
        **more,
    }
    return clarify.analyze(config, data, predict)


def by_name(records: list[dict[str, Any]]) -> dict[str, Any]:
    return {m["name"]: m["value"] for m in records}


def test_every_two_facets_are_crossed_and_each_subgroup_is_against_all_others() -> None:
    (crossed,) = analyse()["pre_training_bias_metrics"]["intersections"]
    assert crossed["facets"] == ["sex", "race"]
    groups = {tuple(g["value_or_threshold"].values()): g for g in crossed["subgroups"]}
    assert set(groups) == {(s, r) for s in ("f", "m") for r in ("a", "b", "c")}
    both = (PEOPLE["sex"] == "f") & (PEOPLE["race"] == "b")
    hired = PEOPLE["hired"] == "yes"
    assert by_name(groups["f", "b"]["metrics"])["DPL"] == pytest.approx(
        hired[~both].mean() - hired[both].mean()
    )
    assert groups["f", "b"]["rows"] == {"facet": both.sum(), "others": (~both).sum()}
    assert sum(g["rows"]["facet"] for g in groups.values()) == ROWS
    assert {"confidence_interval", "p_value"} <= set(groups["f", "b"]["metrics"][1])
    assert any(w["facet"] == "facet" and w["part"] == "rows" for w in groups["f", "c"]["warnings"])


def test_facets_are_crossed_as_asked() -> None:
    methods = {"pre_training_bias": {"methods": ["CI"]}}
    facets = [
        {"name_or_index": n, "value_or_threshold": v} for n, v in (("sex", ["f"]), ("race", ["a", "b"]))
    ]
    facets.append({"name_or_index": "age", "value_or_threshold": [40]})
    settings = {"intersections": [["sex", "race", "age"]], "quantities": ["age"]}
    found = analyse(facet=facets, methods={**methods, "bias": settings})
    (crossed,) = found["pre_training_bias_metrics"]["intersections"]
    names = [" ".join(g["value_or_threshold"].values()) for g in crossed["subgroups"]]
    assert names[:2] == ["f a,b (40.0, 79.0]", "f a,b not (40.0, 79.0]"]
    assert (
        "intersections"
        not in analyse(methods={**methods, "bias": {"intersections": []}})["pre_training_bias_metrics"]
    )


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"intersections": [["sex", "rase"]]}, "Did you mean 'race'"),
        ({"intersections": [["sex"]]}, "two facets or more"),
        ({"intersections": ["sex"]}, "list of lists"),
        ({"interval": 1}, "methods.bias has no key 'interval'"),
        ({"replicates": 5}, "too few"),
        ({"weights": "wait"}, "Did you mean 'weight'"),
        ({"weights": "level"}, "must hold numbers"),
        ({"quantities": [1]}, "list of column names"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(clarify.ClarifyError, match=says):
        analyse(methods={"pre_training_bias": {"methods": "all"}, "bias": settings})


def test_a_crowd_of_subgroups_is_told_and_the_rest_goes_on() -> None:
    facets = [{"name_or_index": "sex"}, {"name_or_index": "age"}]
    section = analyse(PEOPLE.assign(age="y" + PEOPLE["age"].astype(str)), facet=facets)[
        "pre_training_bias_metrics"
    ]
    assert "124 combinations" in section["errors"][0]
    assert by_name(section["facets"]["sex"][0]["metrics"])["CI"] is not None


def test_classes_are_measured_as_they_are() -> None:
    section = analyse(label="level", label_values_or_threshold=["lead"])["pre_training_bias_metrics"]
    found = section["multiclass"]["sex"][0]
    f = PEOPLE["sex"] == "f"
    shares = pd.crosstab(f, PEOPLE["level"], normalize="index")
    a, d = shares.loc[False], shares.loc[True]
    expected = {
        "KL": (a * np.log(a / d)).sum(),
        "TVD": abs(a - d).sum() / 2,
        "KS": abs(a - d).max(),
        "LP": np.sqrt(((a - d) ** 2).sum()),
    }
    distribution = by_name(found["distribution"])
    assert distribution == pytest.approx({**distribution, **expected})
    classes = {c["label_value"]: by_name(c["metrics"]) for c in found["classes"]}
    assert {name: values["DPL"] for name, values in classes.items()} == pytest.approx(dict(a - d))
    assert by_name(section["facets"]["sex"][0]["metrics"])["DPL"] == classes["lead"]["DPL"]


def test_classes_of_predictions() -> None:
    data = PEOPLE.assign(guess=np.where(RNG.random(ROWS) < 0.7, PEOPLE["level"], "junior"))
    asked = {"label": "level", "label_values_or_threshold": ["lead"], "predicted_label": "guess"}
    methods = {"post_training_bias": {"methods": "all"}}
    section = analyse(data, **asked, methods=methods)["post_training_bias_metrics"]
    found = section["multiclass"]["sex"][0]
    f = PEOPLE["sex"] == "f"
    shares = pd.crosstab(f, data["guess"], normalize="index")
    assert by_name(found["distribution"])["TVD"] == pytest.approx(
        abs(shares.loc[False] - shares.loc[True]).sum() / 2
    )
    right = (data["guess"] == "senior") == (data["level"] == "senior")
    senior = next(c for c in found["classes"] if c["label_value"] == "senior")
    assert by_name(senior["metrics"])["AD"] == pytest.approx(right[~f].mean() - right[f].mean())


def test_quantities_are_measured_as_they_are() -> None:
    data = PEOPLE.assign(guess=PEOPLE["pay"] * 0.9 + RNG.normal(0, 300, ROWS))
    f = data["sex"] == "f"
    asked = {"label": "pay", "label_values_or_threshold": [2000], "predicted_label": "guess"}
    methods = {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": "all"}}
    found = analyse(data, **asked, methods=methods)
    labels = by_name(found["pre_training_bias_metrics"]["regression"]["sex"][0]["labels"])
    assert labels == pytest.approx(
        {
            "DM": data["pay"][~f].mean() - data["pay"][f].mean(),
            "KS_CDF": stats.ks_2samp(data["pay"][~f], data["pay"][f]).statistic,
            "WD": stats.wasserstein_distance(data["pay"][~f], data["pay"][f]),
        }
    )
    after = found["post_training_bias_metrics"]["regression"]["sex"][0]
    error = data["guess"] - data["pay"]
    assert by_name(after["errors"])["DM"] == pytest.approx(error[~f].mean() - error[f].mean())
    (mean,) = (m for m in after["predictions"] if m["name"] == "DM")
    expected = stats.ttest_ind(data["guess"][~f], data["guess"][f], equal_var=False)
    assert mean["confidence_interval"] == pytest.approx(list(expected.confidence_interval()), abs=40)
    assert mean["p_value"] == pytest.approx(expected.pvalue, abs=0.05)


def test_whole_weights_count_as_so_many_rows() -> None:
    repeated = PEOPLE.loc[PEOPLE.index.repeat(PEOPLE["weight"])].reset_index(drop=True)
    methods = {"pre_training_bias": {"methods": "all"}}
    weighed = analyse(methods={**methods, "bias": {"weights": "weight"}}, group_variable="level")
    plain = analyse(repeated, methods=methods, excluded_columns=["weight"], group_variable="level")
    for name in ("sex", "race"):
        ours, theirs = (f["pre_training_bias_metrics"]["facets"][name] for f in (weighed, plain))
        for one, other in zip(ours, theirs, strict=False):
            assert by_name(one["metrics"]) == pytest.approx(by_name(other["metrics"]))
            assert one["rows"]["facet"] == (PEOPLE[name] == one["value_or_threshold"]).sum()


@pytest.mark.parametrize(
    ("weights", "says"),
    [([-1.0] * ROWS, "at least 0"), ([np.nan] * ROWS, "at least 0"), ([0] * ROWS, "All weights are 0")],
)
def test_weights_that_weigh_nothing_are_refused(weights: list[float], says: str) -> None:
    with pytest.raises(clarify.ClarifyError, match=says):
        clarify.bias(
            PEOPLE, {"sex": ["f"]}, clarify.Target("hired", ["yes"]), weights=pd.Series(weights, name="w")
        )


def test_small_groups_name_the_metrics_that_rest_on_them() -> None:
    data = PEOPLE[:60].assign(guess=["yes"] * 5 + ["no"] * 55)
    methods = {"post_training_bias": {"methods": ["DAR", "DPPL"]}, "bias": {"minimum_group_size": 10}}
    found = analyse(data, methods=methods, predicted_label="guess")["post_training_bias_metrics"]
    warnings = found["facets"]["sex"][0]["warnings"]
    assert {(w["part"], *w["metrics"]) for w in warnings} == {("rows predicted positive", "DAR")}
    assert all(w["rows"] < w["minimum"] == 10 for w in warnings)


def test_reweighing_takes_the_disparity_out_of_the_labels() -> None:
    found = analyse()["mitigation"]["reweighing"]["facets"]["sex"][0]
    effect = {m["name"]: m for m in found["metrics"]}
    assert effect["DPL"]["before"] > 0.1
    assert effect["DPL"]["after"] == pytest.approx(0, abs=1e-12)
    assert effect["TVD"]["after"] == pytest.approx(0, abs=1e-12)
    assert effect["CI"]["after"] == pytest.approx(effect["CI"]["before"])
    target = clarify.Target("hired", ["yes"])
    weights = clarify.reweigh(PEOPLE, {"sex": ["f"]}, target)
    assert weights.sum() == pytest.approx(ROWS)
    again = clarify.bias(PEOPLE, {"sex": ["f"]}, target, weights=weights, intervals=None)
    assert by_name(again.facets["sex"][0].metrics)["DPL"] == pytest.approx(0, abs=1e-12)
    f = (PEOPLE["sex"] == "f").mean()
    both = ((PEOPLE["sex"] == "f") & (PEOPLE["hired"] == "yes")).mean()
    of_both = weights[(PEOPLE["sex"] == "f") & (PEOPLE["hired"] == "yes")]
    assert of_both.to_numpy() == pytest.approx(f * (PEOPLE["hired"] == "yes").mean() / both)


def scores(features: pd.DataFrame) -> np.ndarray[Any, Any]:
    noise = np.random.default_rng(12).normal(0, 0.4, len(features))
    strength = (PEOPLE["hired"] == "yes") * 0.6 + (features["sex"] == "m") * 0.8 - 0.7 + noise
    return (1 / (1 + np.exp(-strength))).to_numpy()


def test_thresholds_of_each_side_make_the_asked_rates_equal() -> None:
    methods = {"post_training_bias": {"methods": "all"}}
    found = analyse(PEOPLE, scores, methods=methods, predictor={"model_name": "m"})
    parity, opportunity = found["mitigation"]["thresholds"]["facets"]["sex"][0]["strategies"]
    assert (parity["strategy"], opportunity["strategy"]) == ("demographic_parity", "equal_opportunity")
    effect = {m["name"]: m for m in parity["metrics"]}
    assert abs(effect["DPPL"]["before"]) > 0.2
    assert abs(effect["DPPL"]["after"]) < 0.01
    effect = {m["name"]: m for m in opportunity["metrics"]}
    assert abs(effect["RD"]["before"]) > 0.2
    assert abs(effect["RD"]["after"]) < 0.02
    score, f = scores(PEOPLE), (PEOPLE["sex"] == "f").to_numpy()
    at = opportunity["thresholds"]
    hat = np.where(f, score > at["facet"], score > at["others"])
    assert opportunity["accuracy"]["after"] == pytest.approx((hat == (PEOPLE["hired"] == "yes")).mean())


def test_thresholds_lose_as_little_accuracy_as_any_equal_ones() -> None:
    rng = np.random.default_rng(13)
    score, label, f = rng.random(80).round(2), rng.random(80) < 0.5, rng.random(80) < 0.4
    found = clarify.group_thresholds(score, f, label, score > 0.5, "demographic_parity")
    cuts = [np.unique(score[side])[:-1] for side in (f, ~f)]
    best = 0.0
    for d in cuts[0]:
        for a in cuts[1]:
            if abs((score[f] > d).mean() - (score[~f] > a).mean()) <= 0.005:
                best = max(best, (np.where(f, score > d, score > a) == label).mean())
    assert found.accuracy_after >= best


def test_a_side_without_both_labels_has_no_threshold_but_a_reason() -> None:
    data = PEOPLE.assign(hired=PEOPLE["hired"].where(PEOPLE["race"] != "c", "no"))
    methods = {"post_training_bias": {"methods": "all"}}
    found = analyse(data, scores, methods=methods, predictor={"model_name": "m"})
    races = found["mitigation"]["thresholds"]["facets"]["race"]
    told = next(r for r in races if r["value_or_threshold"] == "c")["strategies"]
    assert all("not both labels" in strategy["error"] for strategy in told)


def test_the_report_shows_what_lies_beyond_clarify(tmp_path: Path) -> None:
    methods = {
        "pre_training_bias": {"methods": "all"},
        "post_training_bias": {"methods": "all"},
        "report": {"name": "report", "title": "T"},
    }
    config = {
        "dataset_type": "text/csv",
        "label": "hired",
        "label_values_or_threshold": ["yes"],
        "facet": [{"name_or_index": "sex", "value_or_threshold": ["f"]}, {"name_or_index": "race"}],
        "methods": methods,
        "predictor": {"model_name": "m"},
    }
    clarify.analyze(config, PEOPLE, scores, tmp_path)
    page = (tmp_path / "report.html").read_text("utf-8")
    for part in ("95 % interval", "Intersections in the data: sex x race", "Reweighing the data: sex = f"):
        assert part in page
    assert "Thresholds of each side: sex = f" in page
    assert "fewer than 30" in page
    json.loads((tmp_path / "analysis.json").read_text("utf-8"))
