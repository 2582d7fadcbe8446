"""What the tests of explained endpoints share: the census, two models of it, and explainers."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import xgboost
from serving_house import Serving, archive
from serving_worker import StartWorker, Worker
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from clary.hub import datasets, packages

SEED = 11

SCRIPT = """
import io, json, os
import joblib, pandas as pd

NUMBERS = ["Age", "Education-Num", "Hours per week"]

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "census.joblib"))

def input_fn(data, content_type):
    if content_type == "application/jsonlines":
        rows = [json.loads(line)["person"] for line in data.splitlines()]
    else:
        rows = pd.read_csv(io.StringIO(data), header=None).values.tolist()
    return rows

def predict_fn(rows, model):
    if any(row[0] in (-1, "-1") for row in rows):
        raise ValueError("nobody is that young")
    if len(rows) > 1 and rows[-1][0] in (-3, "-3"):
        os._exit(3)
    frame = pd.DataFrame(rows, columns=model.feature_names_in_)
    frame[NUMBERS] = frame[NUMBERS].astype(float)
    found = model.predict_proba(frame)[:, 1]
    return found[:-1] if any(row[0] in (-2, "-2") for row in rows) else found

def output_fn(prediction, accept):
    if accept == "application/jsonlines":
        names = ["<=50K", ">50K"]
        lines = [{"label": names[int(p > 0.5)], "chance": [1 - p, p], "names": names} for p in prediction]
        return "".join(json.dumps(line) + "\\n" for line in lines), accept
    return "".join(f"{int(p > 0.5)},{p!r}\\n" for p in prediction.tolist()), "text/csv"
"""
"""Answers `label,probability` in CSV, objects in JSON Lines; fails or forgets a row where it is told to."""


@dataclass(frozen=True)
class Census:
    """Adult: as numbers for XGBoost, and six columns with words for a scikit-learn pipeline."""

    numbers: pd.DataFrame
    people: pd.DataFrame
    label: pd.Series

    @staticmethod
    def read() -> Census:
        table = pd.read_csv(datasets.adult(packages.default_cache()), nrows=4000)
        label = (table.pop("Target") == ">50K").astype(int)
        words = table.select_dtypes(exclude="number").columns
        numbers = table.copy()
        numbers[words] = numbers[words].apply(lambda column: column.astype("category").cat.codes)
        people = table[["Age", "Education-Num", "Marital Status", "Occupation", "Sex", "Hours per week"]]
        return Census(numbers.astype(float), people, label)

    @cached_property
    def booster(self) -> xgboost.Booster:
        train = xgboost.DMatrix(self.numbers.to_numpy(), self.label)
        return xgboost.train({"objective": "binary:logistic", "max_depth": 4}, train, 40)

    @cached_property
    def pipeline(self) -> Pipeline:
        words = ["Marital Status", "Occupation", "Sex"]
        columns = make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), words), remainder=StandardScaler()
        )
        model = make_pipeline(columns, LogisticRegression(max_iter=500))
        people = self.people.astype({"Age": float, "Education-Num": float, "Hours per week": float})
        return model.fit(people, self.label)

    def booster_archive(self) -> bytes:
        return archive({"xgboost-model": bytes(self.booster.save_raw("ubj"))})

    def script_archive(self) -> bytes:
        data = io.BytesIO()
        joblib.dump(self.pipeline, data)
        return archive({"code/inference.py": SCRIPT, "census.joblib": data.getvalue()})


def csv(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, header=False)


def json_lines(frame: pd.DataFrame) -> str:
    return "".join(json.dumps({"person": row}) + "\n" for row in frame.astype(object).to_numpy().tolist())


def explainer(
    baseline: str | None, *, inference: dict[str, Any] | None = None, **shap: Any
) -> dict[str, Any]:
    """A ClarifyExplainerConfig."""
    given = {} if baseline is None else {"ShapBaseline": baseline}
    config: dict[str, Any] = {"ShapConfig": {"Seed": SEED, "ShapBaselineConfig": given, **shap}}
    if inference:
        config["InferenceConfig"] = inference
    return config


def started(
    start_worker: StartWorker, root: Path, config: dict[str, Any], script: str, **environment: str
) -> Worker:
    (root / "model" / "code").mkdir(parents=True)
    (root / "model" / "code" / "inference.py").write_text(script)
    return with_explainer(start_worker, root, config, **environment)


def with_explainer(
    start_worker: StartWorker, root: Path, config: dict[str, Any], **environment: str
) -> Worker:
    """A worker of the model that is below `root`."""
    (root / "input" / "explainer").mkdir(parents=True)
    (root / "input" / "explainer" / "config.json").write_text(json.dumps(config))
    return start_worker(root, **environment)


def explained(worker: Worker, body: str, **further: str) -> list[Any]:
    reply = worker.ask(body, **further)
    assert reply.status == 200, reply.body
    return list(json.loads(reply.body)["explanations"]["kernel_shap"])


class Explaining(Serving):
    """A Clary's serving side with explained endpoints."""

    def explained(self, name: str, model: str, config: dict[str, Any]) -> None:
        """An endpoint in service."""
        self.explained_config(name, model, config)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        found = self.settled(name)
        assert found["EndpointStatus"] == "InService", found

    def explained_config(self, name: str, model: str, config: dict[str, Any]) -> None:
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": "AllTraffic",
                    "ModelName": model,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                }
            ],
            ExplainerConfig={"ClarifyExplainerConfig": config},
        )

    def answer(self, name: str, body: str, **further: Any) -> dict[str, Any]:
        """The explainer's JSON."""
        found = self.runtime.invoke_endpoint(
            EndpointName=name, **{"ContentType": "text/csv", "Accept": "text/csv", **further}, Body=body
        )
        assert found["ContentType"] == "application/json"
        return dict(json.loads(found["Body"].read()))


def attributions(explanation: list[dict[str, Any]]) -> np.ndarray[Any, Any]:
    """Shape (features, outputs)."""
    return np.array([one["attribution"] for feature in explanation for one in feature["attributions"]])
