"""The SDK's own schema and objects: every key is honoured or refused by name, every configuration is read."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from clary import clarify
from clary.clarify.config.analysis import parse

PYTHON = Path(__file__).parents[2] / ".venvs" / "sagemaker-v2" / "bin" / "python"
LISTS = ("facet", "segment_config")
BASE = {
    "dataset_type": "text/csv",
    "label": "y",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "s"}],
    "methods": {"pre_training_bias": {"methods": "all"}},
}


@pytest.fixture(scope="module")
def sdk() -> dict[str, Any]:
    if not PYTHON.exists():
        pytest.skip("make .venvs/sagemaker-v2/.installed")
    script = Path(__file__).with_name("sdk_configs.py")
    done = subprocess.run([PYTHON, script], capture_output=True, text=True, check=True, timeout=120)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def with_nothing_at(path: list[str]) -> dict[str, Any]:
    """A configuration whose key at a path is null, which no key may be."""
    value: Any = None
    for name in reversed(path):
        value = {name: value}
        if name in LISTS and value[name] is not None:
            value = {name: [value[name]]}
    merged = {**BASE, **value}
    if path[0] == "methods" and len(path) > 1:
        merged["methods"] = {**BASE["methods"], **value["methods"]}  # type: ignore[dict-item]
    return merged


def test_no_key_of_the_schema_is_unknown_or_passed_over(sdk: dict[str, Any]) -> None:
    assert len(sdk["keys"]) > 80
    for key in sdk["keys"]:
        path = key.split(".")
        with pytest.raises(clarify.ClarifyError) as told:
            parse(with_nothing_at(path))
        assert "has no key" not in str(told.value), (key, str(told.value))
        assert any(name in str(told.value) for name in path), (key, str(told.value))


def test_what_the_sdks_objects_make_is_read(sdk: dict[str, Any]) -> None:
    assert len(sdk["configs"]) > 90
    for config in sdk["configs"]:
        parsed = parse(config)
        assert parsed.dataset_type == config["dataset_type"]


@pytest.mark.parametrize(
    ("change", "means"),
    [
        ({"label_values_or_threshold": 0.5}, lambda c: c.label_values_or_threshold == [0.5]),
        ({"facet": [{"name_or_index": "s", "value_or_threshold": 3}]},
         lambda c: c.facet[0].value_or_threshold == [3]),
        ({"facet": [{"name_or_index": "s", "value_or_threshold": []}]},
         lambda c: c.facet[0].value_or_threshold is None),
        ({"predictor": {"endpoint_name": "e", "model_name": "m"}},
         lambda c: c.predictor.endpoint_name == "e"),
        ({"predictor": {"content_template": {"rows": "$features"}}},
         lambda c: c.predictor.content_template == '{"rows": $features}'),
    ],
)  # fmt: skip
def test_what_awss_documentation_shows_beside_the_schema(change: dict[str, Any], means: Any) -> None:
    assert means(parse({**BASE, **change}))


@pytest.mark.parametrize("prefix", ["-a", "a-", "a b", "", "a" * 24])
def test_a_bad_endpoint_prefix_is_refused_before_the_endpoint(prefix: str) -> None:
    with pytest.raises(clarify.ClarifyError, match="at most 23"):
        parse({**BASE, "predictor": {"model_name": "m", "endpoint_name_prefix": prefix}})
