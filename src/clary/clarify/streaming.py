"""Files into a tabulation without ever holding their rows: for data larger than memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from clary.clarify.columns import Value
from clary.clarify.counting.codes import Coded
from clary.clarify.counting.encode import Question
from clary.clarify.counting.files import Source, UnlikeSampleError, batches, numbers, runs, whole
from clary.clarify.counting.table import Gatherer, Table
from clary.clarify.errors import ClarifyError, known
from clary.clarify.selection import question
from clary.clarify.tabulation import Facets, Tabulation, checked, understood

NO_ROWS = (
    "The flip test needs every row in memory, and the rows of this data set were counted from its files. "
    "Name FT in the methods to have it all the same, or give a table."
)


def tabulate_source(
    source: Source,
    facets: Facets,
    label: str,
    positive: Sequence[Value],
    predicted: str | None = None,
    group: str | None = None,
    weights: str | None = None,
) -> Tabulation:
    """Count the rows of files. ClarifyError names a column or value that is not there."""
    roles = [(name, "facet column", values) for name, values in facets.items()]
    roles += [] if group is None else [(group, "group variable", None)]
    roles += [(label, "label", positive)]
    roles += [] if predicted is None else [(predicted, "predicted label", positive)]
    for name, role, _ in [*roles, *([] if weights is None else [(weights, "weight column", None)])]:
        if name not in source.names:
            raise ClarifyError(f"There is no {role} {name!r}. {known(name, source.names, 'columns')}")
    questions = [question(name, values, source.most_rows) for name, _, values in roles]
    table = _counted(source, questions, weights)
    return understood(table, facets, positive, group is not None, why_no_rows=NO_ROWS)


def _counted(source: Source, questions: list[Question], weights: str | None) -> Table:
    asked = questions if weights is None else [*questions, Question(weights)]
    try:
        return _gathered(batches(source, asked), questions, weights is not None)
    except UnlikeSampleError:
        return _gathered([whole(source, asked)], questions, weights is not None)


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
