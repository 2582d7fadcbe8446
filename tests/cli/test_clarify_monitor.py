"""`clary clarify --constraints`: a batch held against a baseline, told by the exit status and as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

RNG = np.random.default_rng(5)
DRIFTS, FAILS = 3, 1


def people(bias: float) -> pd.DataFrame:
    """A thousand people, of whom the facet gets the positive guess less often by `bias`."""
    sex = RNG.integers(0, 2, 1000)
    label = RNG.random(1000) < 0.5
    guess = RNG.random(1000) < 0.6 - bias * (sex == 0)
    return pd.DataFrame({"sex": sex, "label": label.astype(int), "guess": guess.astype(int)})


CONFIG: dict[str, Any] = {
    "dataset_type": "text/csv",
    "label": "label",
    "label_values_or_threshold": [1],
    "predicted_label": "guess",
    "facet": [{"name_or_index": "sex", "value_or_threshold": [0]}],
    "methods": {"post_training_bias": {"methods": ["DPPL", "DI", "AD"]}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A baseline, a batch like it, and one that is worse."""
    folder = tmp_path_factory.mktemp("monitor")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    for name, bias in (("before", 0.1), ("worse", 0.4)):
        people(bias).to_csv(folder / f"{name}.csv", index=False)
    done = clarify(folder, "config.json", "--data", "before.csv", "--output", "baseline")
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def clarify(folder: Path, *arguments: str) -> Any:
    command = [sys.executable, "-m", "clary.cli", "clarify", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_same_data_is_no_violation(folder: Path) -> None:
    done = clarify(
        folder,
        *("config.json", "--data", "before.csv", "--output", "same"),
        *("--constraints", "baseline/analysis.json"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Completed: Job completed successfully with no violations." in done.stdout
    assert json.loads((folder / "same/constraint_violations.json").read_text())["violations"] == []


def test_drift_is_the_exit_status_and_a_document(folder: Path) -> None:
    done = clarify(
        folder,
        *("config.json", "--data", "worse.csv", "--output", "drift"),
        *("--constraints", "baseline/analysis.json", "--json"),
    )
    assert done.returncode == DRIFTS
    told = json.loads(done.stdout)
    assert {violation["metric_name"] for violation in told["violations"]} == {"DPPL", "DI"}
    assert told == json.loads((folder / "drift/constraint_violations.json").read_text())
    assert "CompletedWithViolations" in done.stderr


def test_two_analyses_are_compared_without_any_data(folder: Path) -> None:
    clarify(folder, "config.json", "--data", "worse.csv", "--output", "later")
    done = clarify(
        folder, "later/analysis.json", "--constraints", "baseline/analysis.json", "--output", "compared"
    )
    assert (done.returncode, done.stderr) == (DRIFTS, "")
    assert {path.name for path in (folder / "compared").iterdir()} == {
        "constraint_violations.json",
        "drift.html",
    }


def test_captured_requests_and_their_ground_truth(folder: Path) -> None:
    worse = pd.read_csv(folder / "worse.csv")
    captures, truths = folder / "captures/2026/11/24/10", folder / "truths/2026/11/25/00"
    for path, lines in (
        (captures, [_request(i, row) for i, row in worse.iterrows()]),
        (truths, [_truth(i, row) for i, row in worse.iterrows()]),
    ):
        path.mkdir(parents=True)
        (path / "00.jsonl").write_text("\n".join(map(json.dumps, lines)))
    config = {key: CONFIG[key] for key in ("label", "label_values_or_threshold", "facet")}
    config |= {"headers": ["sex", "label"], "dataset_type": "application/sagemakercapturejson"}
    (folder / "captured.json").write_text(json.dumps(config))
    done = clarify(
        folder,
        *("captured.json", "--data", "captures", "--ground-truth", "truths", "--output", "captured"),
        *("--constraints", "baseline/analysis.json", "--json"),
    )
    assert (done.returncode, json.loads(done.stdout)["violations"]) == (
        DRIFTS,
        json.loads((folder / "drift/constraint_violations.json").read_text())["violations"],
    )


def _request(number: Any, row: Any) -> dict[str, Any]:
    asked, answered = ({"data": str(row[name]), "encoding": "CSV"} for name in ("sex", "guess"))
    metadata = {"eventId": f"e{number}"}
    return {"captureData": {"endpointInput": asked, "endpointOutput": answered}, "eventMetadata": metadata}


def _truth(number: Any, row: Any) -> dict[str, Any]:
    truth = {"data": str(row["label"]), "encoding": "CSV"}
    return {"groundTruthData": truth, "eventMetadata": {"eventId": f"e{number}"}}


@pytest.mark.parametrize(
    ("constraints", "says"),
    [
        ("absent.json", "There is no constraints file at absent.json"),
        ("before.csv", "before.csv is not JSON"),
        ("config.json", "neither bias metrics nor global SHAP values"),
        ("s3:", "There is no constraints file at s3:"),
    ],
)
def test_constraints_that_are_none(folder: Path, constraints: str, says: str) -> None:
    done = clarify(
        folder, "config.json", "--data", "before.csv", "--output", "no", "--constraints", constraints
    )
    assert (done.returncode, done.stdout) == (FAILS, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
