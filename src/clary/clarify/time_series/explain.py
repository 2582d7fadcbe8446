"""Asymmetric Shapley values of a forecast: what each time step, or each value at each step, adds to it.

Frye, Rowat and Feige, "Asymmetric Shapley Values", NeurIPS 2020; Weber, "Probabilistic values for games",
1988, for values by orders. Every value is read from differences of forecasts between series that are partly
replaced by the baseline. A series that comes up twice is asked once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clary.clarify.errors import ClarifyError
from clary.clarify.time_series.explanation import ForecastExplanation, SeriesExplanation
from clary.clarify.time_series.forecasts import Forecast, ask, equally_far
from clary.clarify.time_series.orders import Sharing, Stage, fine_grained, masks, share, sharing, timewise
from clary.clarify.time_series.panel import Floats, Panel, Series, check_panel
from clary.clarify.time_series.players import (
    STATIC,
    Flags,
    Indices,
    Players,
    baseline_of,
    players_of,
    varying,
    with_known,
)
from clary.clarify.time_series.settings import (
    SHAPLEY,
    AsymmetricShapley,
    SeriesBaseline,
    check_settings,
    read_baseline,
)
from clary.clarify.time_series.warn import warnings_of

BATCH_CELLS = 2_000_000
"""Values of series in one call of the model."""
DEFAULTS = AsymmetricShapley()

Progress = Callable[[int, int], None]


def explain_forecasts(
    panel: Panel,
    forecast: Forecast,
    settings: AsymmetricShapley = DEFAULTS,
    progress: Progress = lambda done, total: None,
) -> ForecastExplanation:
    """Explain the forecast of every item.

    `forecast` is the model: it answers a forecast, a list of numbers, for each series that it gets. Raises
    ClarifyError where it answers something else, or forecasts of another length for the same item, and where
    the baseline does not fit the items.
    """
    settings, baseline = ready(panel, settings)
    own = ask(forecast, panel.items)
    found: list[SeriesExplanation] = []
    asked = len(own)
    for games in _games(panel, settings, baseline):
        answers = _answers(forecast, games)
        asked += len(answers)
        for game in games:
            mine, answers = answers[: len(game.questions)], answers[len(game.questions) :]
            found.append(_explained(game, mine, own[len(found)]))
        progress(len(found), len(panel.items))
    return ForecastExplanation(settings, panel, found, asked, warnings_of(panel, found, baseline))


def ready(panel: Panel, settings: AsymmetricShapley) -> tuple[AsymmetricShapley, SeriesBaseline]:
    """The settings and the baseline, read from its file; ClarifyError where they do not fit the panel."""
    check_settings(settings)
    check_panel(panel)
    settings, baseline = read_baseline(settings)
    _check_baseline(panel, settings, baseline)
    for series in panel.items:
        baseline_of(series, panel, baseline)
    return settings, baseline


Pass = list[tuple[Stage, Sharing]]


@dataclass(frozen=True)
class _Game:
    """One item: the stages of each pass through time, and the distinct questions that they ask."""

    series: Series
    unknown: Series
    players: Players
    passes: list[Pass]
    questions: NDArray[np.uint8]
    """Which players are known, packed bits."""
    places: Indices
    """For each coalition in the order of passes and stages: which question it is."""
    by_feature: bool

    def question(self, number: int) -> Series:
        known = np.unpackbits(self.questions[number], count=len(self.players.step)).astype(bool)
        return with_known(self.series, self.unknown, known)


def _check_baseline(panel: Panel, settings: AsymmetricShapley, baseline: SeriesBaseline) -> None:
    where = f"methods.{SHAPLEY}.baseline.static_covariates"
    given = baseline.static_covariates
    if given is None:
        if panel.static and settings.granularity == "fine_grained":
            raise ClarifyError(
                f"{where} is missing: give each item a list of values for {', '.join(panel.static)}."
            )
        return
    if not panel.static:
        raise ClarifyError(f"{where} is given, but the model gets no static covariates: remove it.")
    unknown = sorted(set(given) - {str(series.item_id) for series in panel.items})
    if unknown:
        raise ClarifyError(f"{where} names items that are not in the data: {', '.join(unknown[:5])}.")


def _games(panel: Panel, settings: AsymmetricShapley, baseline: SeriesBaseline) -> Iterator[list[_Game]]:
    """The items in order, in groups of which the questions fit into one call."""
    rng = np.random.default_rng(settings.seed)
    group: list[_Game] = []
    cells = 0
    for series in panel.items:
        game = _game(series, baseline_of(series, panel, baseline), settings, rng)
        size = len(game.questions) * len(game.players.step)
        if group and cells + size > BATCH_CELLS:
            yield group
            group, cells = [], 0
        group.append(game)
        cells += size
    if group:
        yield group


def _game(series: Series, unknown: Series, settings: AsymmetricShapley, rng: np.random.Generator) -> _Game:
    players = players_of(series)
    passes = [
        [(stage, sharing(len(stage.groups), settings.num_samples, rng)) for stage in stages]
        for stages in _passes(players, varying(series, unknown), settings)
    ]
    known = [np.packbits(masks(stage, plan), axis=1) for steps in passes for stage, plan in steps]
    questions, places = np.unique(np.concatenate(known), axis=0, return_inverse=True)
    by_feature = settings.granularity == "fine_grained"
    return _Game(series, unknown, players, passes, questions, places.ravel(), by_feature)


def _passes(players: Players, vary: Flags, settings: AsymmetricShapley) -> list[list[Stage]]:
    if settings.granularity == "fine_grained":
        return [fine_grained(players, vary)]
    backwards = {"chronological": [False], "anti_chronological": [True], "bidirectional": [False, True]}
    return [timewise(players, vary, way) for way in backwards[settings.direction]]


def _answers(forecast: Forecast, games: Sequence[_Game]) -> list[Floats]:
    """In calls of limited size, however many questions a single long series has."""
    questions = [(game, number) for game in games for number in range(len(game.questions))]
    longest = max(len(game.players.step) for game in games)
    size = max(1, BATCH_CELLS // longest)
    found: list[Floats] = []
    for start in range(0, len(questions), size):
        found += ask(forecast, [game.question(number) for game, number in questions[start : start + size]])
    return found


def _explained(game: _Game, answers: Sequence[Floats], own: Floats) -> SeriesExplanation:
    """Values and standard errors of one item, the mean over its passes through time."""
    scores = equally_far(game.series, [own, *answers])[1:][game.places]
    shares, at = [], 0
    for steps in game.passes:
        length = sum(len(plan.coalitions) for _, plan in steps)
        shares.append(_shared(steps, scores[at : at + length], len(game.players.step)))
        at += length
    shown = _shown(game)
    values = np.mean([found[0] for found in shares], axis=0)[shown]
    errors = np.sqrt(np.mean([found[1] for found in shares], axis=0))[shown]
    offset = scores[0]  # the first stage's first coalition is the empty one
    return SeriesExplanation(
        series=game.series,
        forecast=own,
        offset=offset,
        features=game.players.feature[shown] if game.by_feature else None,
        steps=game.players.step[shown],
        values=values,
        errors=errors,
        efficiency_gap=float(np.abs(offset + values.sum(axis=0) - own).max(initial=0.0)),
    )


def _shown(game: _Game) -> Indices:
    """The players at which values stand: all of them, or the first of each time step."""
    if game.by_feature:
        return np.arange(len(game.players.step))
    steps, first = np.unique(game.players.step, return_index=True)
    return np.asarray(first[steps != STATIC])


def _shared(steps: Pass, scores: Floats, players: int) -> tuple[Floats, Floats]:
    values = np.zeros((players, scores.shape[1]))
    variances = np.zeros_like(values)
    at = 0
    for stage, plan in steps:
        found = share(plan, scores[at : at + len(plan.coalitions)])
        values[stage.rows], variances[stage.rows] = found
        at += len(plan.coalitions)
    return values, variances
