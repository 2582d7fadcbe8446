"""A program for the environment of the SageMaker SDK: its schema's keys and configurations of its objects.

Prints one JSON document: `keys` is every key that ANALYSIS_CONFIG_SCHEMA_V1_0 has, as a path with dots;
`configs` is what the SDK's own objects make of all their options, each one accepted by the schema.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from sagemaker import clarify
from schema import And, Optional, Or, Schema


def keys(node: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The keys below a node of the schema, whatever its alternatives."""
    if isinstance(node, Schema):
        node = node.schema
    if isinstance(node, dict):
        for key, value in node.items():
            name = key.schema if isinstance(key, Optional) else key
            if isinstance(name, str):
                yield ".".join((*path, name))
                yield from keys(value, (*path, name))
    elif isinstance(node, list):
        for item in node:
            yield from keys(item, path)
    elif isinstance(node, Or | And):
        for item in node.args:
            yield from keys(item, path)


HEADERS = ["id", "age", "sex", "hours", "income", "guess"]
SEGMENTS = [
    clarify.SegmentationConfig("age", [["[20, 40)"], ["[40, 60]", "(70, 80]"]]),
    clarify.SegmentationConfig(2, [["f"]], "by sex", ["women", "others"]),
]
DATA: list[dict[str, Any]] = [
    {"label": "income", "headers": HEADERS},
    {"label": 4, "headers": HEADERS, "joinsource": 0, "excluded_columns": [5]},
    {"label": "income", "joinsource": "id", "excluded_columns": ["id", "guess"]},
    {"label": "income", "predicted_label": "guess", "segmentation_config": SEGMENTS},
    {
        "label": "income",
        "joinsource": "id",
        "facet_dataset_uri": "s3://b/facets.csv",
        "facet_headers": ["id", "sex"],
        "predicted_label_dataset_uri": "s3://b/guess.csv",
        "predicted_label_headers": ["id", "guess"],
        "predicted_label": "guess",
    },
    {"label": "income", "dataset_type": "application/x-parquet"},
    {"label": "target", "features": "features", "dataset_type": "application/jsonlines", "headers": HEADERS},
    {"label": "[*].y", "features": "[*].x", "dataset_type": "application/json"},
]
JSON = {
    "content_type": "application/json",
    "content_template": '{"instances": $records}',
    "record_template": "$features",
}
NEW = {"model_name": "m", "instance_type": "ml.m5.large", "instance_count": 1}
MODELS: list[dict[str, Any]] = [
    {**NEW, "content_type": "text/csv", "accept_type": "text/csv"},
    {**NEW, **JSON, "accept_type": "application/jsonlines", "endpoint_name_prefix": "my-shadow"},
    {**NEW, "target_model": "a.tar.gz", "custom_attributes": "trace", "content_type": "text/csv"},
    {
        "endpoint_name": "e",
        "content_type": "application/jsonlines",
        "content_template": '{"features": $features}',
        "accept_type": "application/json",
    },
]
LABELS: list[dict[str, Any] | None] = [
    None,
    {"label": 0, "probability": 1, "probability_threshold": 0.8},
    {"label": "predictions", "probability": "scores", "label_headers": ["no", "yes"]},
]
BIAS: list[dict[str, Any]] = [
    {"label_values_or_threshold": [1], "facet_name": "sex", "facet_values_or_threshold": ["f"]},
    {"label_values_or_threshold": ["a", "b"], "facet_name": ["sex", "age"], "group_name": "hours"},
    {
        "label_values_or_threshold": [0.5],
        "facet_name": [2, 1],
        "facet_values_or_threshold": [["f"], [40]],
        "group_name": 3,
    },
]
SHAP: list[dict[str, Any]] = [
    {},
    {"baseline": [[1, "f", None, 2.5]], "num_samples": 10, "agg_method": "mean_sq", "seed": 3},
    {"baseline": "s3://b/base.csv", "use_logit": True, "agg_method": "median"},
    {"baseline": [{"features": [1, 2]}], "save_local_shap_values": False, "agg_method": "mean_abs"},
    {"baseline": {"instances": [{"features": [1, 2]}]}},
    {"num_clusters": 4, "features_to_explain": ["age", 2]},
]
PDP: list[dict[str, Any]] = [
    {"features": ["age", 2], "grid_resolution": 5, "top_k_features": 3},
    {"features": ["age"]},
]


def configs() -> Iterator[dict[str, Any]]:
    made = clarify._AnalysisConfigGenerator
    for data, model, label, bias, shap, pdp in combinations():
        data_config = clarify.DataConfig(s3_data_input_path="s3://b/d", s3_output_path="s3://b/o", **data)
        model_config = clarify.ModelConfig(**model)
        labels = None if label is None else clarify.ModelPredictedLabelConfig(**label)
        bias_config = clarify.BiasConfig(**bias)
        methods = [clarify.SHAPConfig(**shap), clarify.PDPConfig(**pdp)]
        yield made.bias_pre_training(data_config, bias_config, ["CI", "DPL"])
        yield made.bias_post_training(data_config, bias_config, labels, "all", model_config)
        yield made.bias(data_config, bias_config, model_config, labels)
        yield made.bias_and_explainability(data_config, model_config, labels, methods, bias_config)
        yield made.explainability(data_config, model_config, labels, methods[0])
        yield made.explainability(data_config, model_config, labels, methods[1])


def combinations() -> Iterator[tuple[Any, ...]]:
    """Every option of every object at least once, each with several of the others."""
    lists = (DATA, MODELS, LABELS, BIAS, SHAP, PDP)
    for start in range(max(map(len, lists))):
        for shift in (0, 1):
            yield tuple(
                next(itertools.islice(itertools.cycle(options), start * (1 + shift * i), None))
                for i, options in enumerate(lists)
            )


def main() -> None:
    found = [clarify.ANALYSIS_CONFIG_SCHEMA_V1_0.validate(config) for config in configs()]
    print(json.dumps({"keys": sorted(set(keys(clarify.ANALYSIS_CONFIG_SCHEMA_V1_0))), "configs": found}))


if __name__ == "__main__":
    main()
