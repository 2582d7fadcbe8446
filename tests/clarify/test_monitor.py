"""Monitoring the census model: equal batches, a batch drawn askew, and a job as Model Monitor runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost

from clary import clarify
from clary.hub import datasets, packages

FEMALE = 0


@pytest.fixture(scope="module")
def census() -> pd.DataFrame:
    """The census with numbers for its words; Female is 0."""
    table = pd.read_csv(datasets.adult(packages.default_cache()), keep_default_na=False)
    found = table.drop(columns="Target")
    for name in found.columns:
        if not pd.api.types.is_numeric_dtype(found[name]):
            found[name] = found[name].astype("category").cat.codes
    return found.assign(Target=(table["Target"] == ">50K").astype(int))


@pytest.fixture(scope="module")
def model(census: pd.DataFrame) -> Any:
    train = census[: datasets.ADULT_TRAIN_ROWS]
    matrix = xgboost.DMatrix(train.drop(columns="Target"), label=train["Target"])
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 3, "nthread": 1}, matrix, 20)
    return lambda features: booster.predict(xgboost.DMatrix(features))


@pytest.fixture(scope="module")
def config(census: pd.DataFrame) -> dict[str, Any]:
    usual = census.drop(columns="Target").median().tolist()
    return {
        "dataset_type": "text/csv",
        "headers": list(census.columns),
        "label": "Target",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "Sex", "value_or_threshold": [FEMALE]}],
        "methods": {
            "pre_training_bias": {"methods": "all"},
            "post_training_bias": {"methods": "all"},
            "shap": {"seed": 1, "num_samples": 100, "baseline": [usual]},
            "report": {"name": "report", "title": "Census"},
        },
    }


@pytest.fixture(scope="module")
def baseline(
    census: pd.DataFrame, model: Any, config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("baseline")
    clarify.analyze(config, census[datasets.ADULT_TRAIN_ROWS :][:2000], model, folder)
    return folder / "analysis.json"


def askew(census: pd.DataFrame) -> pd.DataFrame:
    """Two thousand other people: few women with the positive label, many with capital gains."""
    rest = census[datasets.ADULT_TRAIN_ROWS + 2000 :]
    weights = np.where((rest["Sex"] == FEMALE) & (rest["Target"] == 1), 0.15, 1.0)
    weights *= np.where(rest["Capital Gain"] > 0, 12, 1)
    return rest.sample(2000, random_state=3, weights=weights)


def names(drift: Any) -> set[str]:
    return {violation["metric_name"] for violation in drift.violations}


def test_the_same_batch_never_violates(
    census: pd.DataFrame, model: Any, config: dict[str, Any], baseline: Path
) -> None:
    batch = census[datasets.ADULT_TRAIN_ROWS :][:2000]
    drift = clarify.monitor(baseline, config, batch, model)
    assert drift.violations == []
    assert len(drift.bias) == 19
    assert drift.attributions[0].ndcg == pytest.approx(1.0)


def test_other_people_of_the_same_kind_seldom_violate(
    census: pd.DataFrame, model: Any, config: dict[str, Any], baseline: Path
) -> None:
    """By their values alone every second metric would; by chance alone few do."""
    bias_only = config | {"methods": {k: v for k, v in config["methods"].items() if k != "shap"}}
    rest = census[datasets.ADULT_TRAIN_ROWS + 2000 :]
    batches = [rest[i : i + 1000] for i in range(0, 10_000, 1000)]
    found = [names(clarify.monitor(baseline, bias_only, batch, model)) for batch in batches]
    assert sum(map(len, found)) < 0.1 * 19 * len(batches)


def test_a_batch_drawn_askew_violates_and_is_written_down(
    census: pd.DataFrame, model: Any, config: dict[str, Any], baseline: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    drift = clarify.monitor(baseline, config, askew(census), model, tmp_path, told.append)
    assert {"DPL", "DPPL", "DI", "KL", "shap"} <= names(drift)
    assert told[-2] == drift.exit_message
    assert drift.exit_message.startswith("CompletedWithViolations: ")
    written = json.loads((tmp_path / "constraint_violations.json").read_text())
    assert written == drift.in_json()
    assert {path.name for path in tmp_path.iterdir()} >= {"analysis.json", "drift.html", "report.html"}
    for page in ("drift.html", "report.html"):
        text = (tmp_path / page).read_text()
        assert "This batch drifts." in text
        assert not re.search(r"https?://|src=|@import|url\(", text)


def test_attributions_of_the_written_files_are_compared_by_hand(
    census: pd.DataFrame, model: Any, config: dict[str, Any], baseline: Path, tmp_path: Path
) -> None:
    drift = clarify.monitor(baseline, config, askew(census), model, tmp_path)
    read = [json.loads(path.read_text()) for path in (baseline, tmp_path / "analysis.json")]
    then, now = (r["explanations"]["kernel_shap"]["label0"]["global_shap_values"] for r in read)
    order, ideal = sorted(now, key=lambda f: -now[f]), sorted(then, key=lambda f: -then[f])
    gains = [sum(then[f] / np.log2(i + 2) for i, f in enumerate(names)) for names in (order, ideal)]
    assert drift.attributions[0].ndcg == pytest.approx(gains[0] / gains[1], abs=1e-12)
    assert clarify.compare(*read).violations == drift.violations


def test_a_window_too_small_to_judge_is_told(
    census: pd.DataFrame, model: Any, config: dict[str, Any], baseline: Path
) -> None:
    rest = census[datasets.ADULT_TRAIN_ROWS :]
    men = rest[rest["Sex"] != FEMALE]
    for batch, says in (
        (men[:50], "no row with"),
        (rest[rest["Target"] == 0][:50], "no row with"),
        (rest[:0], "no rows"),
    ):
        with pytest.raises(clarify.ClarifyError, match=says):
            clarify.monitor(baseline, config, batch, model)


def test_without_methods_the_metrics_of_the_constraints_are_measured(tmp_path: Path) -> None:
    people = pd.DataFrame({"sex": [0, 1] * 30, "guess": [0, 1, 1, 0, 1, 1] * 10, "y": [0, 1, 1] * 20})
    config: dict[str, Any] = {
        "dataset_type": "text/csv",
        "label": "y",
        "label_values_or_threshold": [1],
        "predicted_label": "guess",
        "facet": [{"name_or_index": "sex", "value_or_threshold": [0]}],
    }
    methods = {"pre_training_bias": {"methods": ["DPL"]}, "post_training_bias": {"methods": ["AD", "DPPL"]}}
    then = clarify.analyze({**config, "methods": methods}, people)
    drift = clarify.monitor(then, config, people, output_dir=tmp_path)
    assert [item.key.metric for item in drift.bias] == ["DPL", "AD", "DPPL"]
    assert (tmp_path / "report.html").exists()


def job(root: Path, **variables: str) -> tuple[int, str, str]:
    """The processing container, its message and its last words."""
    env = {**os.environ, "CLARY_ML_ROOT": str(root), "AWS_DEFAULT_REGION": "us-east-1", **variables}
    command = [sys.executable, "-m", "clary.containers.clarify"]
    done = subprocess.run(command, env=env, text=True, capture_output=True, check=False, timeout=120)
    message = root / "output/message"
    return done.returncode, message.read_text() if message.exists() else "", done.stderr


def records(table: pd.DataFrame, scores: Any) -> str:
    """Requests with their answers and truths, as the job that merges them leaves them."""
    features = table.drop(columns="Target").to_csv(index=False, header=False).splitlines()
    return "".join(
        json.dumps(
            {
                "captureData": {
                    "endpointInput": {"data": line, "encoding": "CSV", "observedContentType": "text/csv"},
                    "endpointOutput": {"data": str(score), "encoding": "CSV"},
                },
                "groundTruthData": {"data": str(label), "encoding": "CSV"},
                "eventMetadata": {"eventId": f"e{i}", "inferenceTime": "2026-11-24T10:30:00Z"},
                "eventVersion": "0",
            }
        )
        + "\n"
        for i, (line, score, label) in enumerate(zip(features, scores, table["Target"], strict=True))
    )


@pytest.mark.parametrize("drifts", [False, True])
def test_a_job_as_model_monitor_runs_it(
    census: pd.DataFrame, model: Any, config: dict[str, Any], baseline: Path, tmp_path: Path, drifts: bool
) -> None:
    """The variables and paths of a scheduled bias job on merged data, the configuration as the SDK has it."""
    batch = askew(census) if drifts else census[datasets.ADULT_TRAIN_ROWS :][:2000]
    placed = {
        "processing/input/config/analysis_config.json": json.dumps(
            {key: config[key] for key in ("headers", "label", "label_values_or_threshold", "facet")}
        ),
        "processing/baseline/constraints/analysis.json": baseline.read_text(),
        "processing/input_data/census/AllTraffic/2026/11/24/10/part-0.jsonl": records(
            batch, model(batch.drop(columns="Target"))
        ),
    }
    for path, content in placed.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(content)
    variables = {
        "baseline_constraints": "/opt/ml/processing/baseline/constraints/analysis.json",
        "dataset_format": '{"sagemakerMergeJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}',
        "dataset_source": "/opt/ml/processing/input_data",
        "output_path": "/opt/ml/processing/resultdata",
        "probability_attribute": "0",
        "probability_threshold_attribute": "0.5",
        "start_time": "2026-11-24T10:00:00Z",
        "end_time": "2026-11-24T11:00:00Z",
    }
    code, message, err = job(tmp_path, **variables)
    assert (code, err) == (0, "")
    written = json.loads((tmp_path / "processing/resultdata/constraint_violations.json").read_text())
    assert message.startswith("CompletedWithViolations: " if drifts else "Completed: ")
    assert bool(written["violations"]) is drifts
    assert {item["metric_name"] for item in written["checked"]["bias"]} >= {"CI", "DPPL", "GE"}


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"baseline_constraints": "/opt/ml/processing/baseline/x.json"}, "no constraints file"),
        ({"dataset_format": "csv"}, "dataset_format"),
        ({"probability_threshold_attribute": "half"}, "a number from 0 to 1"),
    ],
)
def test_a_jobs_wrong_variables_are_named(tmp_path: Path, variables: dict[str, str], says: str) -> None:
    (tmp_path / "processing/input/config").mkdir(parents=True)
    (tmp_path / "processing/input/config/analysis_config.json").write_text("{}")
    code, message, err = job(tmp_path, **variables)
    assert code == 1
    assert says in message
    assert "Traceback" not in err
