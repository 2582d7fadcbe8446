"""Checks a parsed request against its shape: required, unknown, type, length, range, pattern, enum.

botocore's own validator checks only required, type and minimum; the model holds the rest as data. Messages
are in the words of AWS's services.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

import regex

from clary.wire.errors import AwsError, validation
from clary.wire.model import Shape, StructureShape

MAX_REPORTED = 10
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}


def check(params: dict[str, Any], shape: StructureShape | None) -> None:
    """AwsError ValidationException that lists what is wrong; the request is never changed."""
    if shape is None:
        return
    problems = list(_structure(params, shape, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        raise validation(f"{count}: " + "; ".join(problems[:MAX_REPORTED]))


def type_error(path: str, expected: str, value: Any) -> AwsError:
    """What AWS answers when JSON of another type stands where `expected` should."""
    return AwsError(
        "SerializationException",
        f"{type(value).__name__} value at '{path}' can not be converted to {expected}",
    )


def _structure(value: dict[str, Any], shape: StructureShape, path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, item in value.items():
        if name.startswith("_"):
            continue
        if name not in shape.members:
            yield f"Unknown field '{_join(path, name)}': {shape.name} has no such member"
        elif item is not None:
            yield from _value(item, shape.members[name], _join(path, name))


def _value(value: Any, shape: Shape, path: str) -> Iterator[str]:
    kind = shape.type_name
    expected = _TYPES.get(kind)
    if expected and (not isinstance(value, expected) or (isinstance(value, bool) and kind != "boolean")):
        raise type_error(path, kind, value)
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return
        yield from _structure(value, shape, path)
    elif kind == "list":
        yield from _length(len(value), shape, path, value)
        for index, item in enumerate(value):
            yield from _value(item, shape.member, f"{path}.{index + 1}.member")
    elif kind == "map":
        yield from _length(len(value), shape, path, value)
        for key, item in value.items():
            yield from _value(key, shape.key, f"{path}.key")
            if item is not None:
                yield from _value(item, shape.value, f"{path}.{key}.member")
    elif kind == "string":
        yield from _string(value, shape, path)
    elif kind in ("integer", "long", "float", "double"):
        yield from _range(value, shape, path)


def _string(value: str, shape: Shape, path: str) -> Iterator[str]:
    yield from _length(len(value), shape, path, value)
    if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
        yield _broken(value, path, f"satisfy enum value set: [{', '.join(shape.metadata['enum'])}]")
    pattern = shape.metadata.get("pattern")
    if pattern and len(value) <= shape.metadata.get("max", 65536) and not _compiled(pattern).fullmatch(value):
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


def _broken(value: Any, path: str, constraint: str) -> str:
    text = str(value)
    shown = text if len(text) <= 128 else text[:128] + "..."
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: Member must {constraint}"


@cache
def _compiled(pattern: str) -> regex.Pattern[str]:
    # Java's notation: \p{Alnum} has no brace-free twin in Python, and surrogates are no characters here.
    pattern = re.sub(r"\\uD800\\uDC00-\\uDBFF\\uDFFF", r"\\U00010000-\\U0010FFFF", pattern)
    pattern = pattern.replace(r"\p{Alnum}", "a-zA-Z0-9").replace("${1,", "{1,")
    return regex.compile(pattern)


def _join(path: str, name: str) -> str:
    lower = name[:1].lower() + name[1:]
    return f"{path}.{lower}" if path else lower
