"""Kernel SHAP of text: what each token, sentence or paragraph adds to a model's score.

A unit that is not in a coalition is replaced by the baseline's text. Rows are taken by how many players
they have, so that rows of one length share a design; the model is asked in batches of about BATCH characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.config.analysis import Shap
from clary.clarify.data.columns import Value
from clary.clarify.data.predictions import Predict
from clary.clarify.data.scoring import Scorer
from clary.clarify.errors import ClarifyError
from clary.clarify.shap.coalitions import Design, Floats, attribute, design
from clary.clarify.shap.kernel import ALONE, DESIGN_ROWS, SPREAD, Progress, output_names
from clary.clarify.shap.players import players_of
from clary.clarify.text.columns import readable, text_baseline, text_columns
from clary.clarify.text.explanation import TextExplanation
from clary.clarify.text.game import Part, TextGame
from clary.clarify.text.languages import code
from clary.clarify.text.units import cutter, units

MOST_UNITS = 1000
"""Players of one row's texts: neighbouring units of longer ones are known or replaced together."""
BATCH = 8_000_000
"""Characters in one call of the model."""


def explain_text(
    features: pd.DataFrame,
    predict: Predict,
    settings: Shap,
    label_headers: Sequence[Value] | None = None,
    progress: Progress = lambda done, total: None,
) -> TextExplanation:
    """Explain the model's scores for every row, by the units of its texts and by its other features.

    `settings.text_config` says how texts are cut. `num_samples` is the number of coalitions a row (2m + 2048
    by default for m players; at least two for each; all of them where that is fewer, and then the values are
    exact). Raises ClarifyError where the model answers no numbers, or a baseline or a language does not fit.
    """
    config = settings.text_config
    if config is None:
        raise ClarifyError("explain_text needs a text_config: say how texts are cut.")
    columns = text_columns(features, config)
    background = text_baseline(features, columns, settings)
    features = readable(features, columns)
    cut, most = cutter(config.granularity, code(config.language)), max(1, MOST_UNITS // len(columns))
    game = TextGame(
        features,
        background,
        {name: [units(text, cut, most) for text in features[name]] for name in columns},
        players_of(features.drop(columns=columns), settings) if features.shape[1] > len(columns) else [],
    )
    scorer = Scorer(predict, settings.use_logit)
    own, empty = _ends(game, scorer)
    values, variances = _shapley(game, scorer, own, empty, settings, progress)
    return TextExplanation(
        features=features,
        names=game.names,
        units=game.units,
        outputs=output_names(own.shape[1], label_headers),
        values=values,
        errors=np.sqrt(variances),
        starts=game.starts,
        scores=own,
        bases=empty.mean(axis=0),
        baseline=background,
        agg_method=settings.agg_method,
        max_top_tokens=config.max_top_tokens,
        evaluations=scorer.evaluations,
    )


def _ends(game: TextGame, scorer: Scorer) -> tuple[Floats, Floats]:
    """The scores of the rows (n, k), and of what is left of them against each baseline row (b, n, k)."""
    left = [game.table([_nothing(game, r, b) for r in _rows(game)]) for b in range(len(game.background))]
    asked = pd.concat([game.features, *left], ignore_index=True)
    # With nothing as the replacement, the same is left of every row: it is asked once.
    same, _ = pd.factorize(pd.MultiIndex.from_frame(asked), use_na_sentinel=False)
    first = np.unique(same, return_index=True)[1]
    scores = scorer(asked.iloc[first].reset_index(drop=True))[same]
    n = len(game.features)
    return scores[:n], scores[n:].reshape(len(game.background), n, -1)


def _rows(game: TextGame) -> range:
    return range(len(game.features))


def _nothing(game: TextGame, row: int, background: int) -> Part:
    varying = game.varying(row, background)
    return game.mix(row, background, varying, np.zeros((1, len(varying)), dtype=bool))


@dataclass(frozen=True)
class _Plan:
    """Rows with equally many varying players, and the coalitions that they share."""

    rows: NDArray[np.int64]
    background: int
    varying: NDArray[np.int64]
    """Shape (rows, p)."""
    design: Design

    def cost(self, game: TextGame) -> int:
        return len(self.design.coalitions) * sum(game.size(int(row)) for row in self.rows)


def _shapley(
    game: TextGame, scorer: Scorer, own: Floats, empty: Floats, settings: Shap, progress: Progress
) -> tuple[Floats, Floats]:
    """Values and their variances, each of shape (all players, k)."""
    values = np.zeros((game.players, own.shape[1]))
    variances = np.zeros_like(values)
    share, done = 1 / len(empty), 0
    for batch in _batches(game, _plans(game, settings)):
        for plan, answer in zip(batch, _ask(game, scorer, batch), strict=True):
            left = empty[plan.background][plan.rows]
            found, variance = attribute(plan.design, answer - left[:, None, :], own[plan.rows] - left)
            at = game.starts[plan.rows, :1] + plan.varying
            values[at] += share * found
            variances[at] += share**2 * variance
            done += len(plan.rows)
        progress(done // len(empty), len(own))
    return values, variances


def _plans(game: TextGame, settings: Shap) -> Iterator[_Plan]:
    rng = np.random.default_rng(settings.seed)
    for b in range(len(game.background)):
        varying = [game.varying(r, b) for r in _rows(game)]
        counts = np.array([len(of_row) for of_row in varying], dtype=np.int64)
        for count in np.unique(counts[counts > 0]).tolist():
            alike = np.flatnonzero(counts == count)
            made = None
            for start in range(0, len(alike), DESIGN_ROWS):
                rows = alike[start : start + DESIGN_ROWS]
                if made is None or not made.exact:
                    made = _design(count, len(game.background), settings.num_samples, rng)
                yield _Plan(rows, b, np.stack([varying[r] for r in rows]), made)


def _design(players: int, backgrounds: int, samples: int | None, rng: np.random.Generator) -> Design:
    if players == 1:
        return ALONE
    asked = 2 * players + 2048 if samples is None else samples
    return design(players, min(asked, -(-asked * SPREAD // backgrounds)), rng)


def _batches(game: TextGame, plans: Iterator[_Plan]) -> Iterator[list[_Plan]]:
    """As many plans at a time as fit into one call of the model; a large one is alone, in several calls."""
    batch: list[_Plan] = []
    size = 0
    for plan in plans:
        cost = plan.cost(game)
        if batch and size + cost > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(plan)
        size += cost
    if batch:
        yield batch


def _ask(game: TextGame, scorer: Scorer, batch: Sequence[_Plan]) -> list[Floats]:
    """The scores of each plan, shape (rows, s, k)."""
    found = [np.zeros((0, scorer.outputs))]
    waiting: list[Part] = []
    size = 0
    for part, cost in _parts(game, batch):
        if waiting and size + cost > BATCH:
            found.append(scorer(game.table(waiting)))
            waiting, size = [], 0
        waiting.append(part)
        size += cost
    if waiting:
        found.append(scorer(game.table(waiting)))
    shapes = [(len(plan.rows), len(plan.design.coalitions)) for plan in batch]
    ends = np.cumsum([rows * coalitions for rows, coalitions in shapes])
    scores = np.split(np.concatenate(found), ends[:-1])
    return [part.reshape(*shape, scorer.outputs) for part, shape in zip(scores, shapes, strict=True)]


def _parts(game: TextGame, batch: Sequence[_Plan]) -> Iterator[tuple[Part, int]]:
    """The mixtures of each row of each plan in order, in parts of at most about BATCH characters."""
    for plan in batch:
        for row, varying in zip(plan.rows.tolist(), plan.varying, strict=True):
            size = game.size(row)
            step = max(1, BATCH // size)
            for start in range(0, len(plan.design.coalitions), step):
                some = plan.design.coalitions[start : start + step]
                yield game.mix(row, plan.background, varying, some), size * len(some)
