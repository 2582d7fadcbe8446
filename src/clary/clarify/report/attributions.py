"""The report's section on SHAP values: global importance, every row, dependence, and single rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from clary.clarify.findings import Findings
from clary.clarify.report import words
from clary.clarify.report.charts import SHOWN_FEATURES, importance, swarm
from clary.clarify.report.drawing import picture
from clary.clarify.report.scatter import Scatter, scatters
from clary.clarify.report.waterfall import Waterfall, waterfalls
from clary.clarify.shap.explanation import Explanation

MOST_OUTPUTS = 6
"""Outputs whose importance is shown; of more, the ones with the most of it."""

METHODS = {
    "kernel_shap": "Kernel SHAP.",
    "tree_shap": "Shapley values, read exactly from the model's trees.",
}

AGGREGATED = {"mean_abs": "mean absolute", "median": "median", "mean_sq": "mean squared"}


def section(findings: Findings) -> dict[str, Any] | None:
    """All about the explanation; None without one."""
    explanation = findings.explanation
    if explanation is None:
        return None
    shown = outputs_shown(explanation)
    chief = shown[0]
    several = len(explanation.outputs) > 1
    return {
        "method": METHODS[explanation.method],
        "score": "logit of the score" if findings.config.shap and findings.config.shap.use_logit else "score",
        "outputs": [_output(explanation, k, several) for k in sorted(shown)],
        "left_out": [o for k, o in enumerate(explanation.outputs) if k not in shown],
        "of": f" for {explanation.outputs[chief]}" if several else "",
        "scatters": [_scatter(s) for s in scatters(explanation, chief)],
        "waterfalls": [_waterfall(w) for w in waterfalls(explanation, chief, _threshold(findings))],
        "aggregated": AGGREGATED[explanation.agg_method],
        "rows": len(explanation.features),
        "hidden": max(0, explanation.features.shape[1] - SHOWN_FEATURES),
        "efficiency": efficiency(explanation),
        "error": _error(explanation),
        "baseline": _baseline(explanation),
    }


def _threshold(findings: Findings) -> float | None:
    """The score from which a row is predicted positive, where scores are probabilities."""
    config = findings.config
    if config.post_training_bias is None or config.shap is None or config.shap.use_logit:
        return None
    return 0.5 if config.probability_threshold is None else config.probability_threshold


def outputs_shown(explanation: Explanation) -> list[int]:
    """The outputs to show, the chief one first: the last of two, else the one with the most importance."""
    if len(explanation.outputs) == 2:
        return [1, 0]
    weight = np.abs(explanation.global_values).sum(axis=0)
    return [int(k) for k in np.argsort(-weight, kind="stable")[:MOST_OUTPUTS]]


def _output(explanation: Explanation, k: int, several: bool) -> dict[str, Any]:
    found = swarm(explanation, k)
    return {
        "name": explanation.outputs[k] if several else "",
        "expected": words.plain(float(explanation.expected[k])),
        "bars": importance(explanation, k),
        "swarm": picture("swarm", found),
        "swarm_rows": found.rows,
    }


def _scatter(found: Scatter) -> dict[str, Any]:
    told = (
        f"{words.percent(found.explained, 0)} of the spread at equal values of {found.name}"
        if found.partner
        else ""
    )
    return {
        "name": found.name,
        "partner": found.partner,
        "told": told,
        "key": found.key,
        "svg": picture("scatter", found),
    }


def _waterfall(found: Waterfall) -> dict[str, Any]:
    doubt = f" ± {words.rough(found.error)}" if found.error else ""
    return {
        "why": found.why,
        "row": found.row,
        "told": f"{words.plain(found.expected)} → {words.plain(found.score)}{doubt}",
        "svg": picture("waterfall", found),
    }


def efficiency(explanation: Explanation) -> str:
    """One line on the efficiency axiom: whether every row's values add up to its score."""
    gap = explanation.efficiency_gap
    size = "less than 10⁻⁹" if gap < 1e-9 else f"at most {words.plain(gap)}"
    return (
        f"Efficiency: for every row the baseline's score and the SHAP values add up to the row's score; "
        f"the largest difference is {size}."
    )


def _error(explanation: Explanation) -> str:
    known = explanation.errors[np.isfinite(explanation.errors)]
    if not known.size:
        return "Too few coalitions were drawn to tell how exact the values are: raise num_samples."
    if not known.max():
        return "All coalitions were asked (or trees were read): the values are exact."
    return (
        f"The values are estimates from the coalitions that were drawn: a value's standard error is "
        f"{words.plain(float(known.mean()))} on average and {words.plain(float(known.max()))} at most."
    )


def _baseline(explanation: Explanation) -> dict[str, Any]:
    shown = explanation.baseline.head(5)
    lines = [(str(name), [_text(v) for v in shown[name]]) for name in shown.columns]
    return {"lines": lines[:40], "more": max(0, len(lines) - 40), "count": len(explanation.baseline)}


def _text(value: Any) -> str:
    return words.plain(float(value)) if isinstance(value, float | np.floating) else str(value)
