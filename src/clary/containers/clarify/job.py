"""One Clarify job: read the configuration and the data, start the model, analyse, say why when it fails."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
from botocore.exceptions import BotoCoreError, ClientError

from clary.clarify import ClarifyError
from clary.clarify.config.analysis import AnalysisConfig, parse
from clary.clarify.monitoring.captured_table import opened
from clary.clarify.monitoring.drift import Drift
from clary.containers.clarify import monitoring, trees
from clary.containers.clarify.endpoint import Endpoint, existing, temporary
from clary.containers.clarify.execute import Task, execute
from clary.containers.clarify.inputs import local

OPT_ML = "/opt/ml"


def main() -> int:
    """The exit status. A reason for a failure goes to output/message and is the last line of stderr."""
    root = Path(os.environ.get("CLARY_ML_ROOT", OPT_ML))
    signal.signal(signal.SIGTERM, _stop)
    try:
        run(root)
    except (ClarifyError, ClientError, BotoCoreError, OSError) as error:
        return _fail(root, str(error))
    except SystemExit:
        _fail(root, "The job was stopped before the analysis was done.")
        raise
    except Exception as error:
        traceback.print_exc()
        return _fail(root, f"The analysis failed unexpectedly: {type(error).__name__}: {error}")
    return 0


def _stop(number: int, frame: Any) -> NoReturn:
    raise SystemExit(128 + number)


def _fail(root: Path, reason: str) -> int:
    line = " ".join(reason.split())
    tell(root, line)
    print(line, file=sys.stderr, flush=True)
    return 1


def tell(root: Path, line: str) -> None:
    """Leave the line that the job's description shows as its ExitMessage."""
    message = root / "output" / "message"
    message.parent.mkdir(parents=True, exist_ok=True)
    message.write_text(line, "utf-8")


def log(line: str) -> None:
    """One line of progress, seen at once in the job's log."""
    print(line, flush=True)


def run(root: Path) -> None:
    """The whole job below `root`. The model's endpoint is only started once the data has been read well."""
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        job = monitoring.asked(root, os.environ)
        asked = monitoring.configuration(_configuration(root), job, os.environ)
        parse(asked)
        here = local(asked, root, folder)
        here, data = opened(here, here.get("dataset_uri", job.data), job.truth, job.window, log)
        start = partial(_model, cleanup=cleanup, folder=folder)
        data = data if isinstance(data, pd.DataFrame) else Path(data)
        found = execute(Task(here, data, job.output, start, log, job.constraints, _output_uri(root)))
    if isinstance(found, Drift):
        tell(root, found.exit_message)
    log("Collected analyses:")
    log(json.dumps(found.in_json() if isinstance(found, Drift) else found, indent=2, ensure_ascii=False))


def _output_uri(root: Path) -> str:
    """Where the job's output goes, as the request says; empty outside of a job."""
    path = root / "config/processingjobconfig.json"
    request = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for output in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if output.get("S3Output", {}).get("LocalPath") == f"{OPT_ML}/processing/output":
            return str(output["S3Output"]["S3Uri"])
    return ""


def _configuration(root: Path) -> dict[str, Any]:
    path = root / "processing/input/config/analysis_config.json"
    if not path.exists():
        raise ClarifyError(
            "There is no analysis_config.json: give the job an input named analysis_config with LocalPath "
            "/opt/ml/processing/input/config."
        )
    try:
        config = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ClarifyError(f"analysis_config.json is not JSON: {error}.") from error
    if not isinstance(config, dict):
        raise ClarifyError("analysis_config.json must be a JSON object.")
    return config


def _model(config: AnalysisConfig, cleanup: ExitStack, folder: Path) -> Endpoint:
    """The model behind an endpoint: the one named, or one made for this job and deleted after it."""
    predictor = config.predictor
    if predictor.endpoint_name:
        name = existing(predictor.endpoint_name)
    elif predictor.model_name:
        name = cleanup.enter_context(temporary(predictor, log))
    else:
        raise ClarifyError(
            "This analysis needs a model: set predictor.model_name (with instance_type and "
            "initial_instance_count) or predictor.endpoint_name, or give predicted_label with the data."
        )
    endpoint = Endpoint(name, config, log)
    endpoint.trees = _trees(config, folder)
    return endpoint


def _trees(config: AnalysisConfig, folder: Path) -> Any:
    """The model's own trees where the job may read them, for exact SHAP values; else None."""
    name = config.predictor.model_name
    if config.shap is None or name is None or config.predictor.endpoint_name is not None:
        return None
    return trees.of_model(name, config.shap, folder, log)
