"""The report's tables of what Clarify does not measure: intersections, classes, quantities, remedies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from clary.clarify.fairness.analysis import BiasFindings
from clary.clarify.fairness.beyond.intersections import Intersection
from clary.clarify.fairness.beyond.multiclass import ClassesBias
from clary.clarify.fairness.beyond.regression import QuantityBias
from clary.clarify.fairness.metrics.registry import find
from clary.clarify.report import words

SHOWN = ("DPL", "CDDL", "DPPL", "DI", "RD", "AD")
"""The metrics that are shown of every subgroup and class; all are in analysis.json."""


@dataclass(frozen=True)
class Table:
    """A table as it is shown: texts, the first column the rows' names."""

    title: str
    subtitle: str
    head: list[str]
    rows: list[list[str]]
    notes: Sequence[str] = ()


def tables(bias: BiasFindings, chosen: Collection[tuple[str, str]]) -> list[Table]:
    """All tables in the order of the report; of single facet values, of the `chosen` ones."""
    stages = (("in the data", bias.pre_beyond), ("of the predictions", bias.post_beyond))
    found: list[Table] = []
    for where, beyond in stages:
        found += [_crossed(item, where) for item in beyond.intersections]
        found += [_classes(facet, where) for facet in _among(beyond.multiclass, chosen)]
        found += [_quantities(facet, where) for facet in _among(beyond.regression, chosen)]
        found += [Table(f"Not measured {where}", error, [], []) for error in beyond.errors]
    return [*found, *_reweighing(bias, chosen), *_thresholds(bias, chosen)]


class _OfFacet(Protocol):
    @property
    def facet(self) -> str: ...
    @property
    def value_or_threshold(self) -> str: ...


Of = TypeVar("Of", bound=_OfFacet)


def _among(found: Mapping[str, Sequence[Of]], chosen: Collection[tuple[str, str]]) -> Iterable[Of]:
    return (x for facets in found.values() for x in facets if (x.facet, x.value_or_threshold) in chosen)


def _crossed(crossed: Intersection, where: str) -> Table:
    rows, few = [], []
    for group in crossed.subgroups:
        name, size = " & ".join(group.values.values()), int(group.contrast.sizes[1].sum())
        rows.append([name, f"{size:,}", *_shown(group.metrics)])
        resting = {m for w in group.warnings for m in w.metrics if m in _names(group.metrics)}
        few += [f"{name} ({', '.join(sorted(resting))})"] if resting else []
    notes = [f"May be chance, since few rows are behind them: {'; '.join(few)}."] if few else []
    head = ["Subgroup against all other rows", "Rows", *_names(crossed.subgroups[0].metrics)]
    return Table(f"Intersections {where}: {' x '.join(crossed.facets)}", "", head, rows, notes)


def _classes(facet: ClassesBias, where: str) -> Table:
    title = f"Classes {where}: {facet.facet} = {facet.value_or_threshold}"
    distances = ", ".join(f"{r['name']} {words.number(r['value'])}" for r in facet.distribution)
    rows = [[name, *_shown(records)] for name, records in facet.classes.items()]
    head = ["Class against the rest", *_names(next(iter(facet.classes.values())))]
    return Table(title, f"Over all classes: {distances}.", head, rows)


def _quantities(facet: QuantityBias, where: str) -> Table:
    title = f"Quantities {where}: {facet.facet} = {facet.value_or_threshold}"
    rows = [
        [f"{record['description']} of the {what}", words.with_interval(record)]
        for what, records in facet.quantities.items()
        for record in records
    ]
    return Table(title, "The numbers as they are, not only whether they pass the threshold.", ["", ""], rows)


def _names(records: Sequence[dict[str, Any]]) -> list[str]:
    return [r["name"] for r in records if r["name"] in SHOWN]


def _shown(records: Sequence[dict[str, Any]]) -> list[str]:
    return [words.with_interval(r) for r in records if r["name"] in SHOWN]


def _reweighing(bias: BiasFindings, chosen: Collection[tuple[str, str]]) -> Iterable[Table]:
    for found in _among(bias.reweighing, chosen):
        (a0, a1), (d0, d1) = found.weights.tolist()
        title = f"Reweighing the data: {found.facet} = {found.value_or_threshold}"
        subtitle = (
            f"Train with these weights and the label depends no longer on the facet: in it {d1:.3f} with "
            f"the positive label and {d0:.3f} with the negative, elsewhere {a1:.3f} and {a0:.3f}."
        )
        yield Table(title, subtitle, ["Metric", "before", "after"], _effect(found.effect))


def _thresholds(bias: BiasFindings, chosen: Collection[tuple[str, str]]) -> Iterable[Table]:
    for name, facets in bias.thresholds.items():
        for facet in facets:
            if (name, facet["value_or_threshold"]) not in chosen:
                continue
            title = f"Thresholds of each side: {name} = {facet['value_or_threshold']}"
            yield from (_strategy(title, found) for found in facet["strategies"])


def _strategy(title: str, found: dict[str, Any]) -> Table:
    strategy = found["strategy"].replace("_", " ")
    if "error" in found:
        return Table(title, f"{strategy}: {found['error']}", [], [])
    at, right = found["thresholds"], found["accuracy"]
    subtitle = (
        f"For {strategy}, positive above {at['facet']:.3f} in the facet, {at['others']:.3f} elsewhere. "
        f"Accuracy {words.percent(right['before'])} before, {words.percent(right['after'])} after."
    )
    return Table(title, subtitle, ["Metric", "before", "after"], _effect(found["metrics"]))


def _effect(effect: Sequence[dict[str, Any]]) -> list[list[str]]:
    return [
        [find(e["name"]).description, words.number(e["before"]), words.number(e["after"])]
        for e in effect
        if e["before"] is not None
    ]
