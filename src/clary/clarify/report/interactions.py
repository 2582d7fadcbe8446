"""What the report draws of the pairs of features that work together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clary.clarify.report.words import MINUS, TIMES, plain
from clary.clarify.shap.interactions import InteractionExplanation


@dataclass(frozen=True)
class Pair:
    """One bar: the mean absolute interaction, and the mean with its sign."""

    name: str
    size: str
    width: float
    mean: str
    error: str


@dataclass(frozen=True)
class Output:
    name: str
    pairs: list[Pair]
    share: float
    """Of all that single features and pairs move the scores by, how much is that of pairs."""


@dataclass(frozen=True)
class View:
    """The section of the report."""

    outputs: list[Output]
    rows: int
    evaluations: int
    gap: float


def view(found: InteractionExplanation | None) -> View | None:
    """None where no interactions were asked for, or there is a single feature."""
    if found is None or len(found.features) < 2:
        return None
    outputs = [_output(found, k) for k in range(len(found.outputs))]
    return View(outputs, len(found.rows), found.evaluations, found.efficiency_gap)


def _output(found: InteractionExplanation, k: int) -> Output:
    size = np.abs(found.values[..., k]).mean(axis=0)
    whole = float(np.triu(size).sum())
    ranked = found.ranked(k)
    top = max((float(size[i, j]) for i, j in ranked), default=0.0) or 1.0
    return Output(
        found.outputs[k],
        [_pair(found, i, j, k, float(size[i, j]) / top) for i, j in ranked],
        float(np.triu(size, 1).sum()) / (whole or 1.0),
    )


def _pair(found: InteractionExplanation, i: int, j: int, k: int, share: float) -> Pair:
    values, error = found.values[:, i, j, k], float(found.errors[:, i, j, k].mean())
    mean = float(values.mean())
    return Pair(
        f"{found.features[i]} {TIMES} {found.features[j]}",
        plain(float(np.abs(values).mean())),
        round(100 * share, 2),
        ("+" if mean > 0 else MINUS if mean < 0 else "") + plain(abs(mean)),
        "unknown" if not np.isfinite(error) else "exact" if error == 0 else f"± {plain(error)}",
    )
