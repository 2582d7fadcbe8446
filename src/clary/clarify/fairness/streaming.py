"""Files into a tabulation, mostly without ever holding their rows: for data larger than memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from clary.clarify.data.columns import Column, Value
from clary.clarify.data.selection import question
from clary.clarify.data.sources import source_of
from clary.clarify.errors import ClarifyError, known
from clary.clarify.fairness.counting.codes import Coded
from clary.clarify.fairness.counting.encode import Question, from_series
from clary.clarify.fairness.counting.files import Source, UnlikeSampleError, batches, numbers, runs, whole
from clary.clarify.fairness.counting.table import Gatherer, Table
from clary.clarify.fairness.tabulation import Facets, Tabulation, Target, checked, tabulate, understood

NO_ROWS = (
    "The flip test needs every row in memory, and the rows of this data set were counted from its files. "
    "Name FT in the methods to have it all the same."
)

MOST_FLIPPED = 1_000_000
"""Up to so many rows, files are read whole for the flip test without being asked for it by name."""


def tabulate_path(
    path: Path,
    facets: Facets,
    target: Target,
    group: Column | str | None,
    weights: Column | str | None,
    methods: str | Sequence[str],
    quantities: Collection[str],
) -> Tabulation:
    """Count the rows of Parquet or CSV files; they are read whole only where a method needs every row."""
    source = source_of(path)
    names = (target.label, target.predicted, group, weights)
    for name in names:
        if name is not None and not isinstance(name, str):
            raise ClarifyError(
                "Of data in files, label, prediction, group and weight are columns: name them."
            )
    label, predicted, group, weights = (None if name is None else str(name) for name in names)
    if predicted is not None and flips_are_asked(methods, source.rows_about):
        return tabulate(whole(source), facets, target, group, weights, quantities)
    return tabulate_source(source, facets, str(label), target.positive, predicted, group, weights, quantities)


def flips_are_asked(methods: str | Sequence[str], rows: int) -> bool:
    """Whether the flip test is to be made of so many rows."""
    return rows <= MOST_FLIPPED if methods == "all" else "FT" in methods


def tabulate_source(
    source: Source,
    facets: Facets,
    label: str,
    positive: Sequence[Value],
    predicted: str | None = None,
    group: str | None = None,
    weights: str | None = None,
    quantities: Collection[str] = (),
) -> Tabulation:
    """Count the rows of files. ClarifyError names a column or value that is not there."""
    roles = [(name, "facet column", values) for name, values in facets.items()]
    roles += [] if group is None else [(group, "group variable", None)]
    roles += [(label, "label", positive)]
    roles += [] if predicted is None else [(predicted, "predicted label", positive)]
    for name, role, _ in [*roles, *([] if weights is None else [(weights, "weight column", None)])]:
        if name not in source.names:
            raise ClarifyError(f"There is no {role} {name!r}. {known(name, source.names, 'columns')}")
    questions = [question(name, values, source.most_rows, quantities) for name, _, values in roles]
    table = _counted(source, questions, weights)
    return understood(table, facets, positive, group is not None, why_no_rows=NO_ROWS)


def _counted(source: Source, questions: list[Question], weights: str | None) -> Table:
    asked = questions if weights is None else [*questions, Question(weights)]
    try:
        return _gathered(batches(source, asked), questions, weights is not None)
    except UnlikeSampleError:
        return _gathered([_coded_whole(source, asked)], questions, weights is not None)


def _gathered(parts: Iterable[list[Coded]], questions: list[Question], weighted: bool) -> Table:
    gatherer = Gatherer([q.name for q in questions], questions[0].enough)
    if weighted:
        for columns in parts:
            gatherer.add([columns[:-1]], checked(numbers(columns[-1])))
    else:
        for run in runs(parts):
            gatherer.add(run)
    if not gatherer.cells:
        raise ClarifyError("The data has no rows.")
    return gatherer.table()


def _coded_whole(source: Source, questions: list[Question]) -> list[Coded]:
    frame = whole(source, [question.name for question in questions])
    return [from_series(frame[question.name], question) for question in questions]
