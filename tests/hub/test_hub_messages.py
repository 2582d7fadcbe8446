"""What clients send to a text model, well formed and not."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.hub import messages
from clary.hub.messages import Answer, RequestError, Texts

WHOLE = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("content_type", "body", "texts", "single"),
    [
        ("application/x-text", "I love it, really\nI do", ["I love it, really\nI do"], True),
        ("application/x-text; charset=utf-8", "naïve 東京 👍", ["naïve 東京 👍"], True),
        ("text/plain", "fine", ["fine"], True),
        (None, "fine", ["fine"], True),
        ("application/json", '{"inputs": "fine"}', ["fine"], True),
        ("application/json", '{"text": "fine"}', ["fine"], True),
        ("application/json", '"fine"', ["fine"], True),
        ("application/json", '["a", "b"]', ["a", "b"], False),
        ("Application/JSON; charset=UTF-8", '{"inputs": ["a"]}', ["a"], False),
        ("application/json", '[{"text": "a"}, {"inputs": "b"}]', ["a", "b"], False),
        ("application/json", '{"inputs": ["a", ""]}', ["a", ""], False),
        ("application/jsonlines", '{"text": "a"}\n"b"\r\n\n', ["a", "b"], False),
        ("text/csv", "I love it, really\nbad\n", ["I love it, really", "bad"], False),
        ("text/csv", '"two\nlines, ""quoted"""\r\n"" \n"oh" she said\nlast', None, False),
    ],
)
def test_requests(content_type: str | None, body: str, texts: list[str] | None, single: bool) -> None:
    expected = texts or ['two\nlines, "quoted"', "", '"oh" she said', "last"]
    assert messages.read(body.encode(), content_type) == Texts(tuple(expected), single)


@pytest.mark.parametrize(
    ("content_type", "body", "status", "words"),
    [
        ("application/x-text", b"", 400, "at least one character"),
        ("application/x-text", b" \n ", 400, "at least one character"),
        ("application/json", b'{"inputs": []}', 400, "at least one character"),
        ("text/csv", b"", 400, "at least one character"),
        ("application/x-text", b"caf\xe9", 400, "encode it as UTF-8"),
        ("application/json", b'{"inputs": "a"', 400, "the request is not JSON"),
        ("application/json", b"[" * 100_000, 400, "is not JSON"),
        ("application/jsonlines", b'"a"\n{"text": }\n', 400, "line 2 is not JSON"),
        ("application/json", b'{"inputs": 5}', 400, "must be a string, not 5"),
        ("application/json", b'{"inputs": ["a", null]}', 400, "text 2 must be a string, not null"),
        ("application/json", b'{"inputs": [["a"]]}', 400, "text 1 must be a string"),
        ("application/json", b'{"review": "a"}', 400, "has 'review'"),
        ("application/json", b'{"inputs": "a", "parameters": {}}', 400, "has 'inputs', 'parameters'"),
        ("application/json", b"{}", 400, "has no field"),
        ("application/json", b'"\\ud83d"', 400, "whole characters"),
        ("image/png", b"x", 415, "application/x-text, application/json"),
        ("application/x-text; charset=latin-1", b"x", 415, "UTF-8"),
    ],
)
def test_requests_that_cannot_be_answered(content_type: str, body: bytes, status: int, words: str) -> None:
    with pytest.raises(RequestError) as caught:
        messages.read(body, content_type)
    assert caught.value.status == status
    assert words in str(caught.value)


@given(st.lists(WHOLE, min_size=1))
def test_any_texts_survive_csv_json_and_json_lines(texts: list[str]) -> None:
    table = io.StringIO(newline="")
    csv.writer(table, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows([text] for text in texts)
    lines = "\n".join(json.dumps({"text": text}) for text in texts)
    for content_type, body in (
        ("text/csv", table.getvalue()),
        ("application/json", json.dumps(texts, ensure_ascii=False)),
        ("application/jsonlines", lines),
    ):
        assert messages.read(body.encode(), content_type).texts == tuple(texts)


@given(st.binary(), st.sampled_from(messages.CONTENT_TYPES))
def test_any_bytes_are_read_or_refused(body: bytes, content_type: str) -> None:
    try:
        assert messages.read(body, content_type).texts
    except RequestError as error:
        assert error.status == 400


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json;verbose", "application/json;verbose"),
        ("Application/JSON; Verbose", "application/json;verbose"),
        ("image/png, application/*;q=0.5", "application/json"),
        ("text/csv", "text/csv"),
        ("application/x-jsonlines", "application/jsonlines"),
    ],
)
def test_accept(accept: str | None, kind: str) -> None:
    assert messages.accepted(accept) == kind


def test_an_answer_nobody_can_write_is_refused() -> None:
    with pytest.raises(RequestError, match="ask for one of application/json") as caught:
        messages.accepted("image/png")
    assert caught.value.status == 406


def test_answers() -> None:
    one = Answer({"probabilities": [0.25, 0.75]}, {"predicted_label": "good"}, [0.25, 0.75])
    assert json.loads(messages.write([one], True, messages.JSON)) == {"probabilities": [0.25, 0.75]}
    assert json.loads(messages.write([one], False, messages.VERBOSE)) == [
        {"probabilities": [0.25, 0.75], "predicted_label": "good"}
    ]
    assert messages.write([one, one], False, messages.JSON_LINES) == b'{"probabilities": [0.25, 0.75]}\n' * 2
    assert messages.write([one, one], False, messages.CSV) == b"0.25,0.75\n0.25,0.75\n"
