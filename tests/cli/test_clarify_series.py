"""`clary clarify` on time series: a forecaster's archive, its values, and the report of them."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import nbclient
import nbformat
import pytest

from quarters import FINE, asked, quarters, records

SCRIPT = Path(__file__).parents[1] / "sdk" / "scripts" / "source" / "forecaster.py"


def archive(folder: Path) -> Path:
    spec = importlib.util.spec_from_file_location("forecaster", SCRIPT)
    assert spec is not None and spec.loader is not None
    user = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(user)
    (folder / "model" / "code").mkdir(parents=True)
    joblib.dump(user.fitted(quarters()), folder / "model" / "model.joblib")
    shutil.copy(SCRIPT, folder / "model" / "code" / "inference.py")
    return folder / "model"


def clarify(folder: Path, config: dict[str, Any], data: Any = None) -> subprocess.CompletedProcess[str]:
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "data.json").write_text(json.dumps(records() if data is None else data))
    command = [sys.executable, "-m", "clary.cli", "clarify", str(folder / "config.json")]
    command += ["--data", str(folder / "data.json"), "--model", str(archive(folder))]
    return subprocess.run(
        [*command, "--output", str(folder / "out")], capture_output=True, text=True, check=False
    )


def test_fine_grained_values_and_their_report(tmp_path: Path) -> None:
    (tmp_path / "baseline.json").write_text(json.dumps(FINE["baseline"]))
    done = clarify(tmp_path, asked(FINE | {"baseline": str(tmp_path / "baseline.json")}))
    assert (done.returncode, done.stderr) == (0, "")
    out = tmp_path / "out"
    found = json.loads((out / "analysis.json").read_text())["explanations"]["asymmetric_shapley_value"]
    assert (
        found["explanation_results_path"] == "asymmetric_shapley_value/fine_grained_chronological/out.jsonl"
    )
    assert found["efficiency_gap"] < 1e-9
    items = [json.loads(line) for line in (out / found["explanation_results_path"]).read_text().splitlines()]
    assert {item["item_id"] for item in items} == {"1981", "1990", "2008"}
    assert all("standard_errors" not in part for item in items for part in item["explanations"])
    page = (out / "report.html").read_text()
    assert page.count('<svg class="series"') == 3
    assert "The values are exact." in page and "interest" in page
    notebook = nbformat.read(out / "report.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(out)}}, timeout=120).execute()
    assert "2008: unemployment, mean forecast" in json.dumps(notebook.cells[-1].outputs)


@pytest.mark.parametrize("direction", ["anti_chronological", "bidirectional"])
def test_time_steps_in_every_direction(tmp_path: Path, direction: str) -> None:
    done = clarify(tmp_path, asked({"direction": direction, "granularity": "timewise"}))
    assert (done.returncode, done.stderr) == (0, "")
    line = (
        (tmp_path / f"out/asymmetric_shapley_value/timewise_{direction}/out.jsonl").read_text().splitlines()
    )
    part = json.loads(line[0])["explanations"][0]
    assert list(part) == ["timestamp", "scores"], "a time step is no single feature"
    assert "step ahead" not in (tmp_path / "out" / "report.html").read_text()


def test_gaps_in_time_are_told(tmp_path: Path) -> None:
    data = [record for record in records() if record["quarter"] != "2006-04-01"]
    done = clarify(tmp_path, asked({"granularity": "timewise"}), data)
    assert done.returncode == 0
    assert "The time steps of item 2008 are not equally long." in done.stdout
    assert "not equally long" in (tmp_path / "out" / "report.html").read_text()


def test_a_wrong_series_is_one_line(tmp_path: Path) -> None:
    data = records()
    data[3]["infl"] = None
    done = clarify(tmp_path, asked(FINE), data)
    assert done.returncode == 1
    assert done.stderr.startswith("clary clarify: Item '1981': inflation is None at '1978-10-01'.")
    assert "Traceback" not in done.stderr
