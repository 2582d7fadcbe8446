"""A new analysis held against a baseline's: every comparison, and Model Monitor's list of violations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clary.clarify.errors import ClarifyError, known
from clary.clarify.fairness.metrics.registry import in_json
from clary.clarify.monitoring.attribution_drift import THRESHOLD, AttributionDrift, attribution_drift
from clary.clarify.monitoring.bias_drift import BiasDrift, bias_drift
from clary.clarify.monitoring.constraints import Key, Measures, measures


@dataclass(frozen=True)
class Unchecked:
    """A constraint that could not be checked, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class Drift:
    """Everything that was compared."""

    bias: Sequence[BiasDrift] = ()
    attributions: Sequence[AttributionDrift] = ()
    unchecked: Sequence[Unchecked] = field(default=())

    @property
    def violations(self) -> list[dict[str, str]]:
        """Model Monitor's entries."""
        found = [_bias_violation(item) for item in self.bias if item.violates]
        return found + [_attribution_violation(item) for item in self.attributions if item.violates]

    @property
    def exit_message(self) -> str:
        """What a monitoring job says at its end."""
        number = len(self.violations)
        if number:
            return f"CompletedWithViolations: Job completed successfully with {number} violations."
        return "Completed: Job completed successfully with no violations."

    def in_json(self) -> dict[str, Any]:
        """constraint_violations.json: Model Monitor's members, then Clary's."""
        return {
            "version": "1.0",
            "violations": self.violations,
            "unchecked": [{"constraint": item.what, "reason": item.reason} for item in self.unchecked],
            "checked": {
                "bias": [item.in_json() for item in self.bias],
                "attributions": [item.in_json() for item in self.attributions],
            },
        }


def compare(constraints: Mapping[str, Any], analysis: Mapping[str, Any]) -> Drift:
    """Hold an analysis.json against a baseline's (both as documents).

    ClarifyError where they are of different labels, facets or outputs, or have nothing in common.
    """
    then, now = measures(constraints, "The constraints file"), measures(analysis, "The new analysis")
    _same_labels(then, now)
    _same_facets(then, now)
    bias, bias_unchecked = _bias(then, now)
    attributions, attributions_unchecked = _attributions(then, now)
    unchecked = [*bias_unchecked, *attributions_unchecked]
    if not bias and not attributions:
        reasons = "; ".join(f"{item.what}: {item.reason}" for item in unchecked[:3])
        raise ClarifyError(f"None of the constraints can be checked by this analysis. {reasons}")
    return Drift(bias, attributions, unchecked)


def _same_labels(then: Measures, now: Measures) -> None:
    for stage, (label, positive) in then.labels.items():
        if stage in now.labels and now.labels[stage] != (label, positive):
            other, chosen = now.labels[stage]
            raise ClarifyError(
                f"The constraints are of the label {label!r} with the positive value {positive}, but the "
                f"analysis is of {other!r} with {chosen}: use the baseline of this label."
            )


def _same_facets(then: Measures, now: Measures) -> None:
    """Every facet of a stage that both measured is there, cut in the same way."""
    stages = {key.stage for key in now.bias}
    values: dict[str, set[str]] = {}
    for key in now.bias:
        values.setdefault(key.facet, set()).add(key.facet_value)
    for key in then.bias:
        if key.stage in stages and key.facet not in values:
            raise ClarifyError(
                f"The constraints are of the facet {key.facet!r}, which the analysis does not measure. "
                f"{known(key.facet, values, 'measured facets')}"
            )
        other = _cut_otherwise(key.facet_value)
        if key.stage in stages and other in values[key.facet] and key.facet_value not in values[key.facet]:
            raise ClarifyError(
                f"The facet {key.facet!r} is {key.facet_value} in the constraints and {other} in the "
                "analysis: fewer than 5 % of the integers differ in one of them, so that they are categories "
                f"there. Name {key.facet!r} in methods.bias.quantities, for the baseline too."
            )


def _cut_otherwise(value: str) -> str:
    """A threshold as a category, and the other way round."""
    return value.removeprefix("> ") if value.startswith("> ") else f"> {value}"


def _bias(then: Measures, now: Measures) -> tuple[list[BiasDrift], list[Unchecked]]:
    compared, unchecked = [], []
    for key, measured in then.bias.items():
        live = now.bias.get(key)
        if measured.value is None:
            continue  # the baseline constrains nothing
        if live is None:
            unchecked.append(Unchecked(_named(key), _absent(key, now)))
        elif live.value is None:
            unchecked.append(Unchecked(_named(key), f"this batch has no value. {live.error}".rstrip(". ")))
        else:
            compared.append(bias_drift(key, (measured.value, measured), (live.value, live)))
    return compared, unchecked


def _absent(key: Key, now: Measures) -> str:
    facets = {(k.stage, k.facet, k.facet_value) for k in now.bias}
    measured = (key.stage, key.facet, key.facet_value) in facets
    if measured or key.stage not in {stage for stage, *_ in facets}:
        return "the analysis does not measure it"
    return f"the analysis has no {key.facet} = {key.facet_value}"


def _named(key: Key) -> str:
    return f"{key.metric} of {key.facet} = {key.facet_value}"


def _attributions(then: Measures, now: Measures) -> tuple[list[AttributionDrift], list[Unchecked]]:
    compared, unchecked = [], []
    for label, values in then.attributions.items():
        if not now.attributions:
            unchecked.append(Unchecked(f"SHAP of {label}", "the analysis has no SHAP values"))
            continue
        found = attribution_drift(label, values, _live(label, values, now))
        if found is None:
            unchecked.append(Unchecked(f"SHAP of {label}", "the baseline's values are all 0: no ranking"))
        else:
            compared.append(found)
    return compared, unchecked


def _live(label: str, values: Mapping[str, float], now: Measures) -> Mapping[str, float]:
    if label not in now.attributions:
        raise ClarifyError(
            f"The constraints have SHAP values of {label!r}, which the analysis has not. "
            f"{known(label, now.attributions, 'explained outputs')}"
        )
    live = now.attributions[label]
    if not set(values) & set(live):
        raise ClarifyError(
            f"The constraints and the analysis have no feature of {label!r} in common: "
            f"{', '.join(list(values)[:5])} against {', '.join(list(live)[:5])}. Use this model's baseline."
        )
    return live


def _bias_violation(item: BiasDrift) -> dict[str, str]:
    return {
        "facet": item.key.facet,
        "facet_value": item.key.asked,
        "metric_name": item.key.metric,
        "constraint_check_type": "bias_drift_check",
        "description": f"Value {in_json(item.now)} does not meet the constraint requirement",
    }


def _attribution_violation(item: AttributionDrift) -> dict[str, str]:
    return {
        "label": item.label,
        "metric_name": "shap",
        "constraint_check_type": "feature_attribution_drift_check",
        "description": f"Feature attribution drift {item.ndcg} exceeds threshold {THRESHOLD}",
    }
