"""Checks a parsed request against its shape: required, unknown, type, length, range, pattern, enum.

botocore's own validator checks only required, type and minimum; the model holds the rest as data. Messages
are in the words of AWS's services.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

import regex

from clary.wire.body import Body
from clary.wire.errors import AwsError, validation
from clary.wire.model import Shape, StructureShape

MAX_REPORTED = 10
PATTERN_SECONDS = 0.5
_SHOWN = 128
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "blob": (bytes, Body),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}
_LARGEST = {"integer": 2**31 - 1, "long": 2**63 - 1, "float": 3.4e38, "double": 1.7e308}


def check(params: dict[str, Any], shape: StructureShape | None) -> None:
    """AwsError ValidationException that lists what is wrong; the request is never changed."""
    if shape is None:
        return
    problems = list(islice(_structure(params, shape, ""), MAX_REPORTED))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        raise validation(f"{count}: " + "; ".join(problems))


def type_error(path: str, expected: str, value: Any) -> AwsError:
    """What AWS answers when JSON of another type stands where `expected` should."""
    return AwsError(
        "SerializationException",
        f"{type(value).__name__} value at '{path}' can not be converted to {expected}",
    )


def _structure(value: dict[str, Any], shape: StructureShape, path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield _null(_join(path, name))
    for name, item in value.items():
        if name not in shape.members:
            yield f"Unknown field '{_join(path, name)}': {shape.name} has no such member"
        elif item is not None:
            yield from _value(item, shape.members[name], _join(path, name))
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        names = ", ".join(shape.members)
        yield f"Value at '{path}' failed to satisfy constraint: Exactly one member must be set of {names}"


def _value(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if value is None:
        yield _null(path)
        return
    kind = shape.type_name
    expected = _TYPES.get(kind)
    if expected and (not isinstance(value, expected) or (isinstance(value, bool) and kind != "boolean")):
        raise type_error(path, kind, value)
    if kind == "structure":
        if not getattr(shape, "is_document_type", False):
            yield from _structure(value, shape, path)
    elif kind == "list":
        yield from _length(len(value), shape, path, value)
        for index, item in enumerate(value):
            yield from _value(item, shape.member, f"{path}.{index + 1}.member")
    elif kind == "map":
        yield from _length(len(value), shape, path, value)
        for key, item in value.items():
            yield from _value(key, shape.key, f"{path}.key")
            yield from _value(item, shape.value, f"{path}.{_short(key)}.member")
    elif kind == "string":
        yield from _string(value, shape, path)
    elif kind in _LARGEST:
        if not -_LARGEST[kind] - 1 <= value <= _LARGEST[kind]:
            raise type_error(path, kind, value)
        yield from _range(value, shape, path)


def _string(value: str, shape: Shape, path: str) -> Iterator[str]:
    yield from _length(len(value), shape, path, value)
    if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
        yield _broken(value, path, f"satisfy enum value set: [{', '.join(shape.metadata['enum'])}]")
    if "\0" in value:
        yield _broken(value, path, "not hold a null character")
    pattern = shape.metadata.get("pattern")
    if pattern and len(value) <= shape.metadata.get("max", 65536) and not _fits(pattern, value):
        yield _broken(value, path, f"satisfy regular expression pattern: {pattern}")


def _length(length: int, shape: Shape, path: str, value: Any) -> Iterator[str]:
    if length < shape.metadata.get("min", 0):
        yield _broken(value, path, f"have length greater than or equal to {shape.metadata['min']}")
    if length > shape.metadata.get("max", length):
        yield _broken(value, path, f"have length less than or equal to {shape.metadata['max']}")


def _range(value: float, shape: Shape, path: str) -> Iterator[str]:
    if value < shape.metadata.get("min", value):
        yield _broken(value, path, f"have value greater than or equal to {shape.metadata['min']}")
    if value > shape.metadata.get("max", value):
        yield _broken(value, path, f"have value less than or equal to {shape.metadata['max']}")


def _null(path: str) -> str:
    return f"Value null at '{path}' failed to satisfy constraint: Member must not be null"


def _broken(value: Any, path: str, constraint: str) -> str:
    shown = list(value)[:5] if isinstance(value, list | dict) else value
    return f"Value '{_short(str(shown))}' at '{path}' failed to satisfy constraint: Member must {constraint}"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _fits(pattern: str, value: str) -> bool:
    """Some of AWS's patterns take time without end on a long value that is made for it."""
    try:
        return _compiled(pattern).fullmatch(value, timeout=PATTERN_SECONDS) is not None
    except TimeoutError:
        return False


@cache
def _compiled(pattern: str) -> regex.Pattern[str]:
    # Java's notation: \p{Alnum} has no brace-free twin in Python, and surrogates are no characters here.
    pattern = re.sub(r"\\uD800\\uDC00-\\uDBFF\\uDFFF", r"\\U00010000-\\U0010FFFF", pattern)
    pattern = pattern.replace(r"\p{Alnum}", "a-zA-Z0-9").replace("*)${1,", "){1,")
    return regex.compile(pattern)


def _join(path: str, name: str) -> str:
    lower = _short(name[:1].lower() + name[1:])
    return f"{path}.{lower}" if path else lower
