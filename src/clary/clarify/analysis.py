"""A whole analysis: from a configuration, data and a model to analysis.json, report and local values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from clary.clarify.bias_metrics import StageBias, bias
from clary.clarify.config import AnalysisConfig, PartialDependence, parse
from clary.clarify.dataset import read
from clary.clarify.errors import ClarifyError
from clary.clarify.explanation import Explanation
from clary.clarify.findings import Findings
from clary.clarify.kernel_shap import explain
from clary.clarify.partial_dependence import Dependence, chosen, partial_dependence
from clary.clarify.predictions import Predict, ask, labels
from clary.clarify.report import html, notebook
from clary.clarify.roles import Roles, cast
from clary.clarify.tabulation import Target
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
    `output_dir` the files that Clarify writes are written there: analysis.json, <report>.html and .ipynb,
    explanations_shap/out.csv and baseline.csv. `trees` is the model itself where it is a tree model: SHAP is
    then read from it if it adds up to the explained score. Raises ClarifyError that says what to change.
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
    frame = data.reset_index(drop=True) if isinstance(data, pd.DataFrame) else read(Path(data), config)
    roles = cast(frame, config)
    log(f"Read {len(frame):,} rows with {roles.features.shape[1]} features for the model.")
    _warn_of_gaps(roles, log)
    findings = Findings(config, asked, roles)
    if config.pre_training_bias is not None:
        log("Measuring pre-training bias.")
        findings = replace(findings, pre_training=_bias(findings, None))
    if config.post_training_bias is not None:
        findings = replace(findings, post_training=_bias(findings, _predicted(findings, predict, log)))
        log("Measured post-training bias.")
    if config.shap is not None and predict is not None:
        findings = replace(findings, explanation=_explain(findings, predict, log, trees))
    if config.pdp is not None and predict is not None:
        findings = replace(findings, dependence=_depend(findings, config.pdp, predict, log))
    return findings


def _warn_of_gaps(roles: Roles, log: Log) -> None:
    for name in roles.facets:
        missing = int(roles.table[name].isna().sum()) if name in roles.table.columns else 0
        if missing:
            log(f"The facet {name!r} is missing in {missing:,} rows: they count as not in the facet.")


def _bias(findings: Findings, predicted: Any) -> StageBias:
    config, roles = findings.config, findings.roles
    methods = config.pre_training_bias if predicted is None else config.post_training_bias
    if roles.label is None or methods is None:
        raise ClarifyError("The bias metrics need label: add it to analysis_config.json.")
    return bias(
        roles.table,
        roles.facets,
        Target(roles.label, config.label_values_or_threshold, predicted),
        roles.group,
        methods,
    )


def _predicted(findings: Findings, predict: Predict | None, log: Log) -> Any:
    """Predicted labels: from the data where they come with it, else from the model."""
    config, roles = findings.config, findings.roles
    if roles.predicted is not None:
        return roles.predicted
    if predict is None or roles.label is None:
        raise ClarifyError("The post-training metrics need a model or predicted labels.")
    log(f"Asking the model for {len(roles.features):,} predictions.")
    return labels(
        ask(predict, roles.features),
        roles.label,
        config.label_values_or_threshold,
        config.probability_threshold,
        config.predictor.label_headers,
    )


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
        (folder / f"{report.name}.html").write_text(html.render(findings), "utf-8")
        (folder / f"{report.name}.ipynb").write_text(notebook.render(findings), "utf-8")
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
