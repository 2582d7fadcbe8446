"""Faith-Shap interactions of two features: what they add together beyond what each adds alone.

Tsai, Yeh and Ravikumar, "Faith-Shap: The Faithful Shapley Interaction Index", JMLR 2023, order 2: the
quadratic game nearest to the model's, weighted by the Shapley kernel. Its terms add up to the score, as
Shapley values do; without interactions its single terms are the Shapley values. Games against several rows of
the baseline are averaged, since the index is linear in the game.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.config.analysis import Interactions, Shap
from clary.clarify.data.columns import Value
from clary.clarify.data.predictions import Predict
from clary.clarify.shap.coalitions import Design, Flags, Floats, Sample, attribute, sample
from clary.clarify.shap.game import Game, Question
from clary.clarify.shap.kernel import BATCH_CELLS, DEFAULTS, SPREAD, baseline_of, output_names
from clary.clarify.shap.players import players_of

DESIGN_ROWS = 32
"""Rows that share drawn coalitions: more would let their error stand out in the means over rows."""

Progress = Callable[[int, int], None]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class InteractionExplanation:
    """Main effects and interactions of n rows, m features and k model outputs."""

    features: list[str]
    outputs: list[str]
    values: Floats
    """Shape (n, m, m, k), symmetric: a main effect on the diagonal, the interaction of i and j at (i, j)."""
    errors: Floats
    """The same shape: standard errors by the coalitions that were drawn; 0 where exact, NaN where unknown."""
    expected: Floats
    scores: Floats
    rows: NDArray[np.int64]
    """Which rows of the data were explained."""
    evaluations: int
    efficiency_gap: float
    """The largest difference between a row's score and what its terms add up to, each pair counted once."""
    top_k: int

    def ranked(self, output: int) -> list[tuple[int, int]]:
        """The top_k pairs with the largest mean absolute interaction, ties in the order of the features."""
        first, second = np.triu_indices(len(self.features), 1)
        size = np.abs(self.values[:, first, second, output]).mean(axis=0)
        order = np.argsort(-size, kind="stable")[: self.top_k]
        return [(int(first[i]), int(second[i])) for i in order]

    def in_json(self) -> dict[str, object]:
        """The kernel_shap_interactions part of analysis.json; Clary's own."""
        return {
            output: {
                "index": "faith-shap, order 2",
                "rows": len(self.rows),
                "pairs": [self._pair(i, j, k) for i, j in self.ranked(k)],
            }
            for k, output in enumerate(self.outputs)
        }

    def _pair(self, i: int, j: int, k: int) -> dict[str, object]:
        values, error = self.values[:, i, j, k], float(self.errors[:, i, j, k].mean())
        return {
            "features": [self.features[i], self.features[j]],
            "mean_abs": float(np.abs(values).mean()),
            "mean": float(values.mean()),
            "standard_error": error if np.isfinite(error) else None,
        }


def interactions(
    features: pd.DataFrame,
    predict: Predict,
    settings: Shap = DEFAULTS,
    label_headers: Sequence[Value] | None = None,
    progress: Progress = lambda done, total: None,
) -> InteractionExplanation:
    """Explain the model's scores by features and pairs of features.

    Baseline, groups of columns, use_logit and seed are those of `settings`, as of `explain`;
    `settings.interactions` says how many rows (evenly taken), coalitions and pairs. All 2^m coalitions are
    asked where they fit into `num_samples`, and the values are then exact; the fewest are those of one and of
    two features and their complements, which determine them. Of several rows of the baseline each gets fewer.
    """
    asked = settings.interactions or Interactions()
    rows = np.unique(np.linspace(0, len(features) - 1, min(len(features), asked.rows)).astype(int))
    chosen = features.iloc[rows].reset_index(drop=True)
    background = baseline_of(features, settings)
    players = players_of(chosen, settings)
    game = Game(chosen, background, predict, players, settings.use_logit)
    base, own = game.of_background(), game.of_rows()
    values, variances = _terms(game, own, base, settings, asked, progress)
    expected = base.mean(axis=0)
    both = np.triu(np.ones((len(players), len(players)), dtype=bool))
    gap = float(np.abs(values[:, both].sum(axis=1) + expected - own).max(initial=0.0))
    shown = np.array([player.shown for player in players])
    return InteractionExplanation(
        features=[player.name for player in players if player.shown],
        outputs=output_names(own.shape[1], label_headers),
        values=values[:, shown][:, :, shown],
        errors=np.sqrt(variances[:, shown][:, :, shown]),
        expected=expected,
        scores=own,
        rows=rows,
        evaluations=game.evaluations,
        efficiency_gap=gap,
        top_k=asked.top_k,
    )


def _terms(
    game: Game, own: Floats, base: Floats, settings: Shap, asked: Interactions, progress: Progress
) -> tuple[Floats, Floats]:
    """Values and their variances, each of shape (n, players, players, k)."""
    n, m = len(own), len(game.players)
    samples = 2 * m + 2048 if asked.num_samples is None else asked.num_samples
    plans = _Plans(min(samples, -(-samples * SPREAD // len(base))), settings.seed)
    values = np.zeros((n, m, m, own.shape[1]))
    variances = np.zeros_like(values)
    share = 1 / len(base)
    for b in range(len(base)):
        for rows, varying in _alike(game, b, plans):
            coalitions, terms = plans.of(varying.shape[1])
            (answer,) = game.ask([Question(rows, b, coalitions, varying)])
            found, variance = attribute(terms, answer - base[b], own[rows] - base[b])
            first, second = np.triu_indices(varying.shape[1])
            at = (rows[:, None], varying[:, first], varying[:, second])
            values[at] += share * found
            variances[at] += share**2 * variance
        progress(b + 1, len(base))
    return _symmetric(values), _symmetric(variances)


def _symmetric(upper: Floats) -> Floats:
    both = upper + upper.transpose(0, 2, 1, 3)
    i = np.arange(upper.shape[1])
    both[:, i, i] = upper[:, i, i]
    return both


def _alike(game: Game, background: int, plans: _Plans) -> Iterator[tuple[Indices, Indices]]:
    """Rows that differ from a row of the baseline in equally many players, and in which."""
    rows = np.arange(len(game.features))
    varying = game.varying(rows, background)
    counts = varying.sum(axis=1)
    for count in np.unique(counts[counts > 0]):
        alike = np.flatnonzero(counts == count)
        cells = max(1, plans.samples) * len(game.players)
        height = max(1, min(DESIGN_ROWS, BATCH_CELLS // cells))
        for start in range(0, len(alike), height):
            chosen = alike[start : start + height]
            yield rows[chosen], np.nonzero(varying[chosen])[1].reshape(len(chosen), int(count))


class _Plans:
    """Coalitions and least squares by the number of players: exact ones are kept, others are drawn anew."""

    def __init__(self, samples: int, seed: int | None) -> None:
        self.samples = samples
        self._rng = np.random.default_rng(seed)
        self._exact: dict[int, tuple[Flags, Design]] = {}

    def of(self, players: int) -> tuple[Flags, Design]:
        if players in self._exact:
            return self._exact[players]
        made = _plan(players, self.samples, self._rng)
        if made[1].exact:
            self._exact[players] = made
        return made


def _plan(players: int, samples: int, rng: np.random.Generator) -> tuple[Flags, Design]:
    """The coalitions to ask about, and what each term gets of their scores."""
    if players == 1:
        return np.zeros((0, 1), dtype=bool), Design(
            np.zeros((0, 1), dtype=bool), np.zeros((1, 0)), np.ones(1), np.zeros(0), unseen=False
        )
    chosen = sample(players, samples, rng, whole=2)
    first, second = np.triu_indices(players)
    terms = chosen.coalitions[:, first] & chosen.coalitions[:, second]
    solve, share = _constrained(terms, chosen)
    return chosen.coalitions, Design(terms, solve, share, chosen.drawn, chosen.unseen)


def _constrained(terms: Flags, chosen: Sample) -> tuple[Floats, Floats]:
    """Weighted least squares under the constraint that all terms add up to the gain."""
    x = terms.astype(float)
    weighted = chosen.weights[:, None] * x
    number = x.shape[1]
    system = np.ones((number + 1, number + 1))
    system[:number, :number] = x.T @ weighted
    system[number, number] = 0.0
    inverse = np.linalg.inv(system)
    return inverse[:number, :number] @ weighted.T, inverse[:number, number]
