"""Code of report.ipynb for parts of an analysis that have files of their own, or that few analyses have."""

SERIES = """\
from itertools import groupby

found = analysis["explanations"]["asymmetric_shapley_value"]
place = Path("asymmetric_shapley_value", f"{found['granularity']}_{found['direction']}", "out.jsonl")
drawn = ""
for line in place.read_text("utf-8").splitlines():
    item = json.loads(line)
    mean = sum(item["forecast"]) / len(item["forecast"])
    for name, parts in groupby(item["explanations"], lambda part: part.get("feature_name", "each time step")):
        means = [(part.get("timestamp", name), sum(part["scores"]) / len(part["scores"])) for part in parts]
        title = f"{item['item_id']}: {name}, mean forecast {mean:.4g}"
        drawn += bars(title, [(str(when), value, "") for when, value in means])
HTML(drawn)"""

PAIRS = """\
drawn = ""
for output, found in analysis["explanations"]["kernel_shap_interactions"].items():
    rows = [(" and ".join(p["features"]), p["mean_abs"], f"mean {p['mean']:+.4f}") for p in found["pairs"]]
    drawn += bars(f"{output}: mean absolute interaction of {found['rows']} rows", rows)
HTML(drawn)"""

SEGMENTS = """\
drawn = ""
for name, division in analysis["segments"].items():
    for segment, found in division["segments"].items():
        told = [f"{division['column']}: {segment}, {found['rows']} rows", *found.get("errors", [])]
        drawn += f"<h3>{html.escape('. '.join(told))}</h3>"
        for stage in ("pre_training_bias_metrics", "post_training_bias_metrics"):
            for facet, values in found.get(stage, {}).get("facets", {}).items():
                for value in values:
                    drawn += metrics(value["metrics"], f"{segment}: {facet}: {value['value_or_threshold']}")
HTML(drawn)"""

TEXT_GLOBAL = """\
drawn = ""
for output, found in analysis["explanations"]["kernel_shap"].items():
    for column, units in found["global_top_shap_text"].items():
        rows = [(unit, value, "") for unit, value in units.items()]
        drawn += bars(f"{output}: strongest in {column}", rows)
HTML(drawn)"""

TEXT = """\
lines = Path("explanations_shap/out.jsonl").read_text("utf-8").splitlines()
drawn = ""
for row, line in enumerate(lines[:5], 1):
    for feature in json.loads(line)["explanations"]:
        names = [a.get("description", {}).get("partial_text", "value") for a in feature["attributions"]]
        values = [a["attribution"][-1] for a in feature["attributions"]]
        title = f"Row {row}, {feature['feature_name']}"
        drawn += bars(title, [(n, v, "") for n, v in zip(names, values)])
HTML(drawn)"""

IMAGES = """\
from IPython.display import Image, display

for image in analysis["explanations"]["images"]:
    print(image["image"], f"{image['width']} x {image['height']} pixels")
    for found in image["explained"]:
        display(Image(filename=found["heat_map"]))
        values = zip(range(1, image["segments"] + 1), found["segment_shap_values"], found["standard_errors"])
        ranked = sorted(values, key=lambda item: -abs(item[1]))[:10]
        title = f"{found['label']}: score {found['score']:.4f}, baseline {found['expected_value']:.4f}"
        rows = [(f"superpixel {n}", v, "" if e is None else f"± {e:.4f}") for n, v, e in ranked]
        display(HTML(bars(title, rows)))"""

DRIFT = """\
found = json.loads(Path("constraint_violations.json").read_text("utf-8"))
told = [f"{v['metric_name']}: {v['description']}" for v in found["violations"]]
told = told or ["No constraint is violated."]
HTML("".join(f"<p>{html.escape(line)}</p>" for line in told))"""
