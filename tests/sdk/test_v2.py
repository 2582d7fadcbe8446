"""The sagemaker SDK 2, unchanged: estimators, endpoints, processors, and what it says when one fails."""

from __future__ import annotations

import ast
from pathlib import Path

import pandas as pd
import pytest
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from running import Clary
from sdk.script import Script

pytestmark = pytest.mark.timeout(600)
Scripts = dict[str, Script]


def trained(tables: Path, inverse_penalty: float) -> tuple[Pipeline, pd.DataFrame, pd.Series]:
    """What the user's script makes of the table, made here."""
    table = pd.read_csv(tables / "train.csv")
    features, label = table.drop(columns="target"), table["target"]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=inverse_penalty))
    return model.fit(features.to_numpy(), label), features, label


def test_a_scikit_learn_script_trains_with_its_log_and_its_metrics(
    scripts: Scripts, watched: Clary, tables: Path
) -> None:
    script = scripts["v2_sklearn"]
    printed = script.end()
    assert script.told("role") == watched.role
    assert script.told("bucket") == f"sagemaker-us-east-1-{watched.account}"
    assert "the user's script: 442 people, note='a \"quoted\" word'" in printed
    assert 'hyperparameters {"inverse-penalty": 0.5, "note": "a \\"quoted\\" word"}' in printed
    assert "done, on standard error" in printed
    model, features, label = trained(tables, 0.5)
    accuracy = round(model.score(features.to_numpy(), label), 4)
    assert ast.literal_eval(script.told("metrics")) == {"train:accuracy": accuracy}
    assert (script.record.parent / "downloaded" / "model.tar.gz").stat().st_size > 0


def test_it_is_deployed_asked_and_deleted(scripts: Scripts, watched: Clary, tables: Path) -> None:
    script = scripts["v2_sklearn"]
    model, features, _ = trained(tables, 0.5)
    expected = pytest.approx(model.predict_proba(features.head(3).to_numpy())[:, 1], abs=2e-6)
    assert ast.literal_eval(script.told("by CSV")) == expected
    assert ast.literal_eval(script.told("by JSON")) == expected
    assert "CSV record 1, column 1: 'one' is not a number" in script.told("refused")
    assert script.told("endpoints left") == "[]"


def test_xgboost_built_in_and_as_a_framework(scripts: Scripts, tables: Path) -> None:
    script = scripts["v2_xgboost"]
    table = pd.read_csv(tables / "label-first.csv", header=None)
    train = xgboost.DMatrix(table.drop(columns=0).to_numpy(), table[0])
    rows = xgboost.DMatrix(table.drop(columns=0).head(3).to_numpy())
    for label, further in (("built-in", {"max_depth": 3}), ("framework", {})):
        booster = xgboost.train({"objective": "binary:logistic", **further}, train, 20)
        assert ast.literal_eval(script.told(label)) == pytest.approx(booster.predict(rows), abs=1e-4), label
    assert "[19]#011train-auc:" in script.end()
    assert 0.9 < ast.literal_eval(script.told("metrics"))["train:auc"] < 1


def test_the_log_comes_while_the_job_runs(scripts: Scripts, watched: Clary) -> None:
    script = scripts["v2_xgboost"]
    script.end()
    sagemaker = watched.client("sagemaker")
    found = sagemaker.describe_training_job(TrainingJobName=script.told("slow job"))
    assert script.came("boosted 20 rounds of 442 rows") < found["TrainingEndTime"]


def test_processors(scripts: Scripts) -> None:
    script = scripts["v2_processing"]
    assert "442 rows in, 110 of them for the test" in script.end()
    assert script.told("SKLearnProcessor") == "[332, 110]"
    assert script.told("ScriptProcessor") == "[221, 221]"
    assert script.told("FrameworkProcessor") == "[387, 55]"
    assert "ValueError: Replace has to be set to `True`" in script.told("failed")
    assert "prepare.py, line 13" in script.told("failed")


def test_the_exception_has_the_users_own_error(scripts: Scripts) -> None:
    told = scripts["v2_refused"].told("user's mistake")
    assert "ValueError: the user's own check: -1.0 is not above 0 (diabetes.py, line 29, in train)" in told
    assert "No S3 objects found under S3 URL" in scripts["v2_refused"].told("no data")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("spot", "EnableManagedSpotTraining is not built in Clary"),
        ("tuner", "sagemaker:CreateHyperParameterTuningJob is not built in Clary"),
        ("analytics", "GetMetricStatistics is not built in Clary"),
        ("transform", "sagemaker:CreateTransformJob is not built in Clary"),
        ("register", "sagemaker:ListModelPackageGroups is not built in Clary"),
        ("serverless", "ServerlessConfig is not built in Clary"),
    ],
)
def test_what_is_not_built_says_so(scripts: Scripts, what: str, said: str) -> None:
    assert said in scripts["v2_refused"].told(what)
