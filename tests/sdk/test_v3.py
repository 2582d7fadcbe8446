"""The sagemaker SDK 3, unchanged: ModelTrainer, processors, resource classes, ModelBuilder."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from running import Clary
from sdk.script import Script
from sdk.test_v2 import trained

pytestmark = pytest.mark.timeout(600)
Scripts = dict[str, Script]


def test_model_trainer_trains_with_its_log_and_its_metrics(
    scripts: Scripts, watched: Clary, tables: Path
) -> None:
    script = scripts["v3_train"]
    printed = script.end()
    assert script.told("role") == watched.role
    assert script.told("bucket") == f"sagemaker-us-east-1-{watched.account}"
    assert "the user's script: 442 people, note='a \"quoted\" word'" in printed
    assert 'hyperparameters {"inverse-penalty": 0.5, "note": "a \\"quoted\\" word"}' in printed
    model, features, label = trained(tables, 0.5)
    accuracy = round(model.score(features.to_numpy(), label), 4)
    assert ast.literal_eval(script.told("metrics")) == {"train:accuracy": accuracy}
    assert script.told("boosted") == "Completed ['train:auc']"
    assert script.told("statuses") == "['Completed', 'Failed', 'Completed']"


def test_the_exception_has_the_users_own_error(scripts: Scripts) -> None:
    told = scripts["v3_train"].told("user's mistake")
    assert "ValueError: the user's own check: -1.0 is not above 0" in told
    assert "diabetes.py, line 29, in train" in told


def test_resource_classes_and_model_builder_deploy(scripts: Scripts, tables: Path) -> None:
    script = scripts["v3_deploy"]
    model, features, _ = trained(tables, 0.5)
    expected = pytest.approx(model.predict_proba(features.head(3).to_numpy())[:, 1], abs=1e-6)
    for deployed in ("resources", "builder"):
        assert [float(each) for each in ast.literal_eval(script.told(deployed))] == expected, deployed
    assert script.told("left") == "[]"


def test_processors(scripts: Scripts) -> None:
    script = scripts["v3_processing"]
    assert "442 rows in, 221 of them for the test" in script.end()
    assert script.told("ScriptProcessor") == "[221, 221]"
    assert script.told("FrameworkProcessor") == "[387, 55]"


@pytest.mark.parametrize(
    ("script", "what", "said"),
    [
        ("v3_train", "tuner", "sagemaker:CreateHyperParameterTuningJob is not built in Clary"),
        ("v3_train", "analytics", "GetMetricStatistics is not built in Clary"),
        ("v3_train", "pipelines", "sagemaker:ListPipelines is not built in Clary"),
        ("v3_deploy", "streaming", "InvokeEndpointWithResponseStream is not built in Clary"),
    ],
)
def test_what_is_not_built_says_so(scripts: Scripts, script: str, what: str, said: str) -> None:
    assert said in scripts[script].told(what)
