"""Every metric against values that smclarify 0.5 gave for the same tables (smclarify_reference.json)."""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clary import clarify
from clary.clarify.fairness.contrast import count
from clary.clarify.fairness.flips import flips
from clary.clarify.fairness.metrics import POST_TRAINING, PRE_TRAINING, metrics_of
from clary.clarify.fairness.metrics.registry import value

FILE = Path(os.environ.get("SMCLARIFY_REFERENCE", Path(__file__).parent / "smclarify_reference.json"))
REFERENCE = json.loads(FILE.read_text("utf-8"))
METRICS = [*metrics_of(PRE_TRAINING), *metrics_of(POST_TRAINING)]


def flags(text: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.array([c == "1" for c in text])


def same(ours: float | str | None, theirs: float | str | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return float(ours) == float(theirs) or math.isclose(
        float(ours), float(theirs), rel_tol=1e-12, abs_tol=1e-12
    )


def test_there_are_21_metrics() -> None:
    assert [m.name for m in metrics_of(PRE_TRAINING)] == ["CDDL", "CI", "DPL", "JS", "KL", "KS", "LP", "TVD"]
    assert [m.name for m in metrics_of(POST_TRAINING)] == [
        *("AD", "CDDPL", "DAR", "DCA", "DCR", "DI", "DPPL", "DRR", "FT", "GE", "RD", "SD", "TE")
    ]


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_a_metric_equals_smclarify_on_random_and_degenerate_tables(metric: Any) -> None:
    for number, case in enumerate(REFERENCE["tables"]):
        group = None if case["group"] is None else pd.factorize(pd.Series(case["group"]))[0]
        facet, label, predicted = (flags(case[name]) for name in ("facet", "label", "predicted"))
        contrast = count(facet, label, predicted, group)
        if metric.name == "FT" and facet.any() and not facet.all():
            contrast = replace(contrast, flips=flips(pd.DataFrame(case["features"]), facet, predicted))
        try:
            ours: float | None = value(metric, contrast)
        except ValueError:
            ours = None
        assert same(ours, None if (v := case["expected"][metric.name]) is None else float(v)), (
            number,
            ours,
            v,
        )


@pytest.mark.parametrize("case", REFERENCE["reports"], ids=lambda case: case["name"])
def test_a_whole_report_equals_smclarify(case: dict[str, Any]) -> None:
    data = pd.DataFrame(case["columns"])
    label = data.pop(case["label"])
    predicted = None if case["predicted"] is None else data.pop(case["predicted"])
    group = None if case["group"] is None else data[case["group"]]
    target = clarify.Target(label, case["positive"], predicted)
    found = clarify.bias(data, {case["facet"]: case["values"]}, target, group, intervals=None)
    assert found.label_value_or_threshold == case["label_text"]
    facets = {f.value_or_threshold: f.metrics for f in found.facets[case["facet"]]}
    assert set(facets) == {f["value_or_threshold"] for f in case["expected"]}
    for expected in case["expected"]:
        for ours, theirs in zip(facets[expected["value_or_threshold"]], expected["metrics"], strict=True):
            assert (ours["name"], ours["description"]) == (theirs["name"], theirs["description"])
            assert same(ours["value"], theirs["value"]), (ours, theirs)
