"""The keys of analysis_config.json, their types, and the ones that Clary refuses, each with the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.clarify.errors import ClarifyError, known

Types = type | tuple[type, ...]

IMAGES = "application/x-image"
TABLES = (
    "text/csv", "application/jsonlines", "application/json", "application/x-parquet",
    "application/sagemakercapturejson",
)  # fmt: skip

_KEY = (str, int)

TOP: dict[str, Types] = {
    "version": str,
    "dataset_type": str,
    "dataset_uri": str,
    "headers": list,
    "features": str,
    "label": _KEY,
    "label_values_or_threshold": (list, int, float, str),
    "facet": list,
    "facet_dataset_uri": str,
    "facet_headers": list,
    "segment_config": list,
    "group_variable": _KEY,
    "predicted_label": _KEY,
    "predicted_label_dataset_uri": str,
    "predicted_label_headers": list,
    "probability_threshold": (float, int),
    "excluded_columns": list,
    "joinsource_name_or_index": _KEY,
    "time_series_data_config": dict,
    "methods": dict,
    "predictor": dict,
}

METHODS: dict[str, Types] = {
    "pre_training_bias": dict,
    "post_training_bias": dict,
    "bias": dict,
    "shap": dict,
    "pdp": dict,
    "asymmetric_shapley_value": dict,
    "report": dict,
}

SHAP: dict[str, Types] = {
    "baseline": (str, list, dict),
    "num_clusters": int,
    "num_rows": int,
    "num_samples": int,
    "agg_method": str,
    "use_logit": bool,
    "seed": int,
    "save_local_shap_values": bool,
    "features_to_explain": list,
    "image_config": dict,
    "feature_groups": dict,
    "interactions": dict,
    "text_config": dict,
}

INTERACTIONS: dict[str, Types] = {"top_k": int, "rows": int, "num_samples": int}

PDP: dict[str, Types] = {"grid_resolution": int, "features": list, "top_k_features": int}

REPORT: dict[str, Types] = {"name": str, "title": str}

PREDICTOR: dict[str, Types] = {
    "model_name": str,
    "endpoint_name": str,
    "endpoint_name_prefix": str,
    "instance_type": str,
    "initial_instance_count": int,
    "content_type": str,
    "accept_type": str,
    "content_template": (str, dict),
    "record_template": str,
    "custom_attributes": str,
    "target_model": str,
    "label": _KEY,
    "probability": _KEY,
    "label_headers": list,
    "time_series_predictor_config": dict,
}

NOT_BUILT: dict[str, str] = {
    "predictor.accelerator_type": "remove it: the model runs on this machine",
}


def refuse(config: Mapping[str, Any], not_built: Mapping[str, str], prefix: str = "") -> None:
    """Refuse by name what Clarify has and Clary has not."""
    for key in config:
        if prefix + key in not_built:
            raise ClarifyError(f"{prefix}{key} is not built in Clary: {not_built[prefix + key]}.")


def must_be_an_object(config: Any, where: str = "analysis_config") -> None:
    if not isinstance(config, Mapping):
        raise ClarifyError(f"{where} must be a JSON object, not {type(config).__name__}.")


def check(config: Any, types: Mapping[str, Types], where: str, required: Sequence[str] | None = None) -> None:
    """Every key is known and has its type; `required` ones are there (by default `REQUIRED[where]`)."""
    must_be_an_object(config, where)
    for key, value in config.items():
        if key not in types:
            raise ClarifyError(f"{where} has no key {key!r}. {known(key, types, 'keys')}")
        _check_type(value, types[key], f"{where}.{key}")
    for key in REQUIRED.get(where, []) if required is None else required:
        if key not in config:
            raise ClarifyError(f"{where} lacks {key}: add it.")
    if where == "analysis_config":
        _check_top(config)


REQUIRED = {"analysis_config": ["dataset_type", "methods"]}

_ITEMS: dict[str, Types] = {
    "analysis_config.headers": str,
    "analysis_config.predicted_label_headers": str,
    "analysis_config.excluded_columns": _KEY,
    "analysis_config.label_values_or_threshold": (int, float, str),
    "analysis_config.facet": dict,
    "analysis_config.facet_headers": str,
    "analysis_config.segment_config": dict,
    "segment_config.display_aliases": str,
    "facet.value_or_threshold": (int, float, str),
    "methods.shap.features_to_explain": _KEY,
    "methods.pdp.features": _KEY,
    "predictor.label_headers": (int, float, str),
}


def _check_type(value: Any, types: Types, where: str) -> None:
    allowed = types if isinstance(types, tuple) else (types,)
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        wanted = " or ".join(_WORDS[t] for t in allowed)
        raise ClarifyError(f"{where} must be {wanted}, not {value!r:.80}.")
    if where in _ITEMS and isinstance(value, list):
        for item in value:
            _check_type_of_item(item, _ITEMS[where], where)


def _check_type_of_item(item: Any, types: Types, where: str) -> None:
    if not isinstance(item, types):
        allowed = types if isinstance(types, tuple) else (types,)
        raise ClarifyError(
            f"Each item of {where} must be {' or '.join(_WORDS[t] for t in allowed)}, not {item!r:.80}."
        )


_WORDS: dict[type, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


def _check_top(config: Mapping[str, Any]) -> None:
    if config.get("version", "1.0") != "1.0":
        raise ClarifyError(f"version is {config['version']!r}: only 1.0 exists.")
    kind = config["dataset_type"].lower()
    if kind not in (*TABLES, IMAGES):
        raise ClarifyError(f"dataset_type {kind!r} does not exist. {known(kind, (*TABLES, IMAGES), 'types')}")
