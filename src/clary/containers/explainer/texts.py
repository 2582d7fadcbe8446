"""TextConfig and FeatureTypes: which features are text, and how a text is cut into units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clary.clarify import ClarifyError
from clary.clarify.text.languages import code
from clary.clarify.text.shap import MOST_UNITS
from clary.clarify.text.units import Cut, Unit, cutter, units
from clary.containers.inference.invocation import CannotServe

TEXT, NUMBER = "text", "numerical"


@dataclass(frozen=True)
class TextSettings:
    types: Sequence[str]
    """numerical, categorical or text, for each feature."""
    cut: Cut

    def units(self, feature: int, value: Any) -> list[Unit] | None:
        """None for a feature that is no text."""
        if self.types[feature] != TEXT:
            return None
        most = max(1, MOST_UNITS // self.types.count(TEXT))
        return units("" if value is None else str(value), self.cut, most)


def text_settings(
    config: Mapping[str, Any] | None, types: Sequence[str] | None, baseline: Sequence[Sequence[Any]]
) -> TextSettings | None:
    """None without TextConfig. Without FeatureTypes a feature is text where its baseline is no number."""
    if config is None:
        return None
    width = len(baseline[0])
    if types is not None and len(types) != width:
        raise CannotServe(
            f"FeatureTypes has {len(types)} types, but a record of the SHAP baseline has {width} features"
        )
    found = types or [NUMBER if all(_is_number(row[f]) for row in baseline) else TEXT for f in range(width)]
    if TEXT not in found:
        raise CannotServe(
            "TextConfig is given, but every feature of the SHAP baseline is a number: name the text in "
            "FeatureTypes, or leave TextConfig out"
        )
    try:
        return TextSettings(found, cutter(config["Granularity"], code(config["Language"])))
    except ClarifyError as error:
        raise CannotServe(f"TextConfig: {error}") from error


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
