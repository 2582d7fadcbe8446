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

from clary.clarify.bias_analysis import BiasFindings, find_bias, from_files, from_rows, streamed
from clary.clarify.columns import Column
from clary.clarify.config import AnalysisConfig, PartialDependence, parse
from clary.clarify.contrast import Flags
from clary.clarify.dataset import read
from clary.clarify.errors import ClarifyError
from clary.clarify.explanation import Explanation
from clary.clarify.findings import Findings
from clary.clarify.kernel_shap import explain
from clary.clarify.partial_dependence import Dependence, chosen, partial_dependence
from clary.clarify.predictions import Predict, ask, labels, positive_scores
from clary.clarify.report import html, notebook, page, pdf
from clary.clarify.roles import cast
from clary.clarify.tree_shap import explain_trees

Log = Callable[[str], None]


def analyze(
    config: Mapping[str, Any],
    data: pd.DataFrame | str | Path,
    predict: Predict | None = None,
    output_dir: str | Path | None = None,
    log: Log = lambda line: None,
    trees: Any = None,
) -> dict[str, Any]:
    """Run the analysis that an analysis_config.json asks for, and return analysis.json's content.

    `data` is a table, a file or a folder of files of `dataset_type`. `predict` is asked for a model's answers
    (rows of features in, one answer for each out); it may be left out where nothing needs a model. With
    `output_dir` the files that Clarify writes are written there: analysis.json, <report>.html, .ipynb and
    .pdf, explanations_shap/out.csv and baseline.csv. `trees` is the model itself where it is a tree model:
    SHAP is then read from it if it adds up to the explained score. Raises ClarifyError that says
    what to change.
    """
    parsed = parse(config)
    if parsed.needs_model and predict is None:
        raise ClarifyError(
            "This analysis needs a model: set predictor.model_name or predictor.endpoint_name, or (for bias) "
            "give predicted_label with the data."
        )
    findings = investigate(parsed, config, data, predict, log, trees)
    if output_dir is not None:
        write(findings, Path(output_dir), log)
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
    frame = data.reset_index(drop=True) if isinstance(data, pd.DataFrame) else read(Path(data), config)
    roles = cast(frame, config)
    log(f"Read {len(frame):,} rows with {roles.features.shape[1]} features for the model.")
    findings = Findings(config, asked, roles, len(frame))
    if config.pre_training_bias is not None or config.post_training_bias is not None:
        findings = replace(findings, bias=_bias(findings, predict, log))
    if config.shap is not None and predict is not None:
        findings = replace(findings, explanation=_explain(findings, predict, log, trees))
    if config.pdp is not None and predict is not None:
        findings = replace(findings, dependence=_depend(findings, config.pdp, predict, log))
    return findings


def _bias(findings: Findings, predict: Predict | None, log: Log) -> BiasFindings:
    config, roles = findings.config, findings.roles
    predicted, scores = (None, None)
    if config.post_training_bias is not None:
        predicted, scores = _predicted(findings, predict, log)
    return find_bias(config, from_rows(config, roles, predicted), scores, log)


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


def _depend(findings: Findings, settings: PartialDependence, predict: Predict, log: Log) -> list[Dependence]:
    features = findings.roles.features
    names = chosen(features, settings, findings.explanation)
    log(f"Partial dependence on {', '.join(names)}.")
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


def write(findings: Findings, folder: Path, log: Log) -> None:
    """Write Clarify's files below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    document = json.dumps(findings.in_json(), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "analysis.json").write_text(document, "utf-8")
    report = findings.config.report
    if findings.explanation is not None:
        _write_explanation(findings, findings.explanation, folder / "explanations_shap")
    if report is not None:
        shown = page.page(findings)
        (folder / f"{report.name}.html").write_text(html.render(shown), "utf-8")
        (folder / f"{report.name}.ipynb").write_text(notebook.render(findings), "utf-8")
        if pdf.available():
            (folder / f"{report.name}.pdf").write_bytes(pdf.render(shown))
        else:
            log(pdf.HOW_TO_GET)
    written = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    log(f"Wrote {', '.join(written)}.")


def _write_explanation(findings: Findings, explanation: Explanation, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    explanation.baseline.to_csv(folder / "baseline.csv", index=False)
    if findings.config.shap is not None and findings.config.shap.save_local_shap_values:
        local = explanation.local()
        if findings.roles.joinsource is not None:
            local.insert(0, str(findings.roles.joinsource.name), findings.roles.joinsource.to_numpy())
        local.to_csv(folder / "out.csv", index=False)
