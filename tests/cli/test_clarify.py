"""`clary clarify`: an analysis without a server, of a local archive or of a running endpoint."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression

from running import Clary

RNG = np.random.default_rng(9)
TABLE = pd.DataFrame({"age": RNG.integers(18, 80, 400), "sex": RNG.integers(0, 2, 400)})
TABLE["pay"] = RNG.normal(50, 9, 400) + 10 * TABLE["sex"]
TABLE.insert(0, "rich", (TABLE["pay"] + RNG.normal(0, 4, 400) > 55).astype(int))
FEATURES = TABLE.drop(columns="rich")
CONFIG: dict[str, Any] = {
    "dataset_type": "text/csv",
    "label": "rich",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "sex", "value_or_threshold": [0]}],
    "methods": {
        "post_training_bias": {"methods": ["DPPL", "AD"]},
        "shap": {"baseline": [[40, 0, 50.0]], "seed": 1},
        "pdp": {"features": ["pay"]},
        "report": {"name": "rich"},
    },
    "predictor": {},
}


def clarify(folder: Path, *arguments: str, config: Any = CONFIG, **environment: str) -> Any:
    TABLE.to_csv(folder / "data.csv", index=False)
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    command = [sys.executable, "-m", "clary.cli", "clarify", str(folder / "config.json"), *arguments]
    command += ["--output", str(folder / "out")]
    return subprocess.run(command, capture_output=True, text=True, check=False, **_env(environment))


def _env(environment: dict[str, str]) -> dict[str, Any]:
    return {"env": environment} if environment else {}


def boosted(folder: Path) -> Path:
    matrix = xgboost.DMatrix(FEATURES, label=TABLE["rich"])
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 3}, matrix, 10)
    (folder / "xgboost-model").write_bytes(booster.save_raw("ubj"))
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        tar.add(folder / "xgboost-model", "xgboost-model")
    return folder / "model.tar.gz"


def changed(**shap: Any) -> dict[str, Any]:
    methods = CONFIG["methods"]
    return CONFIG | {"methods": methods | {"shap": methods["shap"] | shap}}


def test_an_archive_is_analysed_without_a_server(tmp_path: Path) -> None:
    model = boosted(tmp_path)
    done = clarify(tmp_path, "--data", str(tmp_path / "data.csv"), "--model", str(model))
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads((tmp_path / "out" / "analysis.json").read_text())
    shap = found["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    assert max(shap, key=shap.__getitem__) == "pay"
    assert {p.name for p in (tmp_path / "out").iterdir()} >= {"analysis.json", "rich.html", "rich.ipynb"}
    assert "not read from the trees" in done.stdout, "the probability of boosted trees is not their sum"


def test_log_odds_are_read_from_the_trees(tmp_path: Path) -> None:
    model = boosted(tmp_path)
    done = clarify(
        tmp_path, "--data", str(tmp_path / "data.csv"), "--model", str(model), config=changed(use_logit=True)
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "from the model's trees" in done.stdout
    values = pd.read_csv(tmp_path / "out" / "explanations_shap" / "out.csv")
    booster = xgboost.Booster(model_file=bytearray((tmp_path / "xgboost-model").read_bytes()))
    margin = booster.predict(xgboost.DMatrix(FEATURES), output_margin=True)
    analysis = json.loads((tmp_path / "out" / "analysis.json").read_text())
    expected = analysis["explanations"]["kernel_shap"]["label0"]["expected_value"]
    assert values.sum(axis=1).to_numpy() + expected == pytest.approx(margin, abs=1e-4)


def test_a_forests_values_are_read_from_its_trees(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    forest = RandomForestRegressor(10, max_depth=4, random_state=0, n_jobs=1)
    joblib.dump(forest.fit(FEATURES.to_numpy(), TABLE["rich"]), folder / "model.joblib")
    done = clarify(tmp_path, "--data", str(tmp_path / "data.csv"), "--model", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    assert "from the model's trees" in done.stdout
    values = pd.read_csv(tmp_path / "out" / "explanations_shap" / "out.csv")
    explanations = json.loads((tmp_path / "out" / "analysis.json").read_text())["explanations"]
    assert explanations["shap_method"] == "tree_shap"
    expected = explanations["kernel_shap"]["label0"]["expected_value"]
    scores = forest.predict(FEATURES.to_numpy())
    assert values.sum(axis=1).to_numpy() + expected == pytest.approx(scores, abs=1e-6)


def test_a_folder_with_a_script(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "code").mkdir(parents=True)
    joblib.dump(
        LogisticRegression(max_iter=1000).fit(FEATURES.to_numpy(), TABLE["rich"]), folder / "model.joblib"
    )
    (folder / "code" / "inference.py").write_text(
        "import joblib, os\n"
        "def model_fn(d): return joblib.load(os.path.join(d, 'model.joblib'))\n"
        "def predict_fn(rows, model): return model.predict_proba(rows)[:, 1]\n"
    )
    done = clarify(tmp_path, "--data", str(tmp_path / "data.csv"), "--model", str(folder))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_running_endpoint_and_data_in_s3(tmp_path: Path, clary: Clary) -> None:
    s3, sagemaker = clary.client("s3"), clary.client("sagemaker")
    s3.create_bucket(Bucket="cli-clarify")
    s3.upload_file(str(boosted(tmp_path)), "cli-clarify", "model.tar.gz")
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    s3.upload_file(str(tmp_path / "t.csv"), "cli-clarify", "data/t.csv")
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    container = {"Image": image, "ModelDataUrl": "s3://cli-clarify/model.tar.gz"}
    sagemaker.create_model(ModelName="cli", ExecutionRoleArn=clary.role, PrimaryContainer=container)
    variant = {
        "VariantName": "v",
        "ModelName": "cli",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    sagemaker.create_endpoint_config(EndpointConfigName="cli", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="cli", EndpointConfigName="cli")
    config = CONFIG | {"predictor": {"endpoint_name": "cli"}}
    environment = clary.environment | {"AWS_PROFILE": "clary"}
    done = clarify(tmp_path, "--data", "s3://cli-clarify/data/t.csv", config=config, **environment)
    sagemaker.delete_endpoint(EndpointName="cli")
    assert (done.returncode, done.stderr) == (0, "")
    assert "in service" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "config", "says"),
    [
        (["--data", "nowhere.csv", "--model", "m"], CONFIG, "There is no data at nowhere.csv"),
        (["--data", "DATA"], CONFIG, "give its archive by --model"),
        (["--data", "DATA", "--model", "none.tar.gz"], CONFIG, "There is no model at none.tar.gz"),
        (["--data", "DATA", "--model", "DATA"], CONFIG, "is not a model.tar.gz"),
        ([], CONFIG, "give it by --data"),
        (["--data", "DATA"], "{not json", "is not JSON"),
        (["--data", "DATA"], "[]", "must hold a JSON object"),
        (["--data", "DATA"], CONFIG | {"methods": {"shapp": {}}}, "Did you mean 'shap'"),
    ],
)
def test_what_is_missing_is_told_in_one_line(
    tmp_path: Path, arguments: list[str], config: Any, says: str
) -> None:
    given = [str(tmp_path / "data.csv") if word == "DATA" else word for word in arguments]
    done = clarify(tmp_path, *given, config=config)
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
