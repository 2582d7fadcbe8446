"""What one peer takes for bias: `python bias_peer.py TASK FILE TIMES`, run in the peer's own environment.

Prints CPU seconds of one thread (the least of TIMES), the peak of memory in MB, and the values, as JSON. The
columns are in memory, and typed as the peer likes them best, before the clock starts.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

COUNTED = ["AD", "CDDPL", "DAR", "DCA", "DCR", "DI", "DPPL", "DRR", "GE", "RD", "SD", "TE"]
TEXTS = ["sex", "income", "predicted", "team"]


def main() -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    task, file, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
    run = TASKS[task](file)
    taken = []
    for _ in range(times):
        begin = time.process_time()
        values = run()
        taken.append(time.process_time() - begin)
    memory = peak()
    print(json.dumps({"seconds": min(taken), "memory": memory, "values": values}))


def peak() -> float:
    """The largest part of main memory that this process held, in MB (from the kernel, not its parent's)."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


def smclarify(file: str, facet: str, sensitive: list[Any]) -> Callable[[], dict[str, float]]:
    """The 20 metrics that counting gives, of one facet. Texts become categories: its fast path."""
    from smclarify.bias import report

    data = pd.read_parquet(file, columns=[*TEXTS, *({facet} - set(TEXTS))])
    data = data.astype(dict.fromkeys(TEXTS, "category"))
    stages = [(report.StageType.PRE_TRAINING, ["all"]), (report.StageType.POST_TRAINING, COUNTED)]

    def run() -> dict[str, float]:
        found = {}
        for stage, metrics in stages:
            (entry,) = report.bias_report(
                data,
                report.FacetColumn(facet, list(sensitive)),
                report.LabelColumn("income", data["income"], [">50K"]),
                stage,
                report.LabelColumn("predicted", data["predicted"]),
                metrics,
                data["team"],
            )
            found.update({m["name"]: m["value"] for m in entry["metrics"]})
        return found

    return run


def flip_test(file: str) -> Callable[[], dict[str, float]]:
    from smclarify.bias.metrics import posttraining

    data = pd.read_parquet(file)
    sensitive, predicted = data.pop("sensitive"), data.pop("predicted")
    return lambda: {"FT": posttraining.FT(data, sensitive, predicted)}


AIF360_DATA = ("mean_difference", "disparate_impact", "base_rate", "num_positives")
AIF360_PREDICTIONS = (
    *("mean_difference", "disparate_impact", "equal_opportunity_difference", "average_odds_difference"),
    *("average_abs_odds_difference", "false_positive_rate_difference", "false_negative_rate_difference"),
    *("false_omission_rate_difference", "false_discovery_rate_difference", "error_rate_difference"),
    *("error_rate_ratio", "true_positive_rate_difference", "generalized_entropy_index", "theil_index"),
    "coefficient_of_variation",
)


def aif360(file: str) -> Callable[[], dict[str, float]]:
    """4 metrics of the data and 15 of the predictions, with the data sets that they need."""
    from aif360.datasets import BinaryLabelDataset
    from aif360.metrics import BinaryLabelDatasetMetric, ClassificationMetric

    data = pd.read_parquet(file, columns=TEXTS)
    codes = pd.DataFrame({"sex": data["sex"] == "Male", "income": data["income"] == ">50K"}).astype(float)
    predicted = (data["predicted"] == ">50K").to_numpy(dtype=float)[:, None]
    sides = {"unprivileged_groups": [{"sex": 0}], "privileged_groups": [{"sex": 1}]}

    def run() -> dict[str, float]:
        labels = BinaryLabelDataset(df=codes, label_names=["income"], protected_attribute_names=["sex"])
        guess = labels.copy()
        guess.labels = predicted
        one = BinaryLabelDatasetMetric(labels, **sides)
        two = ClassificationMetric(labels, guess, **sides)
        found = {name: getattr(one, name)() for name in AIF360_DATA}
        return {**found, **{f"{name} after": getattr(two, name)() for name in AIF360_PREDICTIONS}}

    return run


def fairlearn(file: str) -> Callable[[], dict[str, float]]:
    """9 metrics by sex, and one of them by sex within teams."""
    data = _frames(file)
    return lambda: _frame(data)


def fairlearn_replicates(file: str) -> Callable[[], dict[str, float]]:
    """10 bootstrap replicates of 2 metrics."""
    data = _frames(file)
    return lambda: _frame(data, 10)


def _frames(file: str) -> tuple[Any, ...]:
    data = pd.read_parquet(file, columns=TEXTS).astype("category")
    positive = [(data[name] == ">50K").to_numpy(dtype=int) for name in ("income", "predicted")]
    return (*positive, data["sex"], data["team"])


def _frame(data: tuple[Any, ...], replicates: int | None = None) -> dict[str, float]:
    from fairlearn import metrics
    from sklearn.metrics import accuracy_score, precision_score, recall_score

    label, predicted, sex, team = data
    asked: dict[str, Any] = {"selection": metrics.selection_rate, "recall": recall_score}
    if replicates:
        more = {"n_boot": replicates, "ci_quantiles": [0.025, 0.975], "random_state": 0}
        frame = metrics.MetricFrame(
            metrics=asked, y_true=label, y_pred=predicted, sensitive_features=sex, **more
        )
        return {"recall": float(frame.difference_ci()[1]["recall"])}
    rates = ("true_negative_rate", "false_positive_rate", "false_negative_rate", "mean_prediction", "count")
    asked |= {name: getattr(metrics, name) for name in rates}
    asked |= {"accuracy": accuracy_score, "precision": precision_score}
    frame = metrics.MetricFrame(metrics=asked, y_true=label, y_pred=predicted, sensitive_features=sex)
    within = metrics.MetricFrame(
        metrics=metrics.selection_rate,
        y_true=label,
        y_pred=predicted,
        sensitive_features=sex,
        control_features=team,
    )
    return {**frame.difference().to_dict(), "within": float(np.mean(within.difference()))}


TASKS: dict[str, Callable[[str], Callable[[], dict[str, float]]]] = {
    "smclarify": lambda file: smclarify(file, "sex", ["Female"]),
    "smclarify threshold": lambda file: smclarify(file, "amount", [30_000]),
    "smclarify flip test": flip_test,
    "aif360": aif360,
    "fairlearn": fairlearn,
    "fairlearn replicates": fairlearn_replicates,
}

if __name__ == "__main__":
    main()
