"""Kernel SHAP: what each feature adds to a model's score, for every row and over all rows.

Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", NeurIPS 2017. Three things make it
fast and say how exact it is: rows that differ from the baseline in equally many features share a design, so
that their values are one matrix product; values are linear in the baseline, so that each of its rows gets a
small design of its own; and the model is asked in large batches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.config.analysis import Shap
from clary.clarify.data.columns import Value
from clary.clarify.data.predictions import Predict
from clary.clarify.errors import ClarifyError
from clary.clarify.shap.baseline import clustered, given
from clary.clarify.shap.coalitions import Design, Floats, attribute, design
from clary.clarify.shap.explanation import AGGREGATE, Explanation
from clary.clarify.shap.game import Game, Question
from clary.clarify.shap.players import players_of, shown

DEFAULTS = Shap()
BATCH_CELLS = 4_000_000
"""Values of features in one call of the model: 32 MB of numbers."""
BLOCK_ROWS = (64, 4096)
"""The fewest and the most rows between two signs of progress."""
DESIGN_ROWS = 64
"""Rows that share a drawn design: more would let its error stand out in the means over rows."""
DESIGNS = 16
"""Drawn designs of one size that are kept and taken in turn."""
SPREAD = 10
"""How much rougher a game against one baseline row is than their mean (measured on boosted trees): with
n baseline rows each gets SPREAD / n of num_samples for the same error."""

Progress = Callable[[int, int], None]


def explain(
    features: pd.DataFrame,
    predict: Predict,
    settings: Shap = DEFAULTS,
    label_headers: Sequence[Value] | None = None,
    progress: Progress = lambda done, total: None,
) -> Explanation:
    """Explain the model's scores for every row of `features`, each column being one player.

    The baseline holds rows like those of `features`: given in `settings`, or a typical row of each cluster of
    the data (`num_clusters` of them, or as many as the data falls into). `num_samples` is the number of
    coalitions a row (2m + 2048 by default; at least two for each feature; all of them where that is fewer,
    and then the values are exact). With use_logit the values are those of the scores' logits. Raises
    ClarifyError where the model answers no numbers, or a baseline does not fit.
    """
    if not len(features):
        raise ClarifyError("There are no rows to explain.")
    features = features.rename(columns=str)
    background = baseline_of(features, settings)
    players = players_of(features, settings)
    game = Game(features, background, predict, players, settings.use_logit)
    base = game.of_background()
    own = game.of_rows()
    outputs = output_names(own.shape[1], label_headers)
    values, variances = _shapley(game, own, base, settings, progress)
    expected = base.mean(axis=0)
    gap = float(np.abs(values.sum(axis=1) + expected - own).max())
    visible = [i for i, player in enumerate(players) if player.shown]
    return Explanation(
        features=shown(features, players),
        outputs=outputs,
        values=values[:, visible],
        errors=np.sqrt(variances[:, visible]),
        expected=expected,
        scores=own,
        global_values=AGGREGATE[settings.agg_method](values[:, visible]),
        baseline=background,
        agg_method=settings.agg_method,
        evaluations=game.evaluations,
        efficiency_gap=gap,
    )


def output_names(number: int, label_headers: Sequence[Value] | None) -> list[str]:
    if label_headers is None:
        return [f"label{i}" for i in range(number)]
    if len(label_headers) != number:
        raise ClarifyError(
            f"label_headers has {len(label_headers)} names, but the model has {number} outputs."
        )
    return list(map(str, label_headers))


def baseline_of(features: pd.DataFrame, settings: Shap) -> pd.DataFrame:
    """The rows that stand for "feature not known"."""
    if isinstance(settings.baseline, pd.DataFrame):
        return settings.baseline.rename(columns=str)[list(features.columns)].reset_index(drop=True)
    if settings.baseline is not None:
        return given(settings.baseline, features)
    return clustered(features, settings.num_clusters, settings.seed)


def evenly(features: pd.DataFrame, rows: int | None) -> pd.DataFrame:
    """At most so many rows, evenly chosen; their index says which ones they are."""
    if rows is None or rows >= len(features):
        return features
    return features.iloc[np.linspace(0, len(features) - 1, rows).astype(int)]


def _shapley(
    game: Game, own: Floats, base: Floats, settings: Shap, progress: Progress
) -> tuple[Floats, Floats]:
    """Values and their variances, each of shape (n, players, k)."""
    n, m = len(own), len(game.players)
    samples = samples_each(settings.num_samples, m, len(base))
    designs = Designs(samples, settings.seed)
    height = int(np.clip(BATCH_CELLS // (samples * len(base) * m), *BLOCK_ROWS))
    values = np.zeros((n, m, own.shape[1]))
    variances = np.zeros_like(values)
    share = 1 / len(base)
    for batch, answers in _answered(game, _asked(game, n, height, designs)):
        for (question, plan), answer in zip(batch.questions, answers, strict=True):
            empty = base[question.background]
            found, variance = attribute(plan, answer - empty, own[question.rows] - empty)
            at = (question.rows[:, None], question.varying)
            values[at] += share * found
            variances[at] += share**2 * variance
        if batch.done:
            progress(batch.done, n)
    return values, variances


@dataclass(frozen=True)
class _Batch:
    """What one call of the model is asked."""

    questions: list[tuple[Question, Design]]
    done: int = 0
    """How many rows are explained once it is answered, where a block of them ends here; else 0."""

    @property
    def asked(self) -> list[Question]:
        return [question for question, _ in self.questions]


def _asked(game: Game, n: int, height: int, designs: Designs) -> Iterator[_Batch]:
    """All batches, block by block of `height` rows."""
    for start in range(0, n, height):
        block = np.arange(start, min(start + height, n))
        yield from map(_Batch, _batches(_questions(game, block, designs), len(game.players)))
        yield _Batch([], int(block[-1]) + 1)


def _answered(game: Game, batches: Iterator[_Batch]) -> Iterator[tuple[_Batch, list[Floats]]]:
    """The batches in order with their answers; several under way at a time where the model allows it."""
    if game.parallel == 1:
        yield from ((batch, game.ask(batch.asked)) for batch in batches)
        return
    waiting: deque[tuple[_Batch, Future[list[Floats]]]] = deque()
    with ThreadPoolExecutor(game.parallel) as pool:
        for batch in batches:
            waiting.append((batch, pool.submit(game.ask, batch.asked)))
            if len(waiting) > game.parallel:
                first, answer = waiting.popleft()
                yield first, answer.result()
        for batch, answer in waiting:
            yield batch, answer.result()


def samples_each(asked: int | None, players: int, baseline_rows: int) -> int:
    """Coalitions against each row of the baseline, where `asked` (2 players + 2048 by default) are wanted."""
    asked = 2 * players + 2048 if asked is None else asked
    return min(asked, -(-asked * SPREAD // baseline_rows))


class Designs:
    """Designs by their number of players: drawn ones are made anew until there are enough to take turns."""

    def __init__(self, samples: int, seed: int | None) -> None:
        self._samples = samples
        self._rng = np.random.default_rng(seed)
        self._made: dict[int, list[Design]] = {}
        self._turn = 0

    def next(self, players: int) -> Design:
        made = self._made.setdefault(players, [])
        if made and (made[0].exact or len(made) == DESIGNS):
            self._turn += 1
            return made[self._turn % len(made)]
        made.append(design(players, self._samples, self._rng))
        return made[-1]


def _questions(game: Game, rows: NDArray[np.int64], designs: Designs) -> Iterator[tuple[Question, Design]]:
    """What to ask about these rows, grouped by how many of their players vary."""
    for b in range(len(game.background)):
        varying = game.varying(rows, b)
        counts = varying.sum(axis=1)
        for count in np.unique(counts[counts > 0]):
            alike = np.flatnonzero(counts == count)
            for start in range(0, len(alike), DESIGN_ROWS):
                chosen = alike[start : start + DESIGN_ROWS]
                index = np.nonzero(varying[chosen])[1].reshape(len(chosen), int(count))
                plan = designs.next(int(count)) if count > 1 else ALONE
                yield Question(rows[chosen], b, plan.coalitions, index), plan


ALONE = Design(np.zeros((0, 1), dtype=bool), np.zeros((1, 0)), np.ones(1), np.zeros(0), unseen=False)
"""One player gets the whole gain; nothing needs to be asked."""


def _batches(
    questions: Iterator[tuple[Question, Design]], columns: int
) -> Iterator[list[tuple[Question, Design]]]:
    """As many questions at a time as fit into one call of the model."""
    batch: list[tuple[Question, Design]] = []
    cells = 0
    for question, plan in questions:
        size = len(question.rows) * len(question.coalitions) * columns
        if batch and cells + size > BATCH_CELLS:
            yield batch
            batch, cells = [], 0
        batch.append((question, plan))
        cells += size
    if batch:
        yield batch
