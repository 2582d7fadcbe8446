"""analysis_config.json: what is asked, checked key by key before any work starts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from clary.clarify.config.bias import BiasSettings, bias_settings
from clary.clarify.config.images import CONTENT_TYPES as IMAGE_TYPES
from clary.clarify.config.images import ImageConfig, check_images, image_config
from clary.clarify.config.schema import (
    INTERACTIONS,
    METHODS,
    NOT_BUILT,
    PDP,
    PREDICTOR,
    REPORT,
    SHAP,
    TOP,
    Types,
    check,
    must_be_an_object,
    refuse,
)
from clary.clarify.config.segments import SegmentConfig, segment_configs
from clary.clarify.data.columns import Value
from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.metrics import POST_TRAINING, PRE_TRAINING, metrics_of
from clary.clarify.text.settings import TextConfig, text_config
from clary.clarify.time_series import settings as series

Key = str | int


@dataclass(frozen=True)
class Facet:
    name_or_index: Key
    value_or_threshold: list[Value] | None = None


@dataclass(frozen=True)
class Interactions:
    """methods.shap.interactions, Clary's own: how many pairs are told, and how they are found."""

    top_k: int = 10
    rows: int = 200
    """Of the data, evenly taken."""
    num_samples: int | None = None
    """Coalitions a row; 2m + 2048 by default."""


@dataclass(frozen=True)
class Shap:
    """Kernel SHAP's settings, with Clarify's defaults."""

    baseline: pd.DataFrame | str | list[Any] | dict[str, Any] | None = None
    num_clusters: int | None = None
    num_rows: int | None = None
    """Rows to explain, evenly chosen; None for all. Clary's own."""
    num_samples: int | None = None
    agg_method: str = "mean_abs"
    use_logit: bool = False
    seed: int | None = None
    save_local_shap_values: bool = True
    features_to_explain: list[Key] | None = None
    image_config: ImageConfig | None = None
    text_config: TextConfig | None = None
    feature_groups: Mapping[str, list[str]] = field(default_factory=dict)
    """Columns that are known or unknown together, one-hot columns say, by the group's name. Clary's own."""
    interactions: Interactions | None = None


@dataclass(frozen=True)
class PartialDependence:
    """methods.pdp: `features`, or the `top_k_features` with the largest SHAP values."""

    grid_resolution: int = 15
    features: list[Key] | None = None
    top_k_features: int = 10


@dataclass(frozen=True)
class Report:
    name: str = "report"
    title: str = "Analysis Report"


@dataclass(frozen=True)
class Predictor:
    """How to reach the model and how to talk to it."""

    model_name: str | None = None
    endpoint_name: str | None = None
    endpoint_name_prefix: str | None = None
    instance_type: str | None = None
    initial_instance_count: int | None = None
    content_type: str | None = None
    accept_type: str | None = None
    content_template: str | None = None
    record_template: str | None = None
    custom_attributes: str | None = None
    target_model: str | None = None
    label: Key | None = None
    probability: Key | None = None
    label_headers: list[Value] | None = None
    time_series_predictor_config: Mapping[str, str] | None = None


@dataclass(frozen=True)
class AnalysisConfig:
    """A valid configuration; the field names are the keys of analysis_config.json."""

    dataset_type: str
    dataset_uri: str | None = None
    headers: list[str] | None = None
    features: str | None = None
    label: Key | None = None
    label_values_or_threshold: list[Value] = field(default_factory=list)
    facet: list[Facet] = field(default_factory=list)
    facet_dataset_uri: str | None = None
    facet_headers: list[str] | None = None
    segment_config: list[SegmentConfig] = field(default_factory=list)
    group_variable: Key | None = None
    predicted_label: Key | None = None
    predicted_label_dataset_uri: str | None = None
    predicted_label_headers: list[str] | None = None
    probability_threshold: float | None = None
    excluded_columns: list[Key] = field(default_factory=list)
    joinsource_name_or_index: Key | None = None
    pre_training_bias: str | list[str] | None = None
    post_training_bias: str | list[str] | None = None
    bias: BiasSettings = field(default_factory=BiasSettings)
    shap: Shap | None = None
    pdp: PartialDependence | None = None
    time_series_data_config: series.TimeSeriesData | None = None
    asymmetric_shapley_value: series.AsymmetricShapley | None = None
    report: Report | None = None
    predictor: Predictor = Predictor()

    @property
    def has_predictions(self) -> bool:
        """Whether predicted labels come with the data."""
        return self.predicted_label is not None or self.predicted_label_dataset_uri is not None

    @property
    def images(self) -> ImageConfig | None:
        """How images are to be explained; None where the data set is a table."""
        return self.shap.image_config if self.shap else None

    @property
    def measures_bias(self) -> bool:
        return self.pre_training_bias is not None or self.post_training_bias is not None

    @property
    def needs_model(self) -> bool:
        if self.shap is not None or self.pdp is not None or self.asymmetric_shapley_value is not None:
            return True
        return self.post_training_bias is not None and not self.has_predictions


def parse(config: Mapping[str, Any]) -> AnalysisConfig:
    """Check a configuration as the SDK writes it. Raises ClarifyError that names the key and the way out."""
    must_be_an_object(config)
    refuse(config, NOT_BUILT)
    check(config, TOP, "analysis_config")
    methods = config["methods"]
    refuse(methods, NOT_BUILT, "methods.")
    check(methods, METHODS, "methods")
    top = {key: value for key, value in config.items() if key not in ("version", "methods", "predictor")}
    top["dataset_type"] = config["dataset_type"].lower()
    if series.check_together(config):
        top[series.DATA] = series.series_data(config[series.DATA])
    parsed = AnalysisConfig(
        **{
            **top,
            "label_values_or_threshold": _listed(config.get("label_values_or_threshold", [])),
            "facet": _facets(config.get("facet", [])),
            "segment_config": segment_configs(config.get("segment_config", [])),
        },
        pre_training_bias=_methods(methods, "pre_training_bias"),
        post_training_bias=_methods(methods, "post_training_bias"),
        bias=bias_settings(methods.get("bias", {})),
        shap=_shap(methods["shap"]) if "shap" in methods else None,
        pdp=_pdp(methods["pdp"]) if "pdp" in methods else None,
        asymmetric_shapley_value=series.shapley(methods[series.SHAPLEY])
        if series.SHAPLEY in methods
        else None,
        report=_report(methods["report"]) if "report" in methods else None,
        predictor=_predictor(config.get("predictor", {})),
    )
    check_images(config, parsed.images)
    _consistent(parsed)
    return parsed


def _facets(facets: Sequence[Mapping[str, Any]]) -> list[Facet]:
    """An empty list of values asks for every value, as none does."""
    types: dict[str, Types] = {"name_or_index": (str, int), "value_or_threshold": (list, int, float, str)}
    for facet in facets:
        check(facet, types, "facet", ["name_or_index"])
    return [
        Facet(facet["name_or_index"], _listed(facet.get("value_or_threshold", [])) or None)
        for facet in facets
    ]


def _listed(values: list[Value] | Value) -> list[Value]:
    """AWS's documentation shows a threshold as a plain number too."""
    return values if isinstance(values, list) else [values]


def _methods(methods: Mapping[str, Any], stage: str) -> str | list[str] | None:
    if stage not in methods:
        return None
    check(methods[stage], {"methods": (str, list)}, f"methods.{stage}", ["methods"])
    asked: str | list[str] = methods[stage]["methods"]
    metrics_of(PRE_TRAINING if stage == PRE_TRAINING else POST_TRAINING, asked)
    return asked


def _report(report: Mapping[str, Any]) -> Report:
    check(report, REPORT, "methods.report")
    name = report.get("name", Report.name)
    if not re.fullmatch(r"[\w.-]{1,100}", name) or name.startswith("."):
        raise ClarifyError(
            f"methods.report.name {name!r} becomes a file name: use letters, digits, '.', '_' and '-'."
        )
    return Report(**report)


def _shap(shap: Mapping[str, Any]) -> Shap:
    refuse(shap, NOT_BUILT, "methods.shap.")
    check(shap, SHAP, "methods.shap")
    settings = {**shap, "agg_method": shap.get("agg_method", "mean_abs").lower()}
    settings["image_config"] = image_config(shap)
    if settings["agg_method"] not in ("mean_abs", "median", "mean_sq"):
        raise ClarifyError(
            f"methods.shap.agg_method is {settings['agg_method']!r}: use mean_abs, median or mean_sq."
        )
    if "baseline" in shap and "num_clusters" in shap:
        raise ClarifyError("methods.shap has both baseline and num_clusters: keep one of them.")
    for group, names in settings.get("feature_groups", {}).items():
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise ClarifyError(f"methods.shap.feature_groups: {group!r} must be a list of feature names.")
    if settings.get("features_to_explain") == []:
        raise ClarifyError("methods.shap.features_to_explain is empty: name a feature, or leave it out.")
    if "interactions" in shap:
        settings["interactions"] = _interactions(shap["interactions"])
    for key in ("num_samples", "num_clusters", "num_rows"):
        if settings.get(key, 1) < 1:
            raise ClarifyError(f"methods.shap.{key} must be at least 1.")
    if not 0 <= settings.get("seed", 0) < 2**32:
        raise ClarifyError("methods.shap.seed must be between 0 and 4294967295.")
    if "text_config" in settings:
        settings["text_config"] = text_config(settings["text_config"])
        for key in ("features_to_explain", "num_rows"):
            if key in settings:
                raise ClarifyError(f"methods.shap.{key} cannot stand beside text_config.")
    return Shap(**settings)


def _interactions(asked: Mapping[str, Any]) -> Interactions:
    check(asked, INTERACTIONS, "methods.shap.interactions")
    for key, value in asked.items():
        if value < 1:
            raise ClarifyError(f"methods.shap.interactions.{key} must be at least 1.")
    return Interactions(**asked)


def _pdp(pdp: Mapping[str, Any]) -> PartialDependence:
    check(pdp, PDP, "methods.pdp")
    if pdp.get("features") == []:
        raise ClarifyError("methods.pdp.features is empty: name a feature, or leave it out.")
    for key in ("grid_resolution", "top_k_features"):
        if pdp.get(key, 1) < 1:
            raise ClarifyError(f"methods.pdp.{key} must be at least 1.")
    return PartialDependence(**pdp)


def _predictor(predictor: Mapping[str, Any]) -> Predictor:
    refuse(predictor, NOT_BUILT, "predictor.")
    check(predictor, PREDICTOR, "predictor")
    for key in ("content_type", "accept_type"):
        kind = predictor.get(key, "text/csv").lower()
        images = IMAGE_TYPES if key == "content_type" else ()
        if kind not in ("text/csv", "application/jsonlines", "application/json", *images):
            raise ClarifyError(
                f"predictor.{key} {kind!r} is not built in Clary: "
                "use text/csv, application/jsonlines or application/json."
            )
    prefix = predictor.get("endpoint_name_prefix")
    if prefix is not None and not re.fullmatch(PREFIX, prefix):
        raise ClarifyError(
            f"predictor.endpoint_name_prefix is {prefix!r}: use at most 23 letters and digits, with '-' "
            "between them."
        )
    template = predictor.get("content_template")
    return Predictor(**{**predictor, "content_template": _template(template)})


PREFIX = r"(?=.{1,23}$)[a-zA-Z0-9](-*[a-zA-Z0-9])*"


def _template(template: str | dict[str, str] | None) -> str | None:
    """The SDK's schema allows an object for the template; its placeholders then stand in quotes."""
    if not isinstance(template, dict):
        return template
    return re.sub(r'"(\$[a-z_]+)"', r"\1", json.dumps(template))


def _consistent(config: AnalysisConfig) -> None:
    """The rules between keys."""
    if config.asymmetric_shapley_value is not None:
        return
    if not (config.pre_training_bias or config.post_training_bias or config.shap or config.pdp):
        raise ClarifyError(
            "methods asks for nothing: add pre_training_bias, post_training_bias, shap, pdp or, for time "
            "series, asymmetric_shapley_value "
            '(for example {"pre_training_bias": {"methods": "all"}}).'
        )
    if config.measures_bias:
        for key in ("label", "label_values_or_threshold", "facet"):
            if getattr(config, key) in (None, []):
                raise ClarifyError(f"The bias metrics need {key}: add it to analysis_config.json.")
    elif config.bias != BiasSettings():
        raise ClarifyError(
            "methods.bias says how to measure bias: add pre_training_bias or post_training_bias."
        )
    _consistent_files(config)
    if config.dataset_type == "application/json" and config.features is None:
        raise ClarifyError(
            "dataset_type application/json needs features: a JMESPath to the matrix of feature values, "
            "for example instances[*].features."
        )
    threshold = config.probability_threshold
    if threshold is not None and not 0 <= threshold <= 1:
        raise ClarifyError(f"probability_threshold is {threshold}: it must be between 0 and 1.")
    if config.headers is not None and len(set(config.headers)) < len(config.headers):
        doubled = sorted({h for h in config.headers if config.headers.count(h) > 1})
        raise ClarifyError(
            f"headers has the same name twice: {', '.join(doubled)}. Give each column its own."
        )


def _consistent_files(config: AnalysisConfig) -> None:
    """The rules of data sets beside the main one."""
    if config.facet_dataset_uri is not None and config.dataset_type != "text/csv":
        raise ClarifyError(
            f"facet_dataset_uri goes with text/csv, not with {config.dataset_type}: put the facets into the "
            "data set and list them in excluded_columns."
        )
    if config.facet_headers is not None and config.facet_dataset_uri is None:
        raise ClarifyError("facet_headers names the columns of a facet data set: set facet_dataset_uri.")
