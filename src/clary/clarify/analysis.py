"""A whole analysis: from a configuration, data and a model to analysis.json, report and local values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.config.analysis import AnalysisConfig, PartialDependence, Shap, parse
from clary.clarify.data.columns import Column
from clary.clarify.data.dataset import read
from clary.clarify.data.predictions import Predict, ask, labels, positive_scores
from clary.clarify.data.roles import Roles, cast
from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.analysis import find_bias, from_files, from_rows, streamed
from clary.clarify.fairness.contrast import Flags
from clary.clarify.findings import Findings
from clary.clarify.images.analysis import investigate_images
from clary.clarify.monitoring.captured_table import opened
from clary.clarify.partial_dependence import Dependence, chosen, partial_dependence
from clary.clarify.report import html, notebook, page, pdf
from clary.clarify.segments import analysed, divided
from clary.clarify.shap.explanation import Explanation
from clary.clarify.shap.interactions import InteractionExplanation, interactions
from clary.clarify.shap.kernel import baseline_of, evenly, explain
from clary.clarify.shap.trees import explain_trees
from clary.clarify.text.explanation import TextExplanation
from clary.clarify.text.shap import explain_text
from clary.clarify.time_series import analysis as series
from clary.clarify.time_series.forecasts import Forecast
from clary.clarify.time_series.panel import Panel

Log = Callable[[str], None]


def analyze(
    config: Mapping[str, Any],
    data: pd.DataFrame | Panel | str | Path,
    predict: Callable[[Any], Any] | None = None,
    output_dir: str | Path | None = None,
    log: Log = lambda line: None,
    trees: Any = None,
    forecast: Forecast | None = None,
    output_uri: str = "",
) -> dict[str, Any]:
    """Run the analysis that an analysis_config.json asks for, and return analysis.json's content.

    `data` is a table, a file or a folder of files of `dataset_type`; of series it may be a Panel. `predict`
    is asked for a model's answers (rows of features or images in, one answer for each out), `forecast` for
    those of series; they may be left out where nothing needs a model. With `output_dir` the files that
    Clarify writes are written there: analysis.json, <report>.html, .ipynb and .pdf, explanations_shap/out.csv
    (out.jsonl for text) and baseline.csv, or images' heat maps; `output_uri` is where they will lie in the
    end. `trees` is the model itself where it is a tree model: SHAP is then read from it if it adds up to the
    explained score. Raises ClarifyError that says what to change.
    """
    if not isinstance(data, Panel):
        config, data = opened(config, data, log=log)
    parsed = parse(config)
    folder = None if output_dir is None else Path(output_dir)
    before = {} if folder is None else stamps(folder)
    if parsed.asymmetric_shapley_value is not None or isinstance(data, Panel):
        findings = series.analyze_series(parsed, config, data, forecast, log)
    elif parsed.needs_model and predict is None:
        raise ClarifyError(
            "This analysis needs a model: set predictor.model_name or predictor.endpoint_name, or (for bias) "
            "give predicted_label with the data."
        )
    elif parsed.images is not None and predict is not None:
        findings = investigate_images(parsed, config, data, predict, folder, log)
    else:
        findings = investigate(parsed, config, data, predict, log, trees)
    findings = replace(findings, output_uri=output_uri)
    if folder is not None:
        write(findings, folder, log, before)
    return findings.in_json()


def investigate(
    config: AnalysisConfig,
    asked: Mapping[str, Any],
    data: pd.DataFrame | str | Path,
    predict: Predict | None,
    log: Log,
    trees: Any = None,
) -> Findings:
    """Every asked method, one after the other."""
    files = streamed(config, data)
    if files is not None:
        roles, tabulation = from_files(config, files)
        log(f"Counted {tabulation.table.rows:,} rows from their files, a part at a time.")
        found = find_bias(config, tabulation, None, log)
        return Findings(config, asked, roles, tabulation.table.rows, found)
    roles = _roles(config, data, log)
    columns = zip(roles.segments, config.segment_config, strict=True)
    divisions = [divided(column, segments) for column, segments in columns]
    findings = Findings(config, asked, roles, len(roles.features))
    predicted: tuple[Column | Flags | None, NDArray[np.float64] | None] = (None, None)
    if config.post_training_bias is not None:
        predicted = _predicted(findings, predict, log)
    if config.measures_bias:
        bias = find_bias(config, from_rows(config, roles, predicted[0]), predicted[1], log)
        findings = replace(findings, bias=bias)
    if config.shap is not None and config.shap.text_config is not None and predict is not None:
        findings = replace(findings, text=_explain_text(findings, config.shap, predict, log))
    elif config.shap is not None and predict is not None:
        findings = replace(findings, explanation=_explain(findings, predict, log, trees))
    if config.shap is not None and config.shap.interactions is not None and predict is not None:
        findings = replace(findings, interactions=_interact(findings, config.shap, predict, log))
    if config.pdp is not None and predict is not None:
        findings = replace(findings, dependence=_depend(findings, config.pdp, predict, log))
    segments = [analysed(d, roles, config, predicted, findings.explanation, log) for d in divisions]
    return replace(findings, segments=segments)


def _roles(config: AnalysisConfig, data: pd.DataFrame | str | Path, log: Log) -> Roles:
    """The rows in memory, taken apart."""
    frame = data.reset_index(drop=True) if isinstance(data, pd.DataFrame) else read(Path(data), config)
    roles = cast(frame, config)
    rows = len(roles.features)
    if not rows:
        raise ClarifyError("The data has no rows.")
    log(f"Read {len(frame):,} rows with {roles.features.shape[1]} features for the model.")
    if rows < len(frame):
        log(f"{len(frame) - rows:,} rows have no partner in the other data set and are left out.")
    return roles


def _predicted(
    findings: Findings, predict: Predict | None, log: Log
) -> tuple[Column | Flags, NDArray[np.float64] | None]:
    """Predicted labels: from the data where they come with it, else from the model, then with its scores."""
    config, roles = findings.config, findings.roles
    if roles.predicted is not None:
        return roles.predicted, None
    if predict is None or roles.label is None:
        raise ClarifyError("The post-training metrics need a model or predicted labels.")
    log(f"Asking the model for {len(roles.features):,} predictions.")
    positive, headers = config.label_values_or_threshold, config.predictor.label_headers
    answer = ask(predict, roles.features)
    predicted = labels(answer, roles.label, positive, config.probability_threshold, headers)
    return predicted, positive_scores(answer, roles.label, positive, headers)


def _explain(findings: Findings, predict: Predict, log: Log, trees: Any) -> Explanation:
    shap = findings.config.shap
    if shap is None:
        raise ClarifyError("methods.shap is not asked for.")
    features, headers = findings.roles.features, findings.config.predictor.label_headers
    shap = replace(shap, baseline=baseline_of(features, shap), num_clusters=None)
    features = evenly(features, shap.num_rows)
    if trees is not None:
        try:
            found = explain_trees(features, trees, predict, shap, headers)
        except ClarifyError as error:
            log(f"SHAP is not read from the trees: {error}")
        else:
            log(f"Read the SHAP values of {len(features):,} rows from the model's trees.")
            return found
    log(f"Explaining {len(features):,} rows by Kernel SHAP.")
    return explain(features, predict, shap, headers, _every_tenth(log))


def _interact(findings: Findings, shap: Shap, predict: Predict, log: Log) -> InteractionExplanation:
    headers = findings.config.predictor.label_headers
    found = interactions(findings.roles.features, predict, shap, headers)
    log(f"Found the interactions of {len(found.rows):,} rows with {found.evaluations:,} questions.")
    return found


def _explain_text(findings: Findings, shap: Shap, predict: Predict, log: Log) -> TextExplanation:
    features, headers = findings.roles.features, findings.config.predictor.label_headers
    log(f"Explaining {len(features):,} rows of text by Kernel SHAP.")
    found = explain_text(features, predict, shap, headers, _every_tenth(log))
    numbers = [f"{sum(map(len, rows)):,} units in {name!r}" for name, rows in found.units.items()]
    log(f"Explained {', '.join(numbers)}; efficiency gap {found.efficiency_gap:.1e}.")
    return found


def _depend(findings: Findings, settings: PartialDependence, predict: Predict, log: Log) -> list[Dependence]:
    text = findings.text
    features = findings.roles.features if text is None else text.features
    known = features if text is None or settings.features is not None else text.strongest()
    names = chosen(known, settings, findings.explanation)
    for name in names:
        if text is not None and name in text.units:
            raise ClarifyError(f"methods.pdp.features: {name!r} is text and has no values to go through.")
    log(f"Partial dependence on {', '.join(names) or 'nothing: every feature is text'}.")
    return partial_dependence(features, predict, names, settings.grid_resolution)


def _every_tenth(log: Log) -> Callable[[int, int], None]:
    """Tells of progress whenever another tenth is done."""
    told = 0

    def progress(done: int, total: int) -> None:
        nonlocal told
        if done * 10 // total > told:
            told = done * 10 // total
            log(f"Explained {done:,} of {total:,} rows.")

    return progress


def write(findings: Findings, folder: Path, log: Log, before: Mapping[str, int] | None = None) -> None:
    """Write Clarify's files below `folder`; those that were there `before` are not told."""
    folder.mkdir(parents=True, exist_ok=True)
    document = json.dumps(findings.in_json(), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "analysis.json").write_text(document, "utf-8")
    report = findings.config.report
    if findings.text is not None:
        _write_text(findings, findings.text, folder / "explanations_shap")
    if findings.explanation is not None:
        _write_explanation(findings, findings.explanation, folder / "explanations_shap")
    if findings.forecasts is not None:
        series.write_lines(findings.forecasts, folder)
    if report is not None:
        shown = page.page(findings)
        (folder / f"{report.name}.html").write_text(html.render(shown), "utf-8")
        (folder / f"{report.name}.ipynb").write_text(notebook.render(findings), "utf-8")
        if pdf.available():
            (folder / f"{report.name}.pdf").write_bytes(pdf.render(shown))
        else:
            log(pdf.HOW_TO_GET)
    written = sorted(name for name, stamp in stamps(folder).items() if (before or {}).get(name) != stamp)
    log(f"Wrote {', '.join(written)}.")


def stamps(folder: Path) -> dict[str, int]:
    """The files below a folder, and when each was written."""
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def _write_explanation(findings: Findings, explanation: Explanation, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    explanation.baseline.to_csv(folder / "baseline.csv", index=False)
    if findings.config.shap is not None and findings.config.shap.save_local_shap_values:
        local, rows = explanation.local(), explanation.features.index
        if findings.roles.joinsource is not None:
            keys = findings.roles.joinsource
            local.insert(0, str(keys.name), keys.loc[rows].to_numpy())
        elif len(rows) < findings.rows:
            local.insert(0, "row", rows)
        local.to_csv(folder / "out.csv", index=False)


def _write_text(findings: Findings, text: TextExplanation, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    text.baseline.to_csv(folder / "baseline.csv", index=False)
    if findings.config.shap is not None and findings.config.shap.save_local_shap_values:
        joinsource = findings.roles.joinsource
        with (folder / "out.jsonl").open("w", encoding="utf-8") as file:
            for record in text.records(None if joinsource is None else joinsource.tolist()):
                file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
