"""The built-in XGBoost on a small real table: breast cancer (569 rows), as scikit-learn has it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.datasets import dump_svmlight_file, load_breast_cancer
from sklearn.metrics import roc_auc_score

from clary.containers.xgboost_data import matrices
from clary.containers.xgboost_parameters import UserError, validate
from jobs.conftest import XGBOOST, Jobs

HYPERPARAMETERS = {
    "num_round": "20", "objective": "binary:logistic", "max_depth": "3", "eta": "0.3",
    "eval_metric": "auc,logloss",
}  # fmt: skip


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, pd.DataFrame]:
    values, labels = load_breast_cancer(return_X_y=True)
    frame = pd.DataFrame(np.column_stack([labels, values]))
    return frame.iloc[:400], frame.iloc[400:]


def csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(header=False, index=False).encode()


def request(jobs: Jobs, table: tuple[pd.DataFrame, pd.DataFrame], **hyperparameters: str) -> dict[str, Any]:
    train, validation = table
    channels = [
        jobs.channel("train", jobs.put("cancer/train/a.csv", csv(train)), ContentType="text/csv"),
        jobs.channel("validation", jobs.put("cancer/validation/a.csv", csv(validation)), ContentType="csv"),
    ]
    return jobs.request(
        XGBOOST, InputDataConfig=channels, HyperParameters={**HYPERPARAMETERS, **hyperparameters}
    )


def test_training_gives_the_model_the_metrics_and_sagemakers_log(
    jobs: Jobs, table: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    wanted = request(jobs, table)
    found = jobs.run(wanted)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    model = jobs.unpacked(found["ModelArtifacts"]["S3ModelArtifacts"])
    assert list(model) == ["xgboost-model"]
    (tmp_path / "m.ubj").write_bytes(model["xgboost-model"])
    booster = xgboost.Booster(model_file=tmp_path / "m.ubj")
    validation = table[1].to_numpy(dtype=np.float32)
    auc = roc_auc_score(validation[:, 0], booster.predict(xgboost.DMatrix(validation[:, 1:])))
    metrics = {each["MetricName"]: each["Value"] for each in found["FinalMetricDataList"]}
    assert set(metrics) == {"train:auc", "train:logloss", "validation:auc", "validation:logloss"}
    assert metrics["validation:auc"] == pytest.approx(auc, abs=1e-5)
    log = jobs.log(wanted["TrainingJobName"])
    assert sum(line.startswith("[") and "#011train-auc:" in line for line in log) == 20
    assert any(line.startswith("[0]#011train-auc:0.9") and "#011validation-logloss:" in line for line in log)


def test_a_bad_hyperparameter_fails_the_job_and_is_named(
    jobs: Jobs, table: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    found = jobs.run(request(jobs, table, eta="two"))
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"] == (
        "AlgorithmError: ClientError: Hyperparameter eta must be a number, not 'two', exit code: 1"
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "num_round is required"),
        ({"num_round": "0"}, "num_round must be at least 1, not 0"),
        ({"num_round": "1.5"}, "num_round must be a whole number"),
        ({"num_round": "1", "etaa": "1"}, "etaa is unknown"),
        ({"num_round": "1", "subsample": "0"}, "subsample must be above 0"),
        ({"num_round": "1", "objective": "multi:softmax"}, "num_class is required"),
        ({"num_round": "1", "objective": "guess"}, "objective must be one of"),
        ({"num_round": "1", "predictor": "auto"}, "predictor is not taken"),
    ],
)
def test_hyperparameters_are_checked(given: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        validate(given)


def test_hyperparameters_as_the_sdk_writes_them() -> None:
    found = validate({"num_round": "5", "objective": '"reg:linear"', "eval_metric": "rmse,mae",
                      "sagemaker_region": '"x"', "max_depth": "4"})  # fmt: skip
    assert found.settings == {"num_round": 5, "early_stopping_rounds": None, "csv_weights": 0}
    assert found.parameters == {
        "objective": "reg:squarederror",
        "eval_metric": ["rmse", "mae"],
        "max_depth": 4,
    }


@pytest.mark.parametrize("kind", ["text/csv", "text/libsvm", "application/x-parquet"])
def test_all_formats_give_the_same_matrix(
    tmp_path: Path, table: tuple[pd.DataFrame, pd.DataFrame], kind: str
) -> None:
    frame = table[0].astype(np.float32)
    folder = tmp_path / "train"
    folder.mkdir()
    values = frame.to_numpy()
    if kind == "text/csv":
        for i, half in enumerate(np.array_split(values, 2)):
            np.savetxt(folder / f"{i}.csv", half, delimiter=",", fmt="%.9g")
    elif kind == "text/libsvm":
        packed = io.BytesIO()
        dump_svmlight_file(values[:, 1:], values[:, 0], packed)
        (folder / "a").write_bytes(packed.getvalue())
    else:
        frame.set_axis([f"c{i}" for i in range(frame.shape[1])], axis=1).to_parquet(folder / "a.parquet")
    found = matrices(tmp_path, {"train": {"ContentType": kind}}, False)["train"]
    assert (found.num_row(), found.num_col()) == (400, 30)
    assert np.array_equal(found.get_label(), values[:, 0])
    assert found.get_data().sum() == pytest.approx(values[:, 1:].sum(), rel=1e-4)


@pytest.mark.parametrize(
    ("content", "channels", "said"),
    [
        ("age,income\n1,2\n", {"train": {"ContentType": "text/csv"}}, "begins with a header"),
        ("1,red\n", {"train": {"ContentType": "text/csv"}}, "not a table of numbers"),
        (",2\n", {"train": {"ContentType": "text/csv"}}, "first column is the label"),
        ("1\n", {"train": {"ContentType": "text/csv"}}, "too few"),
        ("1,2\n", {"train": {"ContentType": "text/libsvm"}}, "not libsvm"),
        ("1,2\n", {"train": {"ContentType": "image/png"}}, "ContentType 'image/png'"),
        ("1,2\n", {"test": {}}, "train \\(required\\) and validation; test is none of them"),
    ],
)
def test_data_that_is_none_is_named(
    tmp_path: Path, content: str, channels: dict[str, dict[str, str]], said: str
) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.csv").write_text(content)
    with pytest.raises(UserError, match=said):
        matrices(tmp_path, channels, False)


def test_weights_stand_in_the_second_column(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.csv").write_text("1,0.5,7,8\n0,2.0,9,10\n")
    found = matrices(tmp_path, {"train": {"ContentType": "text/csv; charset=utf-8"}}, True)["train"]
    assert (found.num_col(), list(found.get_weight()), list(found.get_label())) == (2, [0.5, 2.0], [1.0, 0.0])
