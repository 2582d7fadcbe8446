"""Bodies and choices as arithmetic: CSV against NumPy's reader, Accept headers, shares by weight."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from clary.containers.inference import content
from clary.containers.inference.invocation import ClientError, choose_accept
from clary.lifecycle.endpoint import backoff
from clary.ports.routes import Route, Target
from clary.services.runtime.invoke_endpoint import choose

TABLES = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(allow_nan=False, width=64),
)


@given(TABLES)
def test_csv_is_read_as_numpy_reads_it(table: np.ndarray) -> None:
    text = "\n".join(",".join(map(repr, map(float, row))) for row in table)
    expected = np.genfromtxt(io.StringIO(text), delimiter=",").reshape(table.shape)
    np.testing.assert_array_equal(content.csv_numbers(text), expected)


@given(TABLES)
def test_what_is_written_is_read_back(table: np.ndarray) -> None:
    np.testing.assert_array_equal(content.csv_numbers(content.encode(table, "text/csv").decode()), table)
    np.testing.assert_array_equal(json.loads(content.encode(table, "application/json")), table)
    np.testing.assert_array_equal(np.load(io.BytesIO(content.encode(table, "application/x-npy"))), table)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("1,2\r\n3,4\r\n", [[1, 2], [3, 4]]),
        ("1;2\n3;4", [[1, 2], [3, 4]]),
        ("1\t2", [[1, 2]]),
        ('"1","2"', [[1, 2]]),
        ("1,,3", [[1, np.nan, 3]]),
        ("\n1,2\n\n", [[1, 2]]),
        ("5", [[5]]),
        ("1e3,-0.5, nan", [[1000, -0.5, np.nan]]),
    ],
)
def test_forms_of_csv(text: str, rows: list[list[float]]) -> None:
    np.testing.assert_array_equal(content.csv_numbers(text), rows)


@pytest.mark.parametrize(
    ("text", "shape"),
    [("[[1, 2], [3, 4]]", (2, 2)), ('{"instances": [[1, 2]]}', (1, 2)), ("[1, 2, 3]", (3,))],
)
def test_forms_of_json(text: str, shape: tuple[int, ...]) -> None:
    assert content.json_array(text).shape == shape


@pytest.mark.parametrize("text", ["7", "[[1], [2, 3]]", '[{"a": 1}]', "{}", "[" * 100_000])
def test_json_that_is_no_table(text: str) -> None:
    with pytest.raises(ClientError):
        content.json_array(text)


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", "text/csv"),
        ("*/*", "text/csv"),
        ("application/json", "application/json"),
        ("image/png, application/json;q=0.5", "application/json"),
        ("application/*", "application/json"),
        ("TEXT/CSV; charset=utf-8", "text/csv"),
    ],
)
def test_accept(header: str, chosen: str) -> None:
    assert choose_accept(header, ["text/csv", "application/json"], "text/csv") == chosen


def test_variants_are_chosen_by_weight() -> None:
    weights = {"a": 1.0, "b": 3.0, "c": 0.0}
    targets = tuple(
        Target(name, Path(f"{name}{i}"), weight) for name, weight in weights.items() for i in (0, 1)
    )
    found = Counter(choose(Route(targets, "InService"), None) for _ in range(4000))
    shares = {name: sum(found[t] for t in targets if t.variant == name) / 4000 for name in weights}
    # Four standard deviations of a share of 3/4 in 4,000 draws are 0.027.
    assert shares["b"] == pytest.approx(0.75, abs=0.03)
    assert shares["c"] == 0
    assert min(found[t] for t in targets if t.variant == "b") > 1300
    chosen = choose(Route(targets, "InService"), "c")
    assert chosen is not None
    assert chosen.variant == "c"
    assert choose(Route((), "InService"), None) is None


def test_backoff_grows_to_its_limit() -> None:
    assert [backoff(n) for n in range(1, 9)] == [0, 1, 2, 4, 8, 16, 30, 30]


def test_a_large_table_reads_as_a_small_one() -> None:
    """Large bodies go another way: the same numbers, gaps and complaints."""
    lines = [f"{n},{n / 7},,{n * 1e-9}" for n in range(4000)]
    small, large = "\n".join(lines[:5]), "\r\n".join(lines) + "\n"
    assert len(large) > content.LARGE
    found = content.csv_numbers(large)
    assert found.shape == (4000, 4)
    assert np.array_equal(found[:5], content.csv_numbers(small), equal_nan=True)
    with pytest.raises(ClientError, match="record 4001, column 2: 'x' is not a number"):
        content.csv_numbers(large + "1,x,3,4\n")
    with pytest.raises(ClientError, match="record 4001 has 2 values, the first one has 4"):
        content.csv_numbers(large + "1,2\n")
