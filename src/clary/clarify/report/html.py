"""report.html: one self-contained page for the screen and for paper."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jinja2

from clary.clarify.bias_analysis import BiasFindings
from clary.clarify.bias_metrics import FacetBias, StageBias
from clary.clarify.explanation import Explanation
from clary.clarify.findings import Findings
from clary.clarify.metrics.registry import find
from clary.clarify.report import charts, text, time_series, words
from clary.clarify.report import interactions as pairs
from clary.clarify.report.bias import tables
from clary.clarify.report.drift import section
from clary.clarify.report.images import pictures
from clary.clarify.report.segments import divisions

HEADLINES = ("DPL", "DPPL", "DI", "RD", "AD")
"""The metrics that the summary reads out where they have a value."""


def render(findings: Findings) -> str:
    """The page as text. Every name and value from the data is escaped by the template."""
    folder = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(number=words.number, plain=words.plain, percent=words.percent)
    report = findings.config.report
    bias = findings.bias or BiasFindings()
    stages = [s for s in (bias.pre_training, bias.post_training) if s is not None]
    explanation = findings.explanation
    return environment.get_template("report.html.jinja").render(
        title=report.title if report else "Analysis Report",
        style="".join((folder / name).read_text("utf-8") for name in ("report.css", "text.css")),
        made=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        rows=findings.rows,
        features=findings.roles.features.shape[1],
        facets=_facets(stages),
        stages=[_stage(stage) for stage in stages],
        outputs=_outputs(explanation),
        curves=[charts.curve(item, len(item.predictions) - 1) for item in findings.dependence],
        explanation=explanation,
        text=text.section(findings.text),
        use_logit=bool(findings.config.shap and findings.config.shap.use_logit),
        baseline=_baseline(explanation),
        config=json.dumps(findings.asked, indent=2, ensure_ascii=False),
        versions=_versions(),
        label=_label(stages),
        tables=tables(bias),
        series=time_series.view(findings.forecasts),
        interactions=pairs.view(findings.interactions),
        images=pictures(findings),
        drift=section(findings.drift),
        divisions=divisions(findings),
    )


def _label(stages: list[StageBias]) -> dict[str, str] | None:
    if not stages:
        return None
    return {"name": stages[0].label, "positive": stages[0].label_value_or_threshold}


def _facets(stages: list[StageBias]) -> list[dict[str, Any]]:
    """One overview for each facet value: the two sides' sizes and shares, and the headline sentences."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for stage in stages:
        for facets in stage.facets.values():
            for facet in facets:
                key = (facet.facet, facet.value_or_threshold)
                overview = found.setdefault(key, {"sentences": []})
                overview.update(_overview(facet, stage.stage == "post_training_bias"))
                overview["sentences"] += _headlines(facet)
    return list(found.values())


def _overview(facet: FacetBias, predicted: bool) -> dict[str, Any]:
    d, a = words.sides(facet)
    total = int(facet.contrast.sizes.sum())
    sides = [_side(facet, 1, d, total, predicted), _side(facet, 0, a, total, predicted)]
    return {"heading": words.heading(facet), "a": a, "sides": sides}


def _side(facet: FacetBias, side: int, name: str, total: int, predicted: bool) -> dict[str, Any]:
    o = facet.contrast.d if side else facet.contrast.a
    (tn, fp), (fn, tp) = facet.contrast.sizes[side].astype(int).tolist()
    whole = float(o.n) or 1.0
    shares: list[tuple[str, float]] = [("label", float(o.tp + o.fn) / whole)]
    if predicted:
        shares.append(("prediction", float(o.tp + o.fp) / whole))
    return {
        "name": name,
        "rows": tn + fp + fn + tp,
        "share": (tn + fp + fn + tp) / total,
        "shares": shares,
        "outcomes": {"tp": tp, "fp": fp, "fn": fn, "tn": tn} if predicted else None,
        "sensitive": side == 1,
    }


def _headlines(facet: FacetBias) -> list[str]:
    return [
        words.reading(record, facet)
        for record in facet.metrics
        if record["name"] in HEADLINES and isinstance(record["value"], float)
    ]


def _stage(stage: StageBias) -> dict[str, Any]:
    after = stage.stage == "post_training_bias"
    return {
        "title": "Bias of the model's predictions" if after else "Bias in the data",
        "subtitle": "Post-training metrics" if after else "Pre-training metrics",
        "key": stage.stage,
        "facets": [_measured(facet, stage) for facets in stage.facets.values() for facet in facets],
    }


def _measured(facet: FacetBias, stage: StageBias) -> dict[str, Any]:
    d, a = words.sides(facet)
    confidence = stage.intervals.confidence if stage.intervals else 0.0
    return {
        "heading": words.heading(facet),
        "a": a,
        "metrics": [_metric(record, facet, confidence) for record in facet.metrics],
        "warnings": [words.warning(w, d, a) for w in facet.warnings],
    }


def _metric(record: dict[str, Any], facet: FacetBias, confidence: float) -> dict[str, Any]:
    m = find(record["name"])
    return {
        **record,
        "title": m.description.rsplit(" (", 1)[0],
        "meaning": m.words.meaning,
        "reading": words.reading(record, facet),
        "gauge": charts.gauge(m.scale, record["value"]),
        "shown": words.number(record["value"], signed=m.scale.low < 0),
        "sureness": words.sureness(record, confidence, signed=m.scale.low < 0),
    }


def _outputs(explanation: Explanation | None) -> list[dict[str, Any]]:
    if explanation is None:
        return []
    return [
        {
            "name": name,
            "bars": charts.importance(explanation, k),
            "swarm": charts.swarm(explanation, k),
            "expected": float(explanation.expected[k]),
        }
        for k, name in enumerate(explanation.outputs)
    ]


def _baseline(explanation: Explanation | None) -> dict[str, Any] | None:
    if explanation is None:
        return None
    shown = explanation.baseline.head(5)
    lines = [(str(name), [str(v) for v in shown[name]]) for name in shown.columns]
    return {"lines": lines, "count": len(explanation.baseline)}


def _versions() -> list[tuple[str, str]]:
    found = [("Python", platform.python_version())]
    for package in ("clary", "numpy", "pandas", "scikit-learn", "shap", "scikit-image", "pillow"):
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return found
