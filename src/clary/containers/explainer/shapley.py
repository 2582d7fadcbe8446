"""Kernel SHAP of single records: their mixtures with the baseline as lines, the model's scores as values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.clarify.coalitions import Design, Flags, Floats, attribute
from clary.clarify.columns import canonical
from clary.clarify.scoring import logits
from clary.clarify.kernel_shap import ALONE, Designs, samples_each
from clary.containers.explainer.records import Writer
from clary.containers.explainer.settings import Settings

LINES = 20_000
"""About as many are written before the model is asked."""

Ask = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True)
class Question:
    """What one record is asked against one record of the baseline; the first line is the baseline's own."""

    record: int
    varying: NDArray[np.int64]
    design: Design
    lines: Sequence[str]


def values(
    rows: Sequence[Sequence[Any]],
    baseline: Sequence[Sequence[Any]],
    own: Floats,
    writer: Writer,
    settings: Settings,
    ask: Ask,
) -> Floats:
    """Shape (rows, features, outputs): with the baseline's mean score they add up to the row's own.

    A row's values depend on no other row: with a seed they are the same in every request.
    """
    scale = logits if settings.use_logit else np.asarray
    own = scale(own)
    found = np.zeros((len(rows), len(baseline[0]), own.shape[1]))
    for batch in _batches(_questions(rows, baseline, writer, settings)):
        scores = scale(ask([line for question in batch for line in question.lines]))
        ends = np.cumsum([len(question.lines) for question in batch])
        for question, answer in zip(batch, np.split(scores, ends[:-1]), strict=True):
            empty = answer[0]
            gain = own[question.record] - empty
            part, _ = attribute(question.design, (answer[1:] - empty)[None], gain[None])
            found[question.record, question.varying] += part[0] / len(baseline)
    return found


def _questions(
    rows: Sequence[Sequence[Any]], baseline: Sequence[Sequence[Any]], writer: Writer, settings: Settings
) -> Iterator[Question]:
    samples = samples_each(settings.samples, len(baseline[0]), len(baseline))
    others = [[writer.cell(value) for value in other] for other in baseline]
    for number, row in enumerate(rows):
        varying = [_varying(row, other) for other in baseline]
        counts = tuple(len(each) for each in varying if len(each))
        designs = iter(_designs(counts, samples, settings.seed))
        mine = [writer.cell(value) for value in row]
        for index, other in zip(varying, others, strict=True):
            if len(index):
                plan = next(designs)
                yield Question(number, index, plan, _lines(mine, other, index, plan.coalitions, writer))


@lru_cache(maxsize=16)
def _designs(counts: tuple[int, ...], samples: int, seed: int | None) -> list[Design]:
    """A design for each number of varying features, in the order in which `clarify.explain` draws them."""
    drawn = Designs(samples, seed)
    return [drawn.next(count) if count > 1 else ALONE for count in counts]


def _varying(row: Sequence[Any], other: Sequence[Any]) -> NDArray[np.int64]:
    """1, 1.0 and "1" are the same value."""
    differ = [mine != its and canonical(mine) != canonical(its) for mine, its in zip(row, other, strict=True)]
    return np.flatnonzero(differ)


def _lines(
    mine: Sequence[str], other: Sequence[str], varying: NDArray[np.int64], coalitions: Flags, writer: Writer
) -> list[str]:
    known = np.ones((len(coalitions) + 1, len(mine)), dtype=bool)
    known[0, varying] = False
    known[1:, varying] = coalitions
    table = np.where(known, np.array(mine, dtype=object), np.array(other, dtype=object))
    return [writer.line(cells) for cells in table.tolist()]


def _batches(questions: Iterator[Question]) -> Iterator[list[Question]]:
    batch: list[Question] = []
    for question in questions:
        batch.append(question)
        if sum(len(each.lines) for each in batch) >= LINES:
            yield batch
            batch = []
    if batch:
        yield batch
