"""Kernel SHAP of single records: their mixtures with the baseline as lines, the model's scores as values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from clary.clarify.data.scoring import logits
from clary.clarify.shap.coalitions import Design, Floats, attribute
from clary.clarify.shap.kernel import ALONE, Designs, samples_each
from clary.containers.explainer.pieces import Mixture, Record, lines, mixture
from clary.containers.explainer.records import Writer
from clary.containers.explainer.settings import Settings

LINES = 20_000
"""About as many are written before the model is asked."""

Ask = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True)
class Question:
    """What one record is asked against one record of the baseline; the first line is with nothing known."""

    record: int
    mixed: Mixture
    design: Design
    lines: Sequence[str]


def values(
    rows: Sequence[Record],
    baseline: Sequence[Sequence[Any]],
    own: Floats,
    writer: Writer,
    settings: Settings,
    ask: Ask,
) -> list[Floats]:
    """For each row (pieces, outputs): with the mean score of nothing known they add up to the row's own.

    A row's values depend on no other row: with a seed they are the same in every request.
    """
    scale = logits if settings.use_logit else np.asarray
    own = scale(own)
    found = [np.zeros((row.pieces, own.shape[1])) for row in rows]
    for batch in _batches(_questions(rows, baseline, writer, settings)):
        scores = scale(ask([line for question in batch for line in question.lines]))
        ends = np.cumsum([len(question.lines) for question in batch])
        for question, answer in zip(batch, np.split(scores, ends[:-1]), strict=True):
            empty = answer[0]
            gain = own[question.record] - empty
            part, _ = attribute(question.design, (answer[1:] - empty)[None], gain[None])
            found[question.record][question.mixed.varying] += part[0] / len(baseline)
    return found


def _questions(
    rows: Sequence[Record], baseline: Sequence[Sequence[Any]], writer: Writer, settings: Settings
) -> Iterator[Question]:
    for number, row in enumerate(rows):
        mixtures = [mixture(row, other, writer) for other in baseline]
        varying = [mixed for mixed in mixtures if len(mixed.varying)]
        samples = samples_each(settings.samples, row.pieces, len(baseline))
        plans = _designs(tuple(len(mixed.varying) for mixed in varying), samples, settings.seed)
        for mixed, plan in zip(varying, plans, strict=True):
            yield Question(number, mixed, plan, lines(mixed, plan.coalitions, writer))


@lru_cache(maxsize=16)
def _designs(counts: tuple[int, ...], samples: int, seed: int | None) -> list[Design]:
    """A design for each number of varying pieces, in the order in which `clarify.explain` draws them."""
    drawn = Designs(samples, seed)
    return [drawn.next(count) if count > 1 else ALONE for count in counts]


def _batches(questions: Iterator[Question]) -> Iterator[list[Question]]:
    batch: list[Question] = []
    for question in questions:
        batch.append(question)
        if sum(len(each.lines) for each in batch) >= LINES:
            yield batch
            batch = []
    if batch:
        yield batch
