"""What clients send to a text model and what it answers: JumpStart's formats, as pure functions.

Requests: `application/x-text` (one text), `application/json` (`{"inputs": ...}`, `{"text": ...}`, a string or
a list of them), `application/jsonlines` and `text/csv` (one text a line).
Answers: `application/json`, `application/json;verbose`, `application/jsonlines`, `text/csv`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TEXT, JSON, VERBOSE = "application/x-text", "application/json", "application/json;verbose"
JSON_LINES, CSV = "application/jsonlines", "text/csv"
CONTENT_TYPES = (TEXT, JSON, JSON_LINES, CSV)
ACCEPTS = (JSON, VERBOSE, JSON_LINES, CSV)

_SAME = {"text/plain": TEXT, "application/x-jsonlines": JSON_LINES}
_KEYS = ("inputs", "text")
_LINE = re.compile(r'"(?P<quoted>[^"]*+(?:""[^"]*+)*+)"[ \t]*(?:\r?\n|\Z)|(?P<plain>[^\n]*?)(?:\r?\n|\Z)')
_SURROGATE = re.compile("[\ud800-\udfff]")


class RequestError(ValueError):
    """A request that the model cannot answer; the message says what to send instead."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status: 400, 406 (Accept) or 415 (Content-Type)."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a request."""

    texts: tuple[str, ...]
    single: bool
    """The client sent one text, not a list with one: it gets one answer, not a list."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says about one text."""

    fields: Mapping[str, Any]
    more: Mapping[str, Any]
    """Fields that only `;verbose` shows."""
    numbers: Sequence[float]
    """The line of a CSV answer."""


def read(body: bytes, content_type: str | None) -> Texts:
    """The texts of a request; without a content type it is one text. Raises RequestError."""
    content_type = content_type or TEXT
    kind = _media_type(content_type)
    if kind not in CONTENT_TYPES or _charset(content_type) not in ("utf-8", "utf8", "us-ascii"):
        known = ", ".join(CONTENT_TYPES)
        raise RequestError(f"a text model does not read {content_type}: send {known}, all in UTF-8", 415)
    try:
        texts = _READERS[kind](body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RequestError(f"the request is not UTF-8 at byte {error.start}: encode it as UTF-8") from error
    if not texts.texts or (texts.single and not texts.texts[0].strip()):
        raise RequestError("the request holds no text: send at least one character")
    if any(_SURROGATE.search(text) for text in texts.texts):
        raise RequestError("a text holds half a surrogate pair (\\ud800 to \\udfff): send whole characters")
    return texts


def accepted(accept: str | None) -> str:
    """The type of answer that an Accept header asks for, JSON without one. Raises RequestError."""
    for wish in (accept or JSON).split(","):
        kind = _media_type(wish, keep=("verbose",))
        if kind in ("*/*", "application/*", ""):
            return JSON
        if kind in ACCEPTS:
            return kind
    raise RequestError(f"a text model does not write {accept}: ask for one of {', '.join(ACCEPTS)}", 406)


def write(answers: Sequence[Answer], single: bool, accept: str) -> bytes:
    """The answers in a type that `accepted` gave."""
    if accept == CSV:
        return "".join(",".join(map(repr, answer.numbers)) + "\n" for answer in answers).encode()
    verbose = accept == VERBOSE
    objects = [{**answer.fields, **answer.more} if verbose else dict(answer.fields) for answer in answers]
    if accept == JSON_LINES:
        return "".join(json.dumps(each) + "\n" for each in objects).encode()
    return json.dumps(objects[0] if single else objects).encode()


def _media_type(value: str, keep: tuple[str, ...] = ()) -> str:
    kind, *parameters = (part.strip().lower() for part in value.split(";"))
    kind = ";".join([kind, *(part for part in parameters if part in keep)])
    return _SAME.get(kind, kind)


def _charset(content_type: str) -> str:
    found = re.search(r"charset=[\"']?([^\s;\"']+)", content_type.lower())
    return found[1] if found else "utf-8"


def _read_text(text: str) -> Texts:
    return Texts((text,), single=True)


def _read_json(text: str) -> Texts:
    value = _parse(text, "the request")
    if isinstance(value, dict):
        value = _field(value, "the request")
    if isinstance(value, list):
        texts = [_text(each, f"text {number}") for number, each in enumerate(value, 1)]
        return Texts(tuple(texts), single=False)
    return Texts((_text(value, "the request"),), single=True)


def _read_json_lines(text: str) -> Texts:
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    texts = [_text(_parse(line, f"line {number}"), f"line {number}") for number, line in lines]
    return Texts(tuple(texts), single=False)


def _read_csv(text: str) -> Texts:
    """A line in double quotes may hold line breaks and doubled quotes; any other is a text as it stands."""
    texts: list[str] = []
    place = 0
    while place < len(text):
        line = _LINE.match(text, place)
        assert line is not None  # the second branch matches anything up to a line's end
        quoted = line["quoted"]
        texts.append(line["plain"] if quoted is None else quoted.replace('""', '"'))
        place = line.end()
    return Texts(tuple(texts), single=False)


_READERS = {TEXT: _read_text, JSON: _read_json, JSON_LINES: _read_json_lines, CSV: _read_csv}


def _parse(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{what} is not JSON: {error}") from error


def _field(value: dict[str, Any], what: str) -> Any:
    known = [key for key in _KEYS if key in value]
    if len(known) != 1 or len(value) != 1:
        names = ", ".join(map(repr, value))[:80] or "no field"
        raise RequestError(f'{what} must be {{"inputs": ...}} or {{"text": ...}} alone, but has {names}')
    return value[known[0]]


def _text(value: Any, what: str) -> str:
    if isinstance(value, dict):
        value = _field(value, what)
    if not isinstance(value, str):
        raise RequestError(f"{what} must be a string, not {json.dumps(value)[:40]}")
    return value
