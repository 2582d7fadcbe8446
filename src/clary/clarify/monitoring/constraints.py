"""A baseline's analysis.json as Model Monitor's constraints file: what a later analysis is held against."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.metrics import POST_TRAINING, PRE_TRAINING, Stage
from clary.clarify.fairness.metrics.registry import find

STAGES: tuple[Stage, ...] = (PRE_TRAINING, POST_TRAINING)


@dataclass(frozen=True)
class Key:
    """Which metric: of which stage, facet and facet value."""

    stage: Stage
    facet: str
    facet_value: str
    metric: str

    @property
    def asked(self) -> str:
        """The facet's value or threshold as a configuration has it."""
        return self.facet_value.removeprefix("> ")


@dataclass(frozen=True)
class Measured:
    """What an analysis.json says of one metric."""

    value: float | None
    error: str = ""
    interval: tuple[float, float] | None = None
    standard_error: float | None = None
    confidence: float = 0.95


@dataclass(frozen=True)
class Measures:
    """The parts of an analysis.json that drift: bias metrics, and global SHAP values by model output."""

    bias: Mapping[Key, Measured] = field(default_factory=dict)
    labels: Mapping[Stage, tuple[str, str]] = field(default_factory=dict)
    """Of each stage: the label column, and its positive value or threshold."""
    attributions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def load(path: Path) -> dict[str, Any]:
    """The document in a constraints file; ClarifyError where it is none."""
    if not path.is_file():
        raise ClarifyError(f"There is no constraints file at {path}: give the analysis.json of a baseline.")
    try:
        document = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ClarifyError(f"The constraints file {path.name} is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise ClarifyError(f"The constraints file {path.name} must hold a JSON object.")
    return document


def is_analysis(document: Mapping[str, Any]) -> bool:
    """Whether a document is an analysis.json, and not a configuration."""
    return "methods" not in document and any(name in document for name in _SECTIONS)


_SECTIONS = (*(f"{stage}_metrics" for stage in STAGES), "explanations")


def measures(document: Mapping[str, Any], what: str) -> Measures:
    """What there is to compare in an analysis.json, which errors call `what`."""
    try:
        found = Measures(
            {key: measured for stage in STAGES for key, measured in _bias(document, stage)},
            {
                stage: _label(document[f"{stage}_metrics"])
                for stage in STAGES
                if f"{stage}_metrics" in document
            },
            _attributions(document),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ClarifyError(
            f"{what} is not laid out as analysis.json ({type(error).__name__}: {error}): give the "
            "analysis.json that a baselining job wrote."
        ) from error
    if not found.bias and not found.attributions:
        raise ClarifyError(
            f"{what} has neither bias metrics nor global SHAP values: there is nothing to hold a batch "
            "against. Give the analysis.json that a baselining job wrote."
        )
    return found


def _bias(document: Mapping[str, Any], stage: Stage) -> Iterator[tuple[Key, Measured]]:
    section = document.get(f"{stage}_metrics", {})
    confidence = float(section.get("intervals", {}).get("confidence", 0.95))
    for facet, entries in section.get("facets", {}).items():
        for entry in entries:
            for record in entry["metrics"]:
                name = find(record["name"]).name
                key = Key(stage, facet, selected(str(entry["value_or_threshold"])), name)
                yield key, _measured(record, confidence)


def _measured(record: Mapping[str, Any], confidence: float) -> Measured:
    value, ends = record["value"], record.get("confidence_interval")
    number = None if value is None or math.isnan(float(value)) else float(value)
    return Measured(
        number,
        str(record.get("error", "")),
        None if ends is None else (float(ends[0]), float(ends[1])),
        record.get("standard_error"),
        confidence,
    )


def _label(section: Mapping[str, Any]) -> tuple[str, str]:
    return str(section["label"]), selected(str(section["label_value_or_threshold"]))


def selected(text: str) -> str:
    """What chooses the rows: `(40.0, 90.0]` ends at the largest value there is, so it is `> 40`."""
    found = re.fullmatch(r"\((-?[\d.e+-]+), -?[\d.e+-]+\]", text)
    return f"> {float(found[1]):.12g}" if found else text


def _attributions(document: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    outputs = document.get("explanations", {}).get("kernel_shap", {})
    return {
        str(name): {str(feature): float(value) for feature, value in found["global_shap_values"].items()}
        for name, found in outputs.items()
    }
