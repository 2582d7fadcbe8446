"""Asymmetric Shapley values against every allowed order, one by one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from clary import clarify
from clary.clarify import AsymmetricShapley, ClarifyError, Panel, Series, SeriesBaseline

RNG = np.random.default_rng(3)
Floats = np.ndarray[Any, np.dtype[np.float64]]


def series(item: str, past: int, steps: int, related: int, static: list[float]) -> Series:
    return Series(
        item, list(range(steps)), RNG.normal(2, 1, past), RNG.normal(1, 1, (related, steps)), static
    )


PANEL = Panel(
    [series("a", 2, 3, 2, [2.0, 3.0]), series("b", 3, 3, 2, [1.5, -1.0])], "y", ["r", "s"], ["u", "v"]
)
STATIC = {"a": [1.0, 0.0], "b": [0.5, 0.5]}


def forecast(items: Sequence[Series]) -> list[list[float]]:
    """Two steps ahead, with products of everything, so that orders matter."""
    answers = []
    for s in items:
        trend = float((s.target * np.arange(1, len(s.target) + 1)).sum())
        weather = float((s.related**2).sum() + s.related[:, -1].prod())
        u, v = s.static if s.static else (1.0, 0.0)
        answers.append([trend * u + weather * s.target[-1] + v, np.sin(trend) * weather + u * v])
    return answers


def one(s: Series) -> Floats:
    return np.array(forecast([s])[0])


Part = tuple[str, int, int]
"""Kind (target, related, static), which, and its step."""


def parts(s: Series) -> list[Part]:
    found: list[Part] = [("target", 0, t) for t in range(len(s.target))]
    found += [("related", i, t) for i in range(len(s.related)) for t in range(s.steps)]
    return found + [("static", i, -1) for i in range(len(s.static))]


def known(s: Series, baseline: SeriesBaseline, which: set[Part]) -> Series:
    """By hand, value by value."""
    filled = s.target.mean() if baseline.target_time_series == "mean" else 0.0
    target = [x if ("target", 0, t) in which else filled for t, x in enumerate(s.target)]
    related = np.zeros_like(s.related)
    for i, t in itertools.product(range(len(s.related)), range(s.steps)):
        unknown = s.related[i].mean() if baseline.related_time_series == "mean" else 0.0
        related[i, t] = s.related[i, t] if ("related", i, t) in which else unknown
    static = [x if ("static", i, -1) in which else STATIC[s.item_id][i] for i, x in enumerate(s.static)]
    return Series(s.item_id, s.timestamps, np.array(target), related, static)


def over_orders(s: Series, baseline: SeriesBaseline, stages: list[list[list[Part]]], given: set[Part]) -> Any:
    """The mean difference that each group of parts makes over all orders within the stages."""
    total: dict[Part, Floats] = {}
    orders = list(itertools.product(*(itertools.permutations(stage) for stage in stages)))
    for order in orders:
        which = set(given)
        before = one(known(s, baseline, which))
        for group in itertools.chain.from_iterable(order):
            which |= set(group)
            after = one(known(s, baseline, which))
            total[group[0]] = total.get(group[0], np.zeros(2)) + (after - before) / len(orders)
            before = after
    return total


@pytest.mark.parametrize("baseline", [SeriesBaseline(), SeriesBaseline("mean", "mean")])
@pytest.mark.parametrize("direction", ["chronological", "anti_chronological", "bidirectional"])
def test_time_steps_against_their_one_order(direction: str, baseline: SeriesBaseline) -> None:
    found = clarify.explain_forecasts(PANEL, forecast, AsymmetricShapley(direction, baseline=baseline))
    for s, item in zip(PANEL.items, found.items, strict=True):
        everything = parts(s)
        static = {part for part in everything if part[2] < 0}
        steps = [[[p for p in everything if p[2] == t]] for t in range(s.steps)]
        ways = {"chronological": [steps], "anti_chronological": [steps[::-1]]}
        ways["bidirectional"] = [steps, steps[::-1]]
        each = [over_orders(s, baseline, way, static) for way in ways[direction]]
        expected = [np.mean([e[step[0][0]] for e in each], axis=0) for step in steps]
        assert item.values == pytest.approx(np.array(expected))
        assert item.offset == pytest.approx(one(known(s, baseline, static)))
        assert item.errors.max() == 0


@pytest.mark.parametrize("fills", [("zero", "zero"), ("mean", "zero"), ("zero", "mean")])
def test_single_values_against_every_order(fills: tuple[str, str]) -> None:
    baseline = SeriesBaseline(*fills, static_covariates=STATIC)
    settings = AsymmetricShapley(granularity="fine_grained", num_samples=9, baseline=baseline)
    found = clarify.explain_forecasts(PANEL, forecast, settings)
    for s, item in zip(PANEL.items, found.items, strict=True):
        everything = parts(s)
        stages = [[[p] for p in everything if p[2] == t] for t in range(-1, s.steps)]
        expected = over_orders(s, baseline, stages, set())
        assert item.values == pytest.approx(np.array([expected[p] for p in everything]))
        assert item.errors.max() == 0
        assert item.offset + item.values.sum(axis=0) == pytest.approx(item.forecast)


def test_a_time_step_is_the_sum_of_what_is_known_at_it() -> None:
    """The two granularities tell one story, since the static covariates come first."""
    baseline = SeriesBaseline(static_covariates=STATIC)
    fine = clarify.explain_forecasts(
        PANEL, forecast, AsymmetricShapley(granularity="fine_grained", num_samples=9, baseline=baseline)
    )
    whole = clarify.explain_forecasts(PANEL, forecast)
    for a, b in zip(fine.items, whole.items, strict=True):
        sums = [a.values[a.steps == step].sum(axis=0) for step in b.steps]
        assert b.values == pytest.approx(np.array(sums))
        assert b.offset == pytest.approx(a.offset + a.values[a.steps < 0].sum(axis=0))


WIDE = Panel([series("w", 2, 2, 7, [])], "y", [f"r{i}" for i in range(7)])


def fine(samples: int, seed: int = 0) -> AsymmetricShapley:
    return AsymmetricShapley(granularity="fine_grained", num_samples=samples, seed=seed)


def test_drawn_orders_are_right_on_average_and_say_how_sure_they_are() -> None:
    exact = clarify.explain_forecasts(WIDE, forecast, fine(64)).items[0]
    assert exact.errors.max() == 0
    drawn = [clarify.explain_forecasts(WIDE, forecast, fine(16, seed)).items[0] for seed in range(60)]
    errors = np.array([item.errors for item in drawn])
    off = np.array([item.values for item in drawn]) - exact.values
    unsure = errors.mean(axis=0) > 1e-9
    assert unsure.any()
    assert np.abs(off[:, ~unsure]).max() < 1e-9
    assert np.abs(off.mean(axis=0))[unsure] / off.std(axis=0)[unsure] == pytest.approx(0, abs=4 / np.sqrt(60))
    stated, real = np.sqrt((errors**2).mean(axis=0))[unsure], off.std(axis=0)[unsure]
    assert np.median(stated / real) == pytest.approx(1, abs=0.15)
    for item in drawn:
        assert item.efficiency_gap < 1e-9


def test_the_same_seed_draws_the_same_orders() -> None:
    one, two, other = (clarify.explain_forecasts(WIDE, forecast, fine(6, seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.items[0].values, two.items[0].values)
    assert not np.array_equal(one.items[0].values, other.items[0].values)


def test_one_pair_of_orders_cannot_tell_its_error() -> None:
    found = clarify.explain_forecasts(WIDE, forecast, fine(2))
    assert np.isnan(found.items[0].errors).any()
    assert found.items[0].in_json(found.names)["explanations"][0]["standard_errors"] == [None, None]


def test_what_equals_the_baseline_is_not_asked_about() -> None:
    """A published run of Clarify gives rain that never fell zeros too."""
    dry = Series("dry", [0, 1, 2], np.ones(3), np.zeros((2, 3)))
    found = clarify.explain_forecasts(Panel([dry], "y", ["rain", "snow"]), forecast, fine(9))
    assert found.evaluations == 1 + 4
    assert np.array_equal(found.items[0].values[3:], np.zeros((6, 2)))


def test_a_model_that_answers_differently_each_time_is_told() -> None:
    noise = np.random.default_rng(0)
    found = clarify.explain_forecasts(PANEL, lambda items: noise.normal(size=(len(items), 2)))
    assert found.efficiency_gap > 1e-3
    assert "answers differently" in found.warnings[-1]


def test_one_time_step_gets_the_whole_difference() -> None:
    short = Panel([Series("s", ["2024-01-01"], np.array([3.0]), np.zeros((0, 1)))], "y")
    found = clarify.explain_forecasts(short, lambda items: [[2 * s.target[0] + 1] for s in items])
    assert found.items[0].values.tolist() == [[6.0]]
    level = clarify.explain_forecasts(
        short,
        lambda items: [[s.target[0]] for s in items],
        AsymmetricShapley(baseline=SeriesBaseline("mean")),
    )
    assert level.items[0].values.tolist() == [[0.0]]
    assert "equals its baseline at every step" in level.warnings[0]


def test_whole_numbers_have_a_mean_that_is_not_whole() -> None:
    whole = Panel([Series("w", [0, 1], np.array([1, 2]), np.array([[3, 4]]))], "y", ["r"])
    settings = AsymmetricShapley(baseline=SeriesBaseline("mean", "mean"))
    found = clarify.explain_forecasts(
        whole, lambda items: [[s.target[0] + s.related[0, 0]] for s in items], settings
    )
    assert found.items[0].offset == pytest.approx([1.5 + 3.5])


def test_long_series_are_asked_in_several_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def counted(items: Sequence[Series]) -> list[list[float]]:
        calls.append(len(items))
        return forecast(items)

    whole = clarify.explain_forecasts(PANEL, forecast)
    monkeypatch.setattr("clary.clarify.time_series.explain.BATCH_CELLS", 30)
    parts_ = clarify.explain_forecasts(PANEL, counted)
    assert max(calls) <= 5 and len(calls) > 3
    for a, b in zip(whole.items, parts_.items, strict=True):
        assert np.array_equal(a.values, b.values)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda items: [[1.0]] * (len(items) + 1), "3 forecasts for 2 series"),
        (lambda items: [[1.0, float("nan")]] * len(items), "NaN or infinite"),
        (lambda items: [["high"]] * len(items), "no list of numbers"),
        (lambda items: [[]] * len(items), "one number for each step ahead"),
        (lambda items: [[1.0] * (1 + bool(s.target[0])) for s in items], "different lengths (1, 2 steps)"),
    ],
)
def test_wrong_answers_of_the_model(answer: Any, says: str) -> None:
    with pytest.raises(ClarifyError) as caught:
        clarify.explain_forecasts(PANEL, answer)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("static", "says"),
    [
        (None, "is missing: give each item a list of values for u, v"),
        ({"a": [1, 2]}, "lacks the item 'b'"),
        ({"a": [1, 2], "b": [1]}, "'b' has 1 values for 2 static covariates"),
        ({"a": [1, 2], "b": [1, 2], "c": [1, 2]}, "not in the data: c"),
    ],
)
def test_wrong_baselines(static: Any, says: str) -> None:
    baseline = SeriesBaseline(static_covariates=static)
    settings = AsymmetricShapley(granularity="fine_grained", num_samples=4, baseline=baseline)
    with pytest.raises(ClarifyError) as caught:
        clarify.explain_forecasts(PANEL, forecast, settings)
    assert says in str(caught.value)
