"""Draws a report again from analysis.json. The first cell of report.ipynb; needs nothing but Python."""

import html
import json
from pathlib import Path
from typing import Any

BLUE, GREY, RED, LIGHT = "#3b5bdb", "#98a1b3", "#d6336c", "#8884"


def read(name: str = "analysis.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(name).read_text("utf-8"))
    return found


def number(value: Any) -> str:
    """Three decimals; what is no number as it is written."""
    return f"{value:+.3f}" if isinstance(value, int | float) else "no value" if value is None else str(value)


def table(head: list[str], rows: list[list[str]], title: str = "") -> str:
    """Cells may hold drawings; texts in them are escaped by whoever made them."""
    lines = ["".join(f"<th style='text-align:left'>{html.escape(name)}</th>" for name in head)]
    lines += ["".join(f"<td style='text-align:left'>{cell}</td>" for cell in row) for row in rows]
    caption = f"<h4>{html.escape(title)}</h4>" if title else ""
    return caption + "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def svg(width: float, height: float, inside: str) -> str:
    return f"<svg width='{width}' height='{height}' viewBox='0 0 {width} {height}'>{inside}</svg>"


def span(value: Any, ends: Any, top: float) -> str:
    """A value as a dot around zero, its interval as a line."""
    if not isinstance(value, int | float):
        return ""

    def x(number: Any) -> float:
        return 110 + 100 * max(-1.0, min(1.0, float(number) / (top or 1)))

    line = f"<line x1='110' x2='110' y1='0' y2='18' stroke='{GREY}'/>"
    if ends:
        line += f"<line x1='{x(ends[0])}' x2='{x(ends[1])}' y1='9' y2='9' stroke='{BLUE}' stroke-width='2'/>"
    return svg(220, 18, line + f"<circle cx='{x(value)}' cy='9' r='5' fill='{BLUE}'/>")


def metrics(records: list[dict[str, Any]], title: str) -> str:
    """Metrics with their intervals, p-values and reasons."""
    top = max((abs(r["value"]) for r in records if isinstance(r["value"], int | float)), default=1.0)
    rows = []
    for r in records:
        ends = r.get("confidence_interval")
        sure = f"{number(ends[0])} to {number(ends[1])}" if ends else html.escape(r.get("interval_error", ""))
        chance = "" if r.get("p_value") is None else f"{r['p_value']:.3f}"
        drawn = span(r["value"], ends, top) or html.escape(r.get("error", ""))
        rows.append([html.escape(r["description"]), number(r["value"]), drawn, sure, chance])
    return table(["Metric", "Value", "", "Interval", "p"], rows, title)


def bias(stage: dict[str, Any]) -> str:
    """Every facet value of a stage, with its warnings."""
    drawn = (
        f"<p>Positive label: {html.escape(stage['label'])} = "
        f"{html.escape(stage['label_value_or_threshold'])}</p>"
    )
    for facet, values in stage["facets"].items():
        for value in values:
            rows = value["rows"]
            title = (
                f"{facet}: {value['value_or_threshold']} ({rows['facet']:,} rows against "
                f"{rows['others']:,} others)"
            )
            drawn += metrics(value["metrics"], title)
            few = [
                f"{w['rows']} {w['part']} of the {w['facet']}: {', '.join(w['metrics'])}"
                for w in value["warnings"]
            ]
            drawn += f"<p>Few rows: {html.escape('; '.join(few))}.</p>" if few else ""
    return drawn


def beyond(stage: dict[str, Any]) -> str:
    """Intersections of facets, classes and quantities of a stage."""
    drawn = ""
    for crossed in stage.get("intersections", []):
        for group in crossed["subgroups"]:
            drawn += metrics(group["metrics"], " & ".join(group["value_or_threshold"].values()))
    for facet, values in stage.get("multiclass", {}).items():
        for value in values:
            drawn += metrics(
                value["distribution"], f"{facet}: {value['value_or_threshold']}, over all classes"
            )
            for each in value["classes"]:
                title = (
                    f"{facet}: {value['value_or_threshold']}, class {each['label_value']} against the rest"
                )
                drawn += metrics(each["metrics"], title)
    for facet, values in stage.get("regression", {}).items():
        for value in values:
            for what in [key for key in value if key != "value_or_threshold"]:
                drawn += metrics(value[what], f"{facet}: {value['value_or_threshold']}, {what}")
    return drawn


def mitigation(found: dict[str, Any]) -> str:
    """Remedies: what they are, and each metric before and after."""
    drawn = ""
    for facet, values in found.get("reweighing", {}).get("facets", {}).items():
        for value in values:
            parts = [
                f"{'in' if p['facet'] else 'outside'} the facet, "
                f"{'positive' if p['positive_label'] else 'negative'}: "
                f"{p['weight']:.3f}"
                for p in value["weights"]
            ]
            drawn += _effect(
                value["metrics"], f"Reweighing {facet}: {value['value_or_threshold']}", "; ".join(parts)
            )
    for facet, values in found.get("thresholds", {}).get("facets", {}).items():
        for value in values:
            for tried in value["strategies"]:
                title = f"Thresholds {facet}: {value['value_or_threshold']}, {tried['strategy']}"
                if "error" in tried:
                    drawn += f"<h4>{html.escape(title)}</h4><p>{html.escape(tried['error'])}</p>"
                    continue
                at, right = tried["thresholds"], tried["accuracy"]
                told = (
                    f"facet {at['facet']:.3f}, others {at['others']:.3f}; "
                    f"accuracy {right['before']:.3f} before, {right['after']:.3f} after"
                )
                drawn += _effect(tried["metrics"], title, told)
    return drawn


def _effect(changes: list[dict[str, Any]], title: str, told: str) -> str:
    rows = [[html.escape(c["name"]), number(c["before"]), number(c["after"])] for c in changes]
    return table(["Metric", "before", "after"], rows, title) + f"<p>{html.escape(told)}</p>"


def importance(found: dict[str, Any], most: int = 30) -> str:
    """Global SHAP values of every output, largest first."""
    drawn = ""
    for output, part in found.items():
        ranked = sorted(part["global_shap_values"].items(), key=lambda item: -abs(item[1]))[:most]
        top = max((abs(value) for _, value in ranked), default=1.0) or 1.0
        errors = part.get("standard_errors", {})
        rows = []
        for name, value in ranked:
            bar = (
                f"<rect width='{240 * abs(value) / top:.1f}' height='14' "
                f"fill='{BLUE if value >= 0 else RED}'/>"
            )
            error = "" if errors.get(name) is None else f"{errors[name]:.2g}"
            rows.append([html.escape(name), svg(240, 14, bar), f"{value:.4g}", error])
        head = ["Feature", "", "Global value", "Standard error of a row's value"]
        drawn += table(head, rows, f"{output}: the baseline scores {part['expected_value']:.4g}")
    return drawn


def beeswarm(local: dict[str, list[float]], found: dict[str, Any], most: int = 15, dots: int = 300) -> str:
    """The rows' SHAP values, one line a feature, from explanations_shap/out.csv."""
    drawn = ""
    for output, part in found.items():
        ranked = sorted(part["global_shap_values"], key=lambda name: -abs(part["global_shap_values"][name]))[
            :most
        ]
        columns = {
            name: local[f"{name}_{output}"][:: max(1, len(local[f"{name}_{output}"]) // dots)]
            for name in ranked
        }
        top = max((abs(value) for values in columns.values() for value in values), default=1.0) or 1.0
        rows = []
        for name, values in columns.items():
            marks = "".join(
                f"M{260 + 250 * v / top:.1f} {4 + 16 * (i * 0.618 % 1):.1f}h0" for i, v in enumerate(values)
            )
            line = f"<line x1='260' x2='260' y1='0' y2='24' stroke='{GREY}'/>"
            dot = f"<path d='{marks}' stroke='{BLUE}' stroke-width='4' stroke-linecap='round' opacity='.6'/>"
            rows.append([html.escape(name), svg(520, 24, line + dot)])
        drawn += table(["Feature", f"from {-top:.3g} to {top:.3g}"], rows, f"Every row's values for {output}")
    return drawn


def waterfall(local: dict[str, list[float]], found: dict[str, Any], row: int, most: int = 12) -> str:
    """How one row comes from the baseline's score to its own."""
    drawn = ""
    for output, part in found.items():
        values = {name: local[f"{name}_{output}"][row] for name in part["global_shap_values"]}
        ranked = sorted(values, key=lambda name: -abs(values[name]))
        start = part["expected_value"]
        steps = [(name, values[name]) for name in ranked[:most]]
        steps += (
            [("all other features", sum(values[name] for name in ranked[most:]))]
            if len(ranked) > most
            else []
        )
        ends = [start]
        for _, value in steps:
            ends.append(ends[-1] + value)
        low, wide = min(ends), (max(ends) - min(ends)) or 1.0
        rows = []
        for (name, value), a, b in zip(steps, ends, ends[1:], strict=False):
            x, width = 320 * (min(a, b) - low) / wide, max(1.0, 320 * abs(value) / wide)
            bar = f"<rect x='{x:.1f}' width='{width:.1f}' height='14' fill='{RED if value > 0 else BLUE}'/>"
            rows.append([html.escape(name), svg(330, 14, bar), number(value)])
        drawn += table(["Feature", "", ""], rows, f"Row {row + 1}, {output}: {start:.4g} to {ends[-1]:.4g}")
    return drawn


def bars(title: str, rows: list[tuple[str, Any, str]]) -> str:
    """(name, value, note) rows as bars around zero; a value may be no number."""
    top = max((abs(v) for _, v, _ in rows if isinstance(v, int | float)), default=1.0) or 1.0
    drawn = []
    for name, value, note in rows:
        bar = ""
        if isinstance(value, int | float):
            width = 120 * abs(value) / top
            x = 120 - (width if value < 0 else 0)
            bar = f"<rect x='{x:.1f}' width='{width:.1f}' height='14' fill='{RED if value > 0 else BLUE}'/>"
        drawn.append([html.escape(name), svg(240, 14, bar), number(value), html.escape(note)])
    return table(["", "", "", ""], drawn, title)


def dependence(items: list[dict[str, Any]]) -> str:
    """Partial dependence: bars of categories, lines of numbers, with the rows' share below."""
    drawn = ""
    for item in items:
        for output, scores in zip(item["label_headers"], item["model_predictions"], strict=True):
            title = f"{item['feature_name']}: mean score of {output}"
            drawn += (
                _bars(item, scores, title)
                if item["data_type"] == "categorical"
                else _line(item, scores, title)
            )
    return drawn


def _bars(item: dict[str, Any], scores: list[float], title: str) -> str:
    top = max(map(abs, scores), default=1.0) or 1.0
    rows = [
        [
            html.escape(str(value)),
            svg(240, 14, _bar(240 * abs(score) / top)),
            f"{score:.4g}",
            f"{share:.1%} of the rows",
        ]
        for value, score, share in zip(item["feature_values"], scores, item["data_distribution"], strict=True)
    ]
    return table(["Value", "", "Score", ""], rows, title)


def _bar(width: float) -> str:
    return f"<rect width='{width:.1f}' height='14' fill='{BLUE}'/>"


def _line(item: dict[str, Any], scores: list[float], title: str) -> str:
    values, low, high = item["feature_values"], min(scores), max(scores)
    wide, tall = (values[-1] - values[0]) or 1.0, (high - low) or 1.0
    points = [
        (30 + 440 * (v - values[0]) / wide, 130 - 110 * (s - low) / tall)
        for v, s in zip(values, scores, strict=True)
    ]
    line = (
        f"<path d='M{' L'.join(f'{x:.1f} {y:.1f}' for x, y in points)}' fill='none' stroke='{BLUE}' "
        "stroke-width='2'/>"
    )
    marks = "".join(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{BLUE}'/>" for x, y in points)
    shares = "".join(
        f"<rect x='{x - 8:.1f}' y='{170 - 40 * share:.1f}' width='16' height='{40 * share:.1f}' "
        f"fill='{LIGHT}'/>"
        for (x, _), share in zip(points, item["data_distribution"], strict=True)
    )
    told = f"<p>{values[0]:.4g} to {values[-1]:.4g}; scores from {low:.4g} to {high:.4g}</p>"
    return f"<h4>{html.escape(title)}</h4>" + svg(500, 172, line + marks + shares) + told
