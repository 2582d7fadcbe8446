"""What a configuration asks about time series: where the series are, and how forecasts are explained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from clary.clarify.config.schema import Types, check
from clary.clarify.errors import ClarifyError, known

FORMATS = ("columns", "item_records", "timestamp_records")
DIRECTIONS = ("chronological", "anti_chronological", "bidirectional")
GRANULARITIES = ("timewise", "fine_grained")
FILLS = ("zero", "mean")
DATA = "time_series_data_config"
SHAPLEY = "asymmetric_shapley_value"
_WHERE = f"methods.{SHAPLEY}"

_DATA_KEYS: dict[str, Types] = {
    "target_time_series": (str, int),
    "item_id": (str, int),
    "timestamp": (str, int),
    "related_time_series": list,
    "static_covariates": list,
    "dataset_format": str,
}
_SHAPLEY_KEYS: dict[str, Types] = {
    "direction": str,
    "granularity": str,
    "num_samples": int,
    "baseline": (str, dict),
    "seed": int,
}
_BASELINE_KEYS: dict[str, Types] = {
    "target_time_series": str,
    "related_time_series": str,
    "static_covariates": dict,
}


@dataclass(frozen=True)
class TimeSeriesData:
    """time_series_data_config: JMESPaths into the data set, and how it is laid out."""

    target_time_series: str
    item_id: str
    timestamp: str
    dataset_format: str
    related_time_series: list[str] = field(default_factory=list)
    static_covariates: list[str] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """In the order in which `headers` names them."""
        first = [self.item_id, self.timestamp, self.target_time_series]
        return [*first, *self.related_time_series, *self.static_covariates]


@dataclass(frozen=True)
class SeriesBaseline:
    """What stands for "not known": zeros or a series' own mean, and an item's values of static covariates."""

    target_time_series: str = "zero"
    related_time_series: str = "zero"
    static_covariates: Mapping[str, list[Any]] | None = None


@dataclass(frozen=True)
class AsymmetricShapley:
    """methods.asymmetric_shapley_value, with the SDK's defaults."""

    direction: str = "chronological"
    granularity: str = "timewise"
    num_samples: int | None = None
    baseline: SeriesBaseline | str = SeriesBaseline()
    """Itself, or the path of a JSON file with it."""
    seed: int = 0
    """Of the orders that are drawn. Clary's own."""


_OTHER_KEYS = ("version", "dataset_type", "dataset_uri", "headers", DATA, "methods", "predictor")
_NO_FORECAST = ("label", "probability", "label_headers")


def check_together(config: Mapping[str, Any]) -> bool:
    """Whether time series are asked for; ClarifyError where only some of what they need is there."""
    methods, predictor = config["methods"], config.get("predictor", {})
    parts = {
        DATA: DATA in config,
        _WHERE: SHAPLEY in methods,
        "predictor.time_series_predictor_config": "time_series_predictor_config" in predictor,
    }
    if not any(parts.values()):
        return False
    for name, there in parts.items():
        if not there:
            raise ClarifyError(f"{name} is missing: explanations of time series need {', '.join(parts)}.")
    _only_series(config)
    check(predictor["time_series_predictor_config"], {"forecast": str}, list(parts)[2], ["forecast"])
    return True


def _only_series(config: Mapping[str, Any]) -> None:
    """Nothing that has no meaning for time series."""
    others = [name for name in config["methods"] if name not in (SHAPLEY, "report")]
    if others:
        raise ClarifyError(
            f"methods.{others[0]} does not go with time series: ask for it in an analysis of its own."
        )
    for key in config:
        if key not in _OTHER_KEYS:
            raise ClarifyError(f"{key} has no meaning for time series: remove it.")
    kinds = [config["dataset_type"]]
    for key, value in config["predictor"].items():
        if key in _NO_FORECAST:
            raise ClarifyError(
                f"predictor.{key} has no meaning for time series: time_series_predictor_config.forecast says "
                "where the forecast is."
            )
        kinds += [value] if key in ("content_type", "accept_type") else []
    for kind in kinds:
        if str(kind).lower() != "application/json":
            raise ClarifyError(f"Time series and their model's requests are application/json, not {kind}.")


def series_data(config: Any) -> TimeSeriesData:
    """Raises ClarifyError for a key, a type or a layout that does not fit."""
    check(config, _DATA_KEYS, DATA, ["target_time_series", "item_id", "timestamp"])
    paths = [config[key] for key in ("target_time_series", "item_id", "timestamp")]
    paths += [*config.get("related_time_series", []), *config.get("static_covariates", [])]
    for path in paths:
        if not isinstance(path, str):
            raise ClarifyError(
                f"{DATA} has the position {path!r}: the data set is JSON, so give JMESPaths, say '[*].id'."
            )
        if not path:
            raise ClarifyError(f"{DATA} has an empty path: give a JMESPath, say '[*].id'.")
    if "dataset_format" not in config:
        raise ClarifyError(f"{DATA} lacks dataset_format: it is one of {', '.join(FORMATS)}.")
    return TimeSeriesData(**{**config, "dataset_format": _one_of(config, "dataset_format", FORMATS, DATA)})


def shapley(config: Any) -> AsymmetricShapley:
    """Raises ClarifyError where the SDK would refuse the same settings."""
    check(config, _SHAPLEY_KEYS, _WHERE, [])
    found = AsymmetricShapley(
        direction=_one_of(config, "direction", DIRECTIONS, _WHERE),
        granularity=_one_of(config, "granularity", GRANULARITIES, _WHERE),
        num_samples=config.get("num_samples"),
        baseline=_baseline(config.get("baseline", {})),
        seed=config.get("seed", 0),
    )
    if not 0 <= found.seed < 2**32:
        raise ClarifyError(f"{_WHERE}.seed must be between 0 and 4294967295.")
    check_settings(found)
    return found


def check_settings(settings: AsymmetricShapley) -> None:
    """The settings themselves, and the rules between them."""
    for key, known_ones in (("direction", DIRECTIONS), ("granularity", GRANULARITIES)):
        _one_of({key: getattr(settings, key)}, key, known_ones, _WHERE)
    if settings.granularity == "fine_grained":
        if settings.num_samples is None or settings.num_samples < 1:
            raise ClarifyError(f"{_WHERE}.num_samples must be at least 1 for the granularity fine_grained.")
        if settings.direction != "chronological":
            raise ClarifyError(
                f"{_WHERE}: fine_grained explanations are chronological, not {settings.direction}; "
                "timewise ones have every direction."
            )
        return
    if settings.num_samples is not None:
        raise ClarifyError(
            f"{_WHERE}.num_samples is for fine_grained explanations: timewise ones are exact. Remove it."
        )
    static = isinstance(settings.baseline, SeriesBaseline) and settings.baseline.static_covariates
    if static:
        raise ClarifyError(
            f"{_WHERE}.baseline.static_covariates is for fine_grained explanations: timewise ones leave the "
            "static covariates as they are. Remove it."
        )


def _baseline(config: Any) -> SeriesBaseline | str:
    if isinstance(config, str):
        return config
    where = f"{_WHERE}.baseline"
    check(config, _BASELINE_KEYS, where, [])
    static = config.get("static_covariates")
    for item, values in (static or {}).items():
        if not isinstance(values, list):
            raise ClarifyError(f"{where}.static_covariates: {item!r} must have a list of values.")
    return SeriesBaseline(
        _one_of(config, "target_time_series", FILLS, where),
        _one_of(config, "related_time_series", FILLS, where),
        None if static is None else {str(item): values for item, values in static.items()},
    )


def read_baseline(settings: AsymmetricShapley) -> tuple[AsymmetricShapley, SeriesBaseline]:
    """The settings with their baseline in place, read from its file where it lies in one."""
    if isinstance(settings.baseline, SeriesBaseline):
        return settings, settings.baseline
    path = Path(settings.baseline)
    try:
        given = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ClarifyError(f"{_WHERE}.baseline: {path} is no JSON file that can be read: {error}.") from error
    baseline = _baseline(given)
    if isinstance(baseline, str):
        raise ClarifyError(f"{_WHERE}.baseline: {path} must hold an object, not text.")
    found = replace(settings, baseline=baseline)
    check_settings(found)
    return found, baseline


def _one_of(config: Mapping[str, Any], key: str, options: tuple[str, ...], where: str) -> str:
    """The value of a key, whatever its case; the first option where it is absent."""
    value = str(config.get(key, options[0])).lower()
    if value not in options:
        raise ClarifyError(f"{where}.{key} is {config[key]!r}. {known(value, options, 'values')}")
    return value
