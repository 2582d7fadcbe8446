"""Random tables, ordinary and degenerate, measured by Clary and by smclarify 0.5 itself: equal to 1e-12."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clary import clarify

sys.path.insert(0, str(Path(__file__).parent))
from smclarify_peer import table

PYTHON = Path(__file__).parents[2] / ".venvs" / "smclarify" / "bin" / "python"
Ask = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def smclarify() -> Iterator[Ask]:
    """Asks a running smclarify for its report of a case."""
    if not PYTHON.exists():
        pytest.skip("make .venvs/smclarify/.installed")
    peer = Path(__file__).with_name("smclarify_peer.py")
    process = subprocess.Popen([PYTHON, peer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout

    def ask(case: dict[str, Any]) -> Any:
        process.stdin.write(json.dumps(case) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield ask
    process.stdin.close()
    process.wait(10)


WORDS = ["a", "b", "B b", "1", ""]
DAYS = ["2020-01-01", "2020-02-29", "2021-12-31"]
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from(WORDS[:3]),
    "category": st.sampled_from(WORDS),
    "integer": st.integers(0, 4),
    "float": st.sampled_from([-1.5, 0.0, 0.25, 2.0, 7.5]),
    "boolean": st.booleans(),
    "date": st.sampled_from(DAYS),
}
WITH_GAPS = ("text", "category", "float", "date")


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """A table of a facet, a label, a group and two features, sometimes with predictions and gaps."""
    rows = draw(st.integers(1, 60))

    def some(kind: str, gaps: bool = False) -> dict[str, Any]:
        values = VALUES[kind] | st.none() if gaps and kind in WITH_GAPS else VALUES[kind]
        return {"kind": kind, "values": draw(st.lists(values, min_size=rows, max_size=rows))}

    facet, label = draw(st.sampled_from(sorted(VALUES))), draw(st.sampled_from(sorted(VALUES)))
    columns = {
        "facet": some(facet, draw(st.booleans())),
        "label": some(label),
        "group": some(draw(st.sampled_from(["text", "integer"])), draw(st.booleans())),
        "x": some("integer"),
        "z": some("float"),
    }
    predicted = draw(st.booleans())
    if predicted:
        columns["predicted"] = some(label)
    grouped = draw(st.booleans())
    if not grouped:
        del columns["group"]
    asked = st.lists(st.sampled_from(columns["facet"]["values"]), min_size=1, max_size=2, unique=True)
    values = draw(st.none() | asked)
    return {
        "columns": columns,
        "facet": "facet",
        "values": None if values is None or None in values else values,
        "label": "label",
        "positive": draw(
            st.lists(st.sampled_from(columns["label"]["values"]), min_size=1, max_size=2, unique=True)
        ),
        "predicted": "predicted" if predicted else None,
        "group": "group" if grouped else None,
    }


def measured(case: dict[str, Any]) -> Any:
    """Clary's report of a case in smclarify's form, or the error."""
    target = clarify.Target(case["label"], case["positive"], case["predicted"])
    facets = {case["facet"]: case["values"]}
    try:
        found = clarify.bias(table(case["columns"]), facets, target, case["group"], intervals=None)
    except clarify.ClarifyError as error:
        return str(error)
    return [
        {"value_or_threshold": f.value_or_threshold, "metrics": f.metrics}
        for f in found.facets[case["facet"]]
    ]


def same(ours: float | str | None, theirs: float | str | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return float(ours) == float(theirs) or math.isclose(
        float(ours), float(theirs), rel_tol=1e-12, abs_tol=1e-12
    )


REFUSED = re.compile("leaves no two sides|has no values at all|none of the label's values")
"""What Clary refuses by name. smclarify then measures against nobody: errors, or zeros that mean nothing."""

FAILS = re.compile(
    "No Label values are present in the predicted"  # one stage for want of a positive prediction
    "|Threshold values must be provided"  # a 0/1 column of up to 40 rows, taken for a quantity
    "|Predicted Label Column series datatype is not the same"
    "|cannot access local variable"  # a missing value as a facet of its own
)
"""Where smclarify has no report at all and Clary has one."""


def two_integers(case: dict[str, Any]) -> bool:
    """Columns of two integers: categories to Clary, to smclarify a quantity up to 40 rows."""
    names = [case["facet"], case["label"]]
    return any(
        column["kind"] == "integer" and len(set(column["values"])) <= 2
        for column in map(case["columns"].get, names)
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_every_value_is_smclarifys(smclarify: Ask, case: dict[str, Any]) -> None:
    ours, theirs = measured(case), smclarify(case)
    if isinstance(ours, str):
        assert isinstance(theirs, str) or REFUSED.search(ours), (ours, theirs)
    elif isinstance(theirs, str):
        assert FAILS.search(theirs), theirs
    elif not two_integers(case):
        compare(ours, theirs, gaps=None in case["columns"].get("group", {"values": []})["values"])


def compare(ours: list[dict[str, Any]], theirs: list[dict[str, Any]], gaps: bool) -> None:
    theirs = [facet for facet in theirs if facet["value_or_threshold"] not in ("nan", "NaT", "None")]
    for mine, other in zip(ours, theirs, strict=True):
        assert mine["value_or_threshold"] == other["value_or_threshold"]
        for a, b in zip(mine["metrics"], other["metrics"], strict=True):
            assert (a["name"], a["description"]) == (b["name"], b["description"])
            if not (gaps and a["name"].startswith("CDD")):  # smclarify cannot sort a missing group
                assert same(a["value"], b["value"]), (a, b)
