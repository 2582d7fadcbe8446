"""methods.bias of analysis_config.json: what is asked beyond Clarify's own keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clary.clarify.config.schema import Types, check
from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.group_sizes import MINIMUM
from clary.clarify.fairness.intervals import THOUSAND, Intervals

KEYS: dict[str, Types] = {
    "intersections": list,
    "weights": (str, int),
    "quantities": list,
    "replicates": int,
    "confidence": (float, int),
    "seed": int,
    "minimum_group_size": int,
    "mitigation": bool,
}


@dataclass(frozen=True)
class BiasSettings:
    """Clary's own settings of the bias metrics; everything is measured without them too."""

    intersections: list[list[str]] | None = None
    """Facets to cross; None crosses every two of them."""
    weights: str | int | None = None
    """The column of the rows' sample weights."""
    quantities: tuple[str, ...] = ()
    """Integer columns that have a threshold however few of their values differ."""
    intervals: Intervals | None = THOUSAND
    minimum_group_size: int = MINIMUM
    mitigation: bool = True


def bias_settings(settings: Mapping[str, Any]) -> BiasSettings:
    """Check methods.bias. `replicates` of 0 leaves intervals out."""
    check(settings, KEYS, "methods.bias", [])
    for names in settings.get("intersections", []):
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ClarifyError("methods.bias.intersections must be a list of lists of facet names.")
    if settings.get("minimum_group_size", MINIMUM) < 0:
        raise ClarifyError("methods.bias.minimum_group_size must not be below 0.")
    quantities = settings.get("quantities", [])
    if not all(isinstance(name, str) for name in quantities):
        raise ClarifyError("methods.bias.quantities must be a list of column names.")
    how = {key: settings[key] for key in ("replicates", "confidence", "seed") if key in settings}
    return BiasSettings(
        settings.get("intersections"),
        settings.get("weights"),
        tuple(quantities),
        None if how.get("replicates") == 0 else Intervals(**how),
        settings.get("minimum_group_size", MINIMUM),
        settings.get("mitigation", True),
    )
