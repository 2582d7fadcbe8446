"""ExplainerConfig of an endpoint configuration: what the worker could not start with is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.wire.errors import validation
from clary.wire.expression import problem

MIME_TYPES = ("text/csv", "application/jsonlines", "application/json")
FEATURES = "$features"


def check(what: str, asked: Mapping[str, Any]) -> None:
    """AwsError for the first member that cannot be honoured; nothing to check where there is no explainer."""
    config = asked.get("ClarifyExplainerConfig")
    if config is None:
        return
    inference = config.get("InferenceConfig") or {}
    _check_expressions(what, config, inference)
    _check_baseline(what, config["ShapConfig"]["ShapBaselineConfig"])
    template = inference.get("ContentTemplate")
    if template is not None and template.count(FEATURES) != 1:
        raise validation(f"{what}: ContentTemplate must hold {FEATURES} once: {template!r}")
    types = inference.get("FeatureTypes")
    if types is not None and "text" not in types:
        raise validation(f"{what}: FeatureTypes needs at least one 'text'; leave it out where there is none")
    if types is not None and not config["ShapConfig"].get("TextConfig"):
        raise validation(f"{what}: FeatureTypes has 'text', so ShapConfig needs TextConfig")


def _check_expressions(what: str, config: Mapping[str, Any], inference: Mapping[str, Any]) -> None:
    expressions = {
        "EnableExplanations": config.get("EnableExplanations"),
        **{
            name: inference.get(name)
            for name in ("FeaturesAttribute", "ProbabilityAttribute", "LabelAttribute")
        },
    }
    for name, expression in expressions.items():
        why = None if expression is None else problem(expression)
        if why is not None:
            raise validation(f"{what}: {name} {expression!r} is not a JMESPath: {why}")


def _check_baseline(what: str, baseline: Mapping[str, Any]) -> None:
    if ("ShapBaseline" in baseline) == ("ShapBaselineUri" in baseline):
        raise validation(f"{what}: ShapBaselineConfig needs ShapBaseline or ShapBaselineUri, and not both")
    uri = baseline.get("ShapBaselineUri")
    if uri is not None and not uri.startswith("s3://"):
        raise validation(f"{what}: ShapBaselineUri must be of the form s3://bucket/key: {uri!r}")
    kind = baseline.get("MimeType") or MIME_TYPES[0]
    if kind not in MIME_TYPES:
        raise validation(
            f"{what}: MimeType of the SHAP baseline must be one of {', '.join(MIME_TYPES)}: {kind}"
        )
