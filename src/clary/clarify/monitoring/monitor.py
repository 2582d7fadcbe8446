"""A batch of data held against a baseline: its analysis, what drifts, and Model Monitor's files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from clary.clarify.analysis import investigate, write
from clary.clarify.config.analysis import parse
from clary.clarify.data.predictions import Predict
from clary.clarify.errors import ClarifyError
from clary.clarify.monitoring.captured_table import opened
from clary.clarify.monitoring.constraints import STAGES, load, measures
from clary.clarify.monitoring.drift import Drift, compare
from clary.clarify.report import drift as drift_page

Log = Callable[[str], None]
VIOLATIONS = "constraint_violations.json"


def monitor(
    constraints: Mapping[str, Any] | str | Path,
    config: Mapping[str, Any],
    data: pd.DataFrame | str | Path,
    predict: Predict | None = None,
    output_dir: str | Path | None = None,
    log: Log = lambda line: None,
    trees: Any = None,
    ground_truth: str | Path | None = None,
) -> Drift:
    """Analyse a new batch and hold it against the analysis.json of a baseline.

    The configuration may leave out `methods`, as Model Monitor's do: the metrics that the constraints name
    are then measured. `ground_truth` are the labels of captured requests. `output_dir` gets an analysis's
    files, constraint_violations.json and drift.html. The rest is as `analyze` has it.
    """
    baseline = constraints if isinstance(constraints, Mapping) else load(Path(constraints))
    asked = completed(config, baseline)
    asked, data = opened(asked, data, ground_truth, log=log)
    parsed = parse(asked)
    if parsed.needs_model and predict is None:
        raise ClarifyError("This batch needs a model: set predictor, or give predicted_label with the data.")
    findings = investigate(parsed, asked, data, predict, log, trees)
    drift = compare(baseline, findings.in_json())
    tell(drift, log)
    if output_dir is not None:
        write_drift(drift, Path(output_dir))
        write(replace(findings, drift=drift), Path(output_dir), log)
    return drift


def completed(config: Mapping[str, Any], constraints: Mapping[str, Any]) -> dict[str, Any]:
    """A monitor's configuration as a whole one: it measures the metrics that the constraints name."""
    named = measures(constraints, "The constraints file").bias
    if "methods" in config:
        return dict(config)
    methods: dict[str, Any] = {
        stage: {"methods": sorted({key.metric for key in named if key.stage == stage})}
        for stage in STAGES
        if any(key.stage == stage for key in named)
    }
    return {**config, "methods": {**methods, "report": {"name": "report", "title": "Monitoring Report"}}}


def tell(drift: Drift, log: Log) -> None:
    """One line for each violation, and for each constraint that could not be checked."""
    for violation in drift.violations:
        what = violation.get("label") or "{facet} = {facet_value}".format(**violation)
        log(f"Violation: {violation['metric_name']} of {what}. {violation['description']}.")
    for item in drift.unchecked:
        log(f"Not checked: {item.what}: {item.reason}.")
    log(drift.exit_message)


def write_drift(drift: Drift, folder: Path) -> None:
    """Write constraint_violations.json and the page of the comparison."""
    folder.mkdir(parents=True, exist_ok=True)
    document = json.dumps(drift.in_json(), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / VIOLATIONS).write_text(document, "utf-8")
    (folder / "drift.html").write_text(drift_page.render(drift), "utf-8")
