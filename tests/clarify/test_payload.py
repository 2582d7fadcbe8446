"""What is sent to a model and what is read of its answer, in Clarify's three formats."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clary.clarify import ClarifyError
from clary.clarify.config.analysis import parse
from clary.containers.clarify.payload import Codec

ROWS = pd.DataFrame({"A": [1, 3], "B": ["x, y", None], "C": [0.5, np.nan]})


def codec(kind: str = "text/csv", **predictor: Any) -> Codec:
    return Codec.of(
        parse(
            {
                "dataset_type": "text/csv",
                "methods": {"shap": {}},
                "predictor": {"endpoint_name": "e", "content_type": kind, **predictor},
            }
        )
    )


def lines(**predictor: Any) -> Codec:
    return codec("application/jsonlines", content_template='{"f": $features}', **predictor)


@pytest.mark.parametrize(
    ("how", "body"),
    [
        (codec(), '1,"x, y",0.5\n3,,\n'),
        (lines(), '{"f": [1, "x, y", 0.5]}\n{"f": [3, null, null]}\n'),
        (
            codec(
                "application/json",
                content_template='{"instances": $records}',
                record_template='{"names": $feature_names, "values": $features}',
            ),
            '{"instances": [{"names": ["A", "B", "C"], "values": [1, "x, y", 0.5]}, '
            '{"names": ["A", "B", "C"], "values": [3, null, null]}]}',
        ),
        (
            codec("application/json", content_template="$records", record_template="$features_kvp"),
            '[{"A": 1, "B": "x, y", "C": 0.5}, {"A": 3, "B": null, "C": null}]',
        ),
        (
            codec(
                "application/json", content_template="$records", record_template='{"a": "${A}", "b": "${B}"}'
            ),
            '[{"a": 1, "b": "x, y"}, {"a": 3, "b": null}]',
        ),
    ],
    ids=["csv", "json lines", "features", "named", "by placeholder"],
)
def test_rows_are_written_as_the_templates_say(how: Codec, body: str) -> None:
    assert how.encode(ROWS).decode() == body


@pytest.mark.parametrize(
    ("how", "answer", "labels", "scores"),
    [
        (codec(), "0.1\n0.9\n", None, [[0.1], [0.9]]),
        (codec(), "0.1,0.9", None, [[0.1], [0.9]]),
        (codec(), "0.1,0.9\n0.4,0.6\n", None, [[0.1, 0.9], [0.4, 0.6]]),
        (codec(), "yes\nno\n", ["yes", "no"], None),
        (codec(label=0, probability=1), "yes,0.7\nno,0.2\n", ["yes", "no"], [[0.7], [0.2]]),
        (codec(probability=1), 'a,"[0.2, 0.8]"\nb,"[0.7, 0.3]"\n', None, [[0.2, 0.8], [0.7, 0.3]]),
        (lines(probability="p"), '{"p": 0.3}\n{"p": 0.4}', None, [[0.3], [0.4]]),
        (
            lines(label="l", probability="p"),
            '{"l": ["a", "b"], "p": [0.2, 0.8]}\n{"l": ["a", "b"], "p": [0.7, 0.3]}',
            ["b", "a"],
            [[0.2, 0.8], [0.7, 0.3]],
        ),
        (
            lines(accept_type="application/json", probability="predictions[*].score"),
            '{"predictions": [{"score": 1}, {"score": 0}]}',
            None,
            [[1.0], [0.0]],
        ),
    ],
)
def test_answers_are_read_as_configured(how: Codec, answer: str, labels: Any, scores: Any) -> None:
    found = how.decode(answer.encode(), 2)
    assert (None if found.labels is None else found.labels.tolist()) == labels
    assert (None if found.scores is None else found.scores.tolist()) == scores


@pytest.mark.parametrize(
    ("how", "answer", "says"),
    [
        (codec(), "0.1\n0.2\n0.3\n", "3 predictions for 2 rows"),
        (codec(probability=4), "0.1\n0.2\n", "give a position from 0"),
        (lines(), '{"score": 1}\n{"score": 2}\n', "'score': set predictor.probability"),
        (lines(probability="p"), "<html>busy</html>", "not application/jsonlines"),
        (lines(probability="q"), '{"p": 1}\n{"p": 2}\n', "'q' finds nothing"),
    ],
)
def test_answers_that_do_not_fit_are_told(how: Codec, answer: str, says: str) -> None:
    with pytest.raises(ClarifyError, match=says):
        how.decode(answer.encode(), 2)


@pytest.mark.parametrize(
    ("predictor", "says"),
    [
        ({"kind": "application/jsonlines"}, "content_template must say"),
        ({"kind": "application/json"}, "must hold \\$records"),
        ({"kind": "application/json", "content_template": "$records"}, "record_template is missing"),
    ],
)
def test_missing_templates_are_asked_for(predictor: dict[str, Any], says: str) -> None:
    with pytest.raises(ClarifyError, match=says):
        codec(**predictor)


def test_csv_is_what_pandas_would_write() -> None:
    """Strings keep their form, flags are Python's words, gaps are empty; numbers read back as the same."""
    frame = pd.DataFrame(
        {
            "f": [1.0, np.nan, 1e-7, 1e20, 0.1],
            "i": [1, 2, 3, 4, 5],
            "s": ["a", 'b"c', "d,e", "ü 1", "\n"],
            "b": [True, False, True, True, False],
            "n": [None, "x", None, "y", "z"],
            "c": pd.Categorical(list("abcab")),
        }
    )
    for table in (frame, frame.assign(o=[1, "a", None, 2.5, True])):
        mine = pd.read_csv(io.BytesIO(codec().encode(table)), header=None, dtype=str, keep_default_na=False)
        plain = table.to_csv(index=False, header=False)
        theirs = pd.read_csv(io.StringIO(plain), header=None, dtype=str, keep_default_na=False)
        assert mine.drop(columns=0).equals(theirs.drop(columns=0))
        assert pd.to_numeric(mine[0]).equals(pd.to_numeric(theirs[0]))
        assert b'"a"' not in codec().encode(table), "only what needs quotes has them"
