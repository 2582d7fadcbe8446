"""Requests made from botocore's models: valid ones, and ones with one thing wrong in one named place."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import regex

TEXTS = (
    "fuzz-a", "a", "1", "ml.m5.large", "fuzz/a", "/fuzz", "s3://fuzz-bucket/a", "text/csv", "2030-01-01",
    "arn:aws:iam::123456789012:role/fuzz", "arn:aws:sagemaker:us-east-1:123456789012:model/fuzz-a",
    "arn:aws:kms:us-east-1:123456789012:key/fuzz", "sg-12345678", "subnet-12345678", "fs-12345678", "https://fuzz.example/a",
    "123456789012", "fuzz.bucket", "/opt/ml/processing/fuzz", "a" * 64,
    "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
)  # fmt: skip
PLACE = "s3://fuzz-bucket/a"
DEEP = 5


@dataclass(frozen=True)
class Wrong:
    """A request with one thing wrong; `field` is the member that an error must name, if one is known."""

    what: str
    params: Any
    field: str | None


class Unmakeable(Exception):
    """No text at hand fits the pattern of a shape."""


class Maker:
    """Values of shapes, from one seeded source of chance."""

    def __init__(self, seed: int, wishes: bool = False) -> None:
        self.chance = Random(seed)
        self._wishes = wishes
        """Whether to ask for something in every member: True, 1, lists of one, an enum's first."""

    def structure(self, shape: Any, some: float, depth: int = 0) -> dict[str, Any]:
        """The required members, and each other one with probability `some`."""
        found = {}
        for name, member in shape.members.items():
            needed = name in shape.required_members
            if needed or (depth < DEEP and self.chance.random() < some):
                try:
                    found[name] = self.value(member, some, depth + 1)
                except Unmakeable:
                    if needed:
                        raise
        if getattr(shape, "is_tagged_union", False) and found:
            name = self.chance.choice(sorted(found))
            return {name: found[name]}
        return found

    def value(self, shape: Any, some: float, depth: int) -> Any:
        kind, facts = shape.type_name, shape.metadata
        if kind == "structure":
            return self.structure(shape, some, depth)
        if kind == "list":
            size = max(facts.get("min", 0), 1 if self._wishes else self.chance.choice((0, 1, 2)))
            return [
                self.value(shape.member, some, depth + 1) for _ in range(min(size, facts.get("max", size)))
            ]
        if kind == "map":
            return {str(self._text(shape.key)): self.value(shape.value, some, depth + 1)}
        if kind in ("integer", "long", "float", "double"):
            low, high = facts.get("min", 0), facts.get("max", 1000)
            one = min(max(1, low), high)
            return one if self._wishes else self.chance.choice((low, high, one))
        other: dict[str, Callable[[], Any]] = {
            "boolean": lambda: self._wishes or self.chance.random() < 0.5,
            "timestamp": lambda: self.chance.choice((0, 1_700_000_000, 1_700_000_000.123)),
            "blob": lambda: "YWJj",
        }
        return other[kind]() if kind in other else self._text(shape)

    def _text(self, shape: Any) -> str:
        facts = shape.metadata
        if facts.get("enum"):
            return str(facts["enum"][0] if self._wishes else self.chance.choice(facts["enum"]))
        fits = [text for text in TEXTS if _fits(text, facts)]
        if not fits:
            raise Unmakeable(shape.name)
        in_s3 = self._wishes and shape.name.startswith("S3") and PLACE in fits
        return PLACE if in_s3 else self.chance.choice(fits)

    def wrong(self, shape: Any, params: dict[str, Any]) -> Iterator[Wrong]:
        """The request with one thing wrong, for every place in it and every way that its shape knows."""
        yield Wrong("unknown", {**params, "Strange": 1}, "strange")
        yield Wrong("private", {**params, "_status": 500}, "_status")
        for path, member, needed in places(shape, params):
            for what, value in self._ways(member, needed):
                yield Wrong(what, _replaced(params, path, value), named(path))

    def _ways(self, shape: Any, needed: bool) -> Iterator[tuple[str, Any]]:
        kind, facts = shape.type_name, shape.metadata
        if needed:
            yield "missing", _GONE
            yield "null", None
        yield "type", {"list": "text", "string": 7, "boolean": "maybe"}.get(kind, [["x"]])
        yield "object", {"Strange": {"x": 1}} if kind != "map" else 5
        if kind in ("integer", "long", "float", "double"):
            yield "huge", 10**30 if kind in ("integer", "long") else 10**310
            yield from (("not finite", math.inf), ("not a number", math.nan), ("true", True), ("text", "12"))
            if "max" in facts:
                yield "above", facts["max"] + 1
            if "min" in facts:
                yield "below", facts["min"] - 1
        if kind == "timestamp":
            yield from (("no time", "yesterday"), ("no year", 10**18), ("bool", True), ("nan", math.nan))
        if kind == "string":
            yield from self._texts(shape)
        if kind == "list" and facts.get("max", 300) < 300:
            with suppress(Unmakeable):
                yield "long", [self.value(shape.member, 0, DEEP)] * (facts["max"] + 1)
        if kind == "list":
            yield "null inside", [None]
        if kind in ("list", "map") and facts.get("min"):
            yield "empty", [] if kind == "list" else {}

    def _texts(self, shape: Any) -> Iterator[tuple[str, Any]]:
        facts = shape.metadata
        if facts.get("enum"):
            yield "enum", "Sideways"
        if facts.get("min"):
            yield "empty", ""
        if "max" in facts and facts["max"] <= 20_000:
            yield "long", "a" * (facts["max"] + 1)
        if facts.get("pattern") and not _fits(" \u2603\n", facts):
            yield "pattern", " \u2603\n"
        yield "null character", "a\0b"


_GONE = object()


def places(shape: Any, value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any, bool]]:
    """Every member that is set anywhere in a request: path, shape, whether it is required."""
    if shape.type_name == "structure":
        for name, item in value.items():
            yield (*path, name), shape.members[name], name in shape.required_members
            yield from places(shape.members[name], item, (*path, name))
    elif shape.type_name == "list":
        for index, item in enumerate(value[:1]):
            yield from places(shape.member, item, (*path, index))
    elif shape.type_name == "map":
        for key, item in list(value.items())[:1]:
            yield from places(shape.value, item, (*path, key))


def named(path: tuple[Any, ...]) -> str:
    """What an error calls the last member of a path."""
    last = next(piece for piece in reversed(path) if isinstance(piece, str))
    return last[:1].lower() + last[1:]


def _replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _replaced(value[path[0]], path[1:], new)
    if copy[path[0]] is _GONE:
        del copy[path[0]]
    return copy


def _fits(text: str, facts: dict[str, Any]) -> bool:
    if not facts.get("min", 0) <= len(text) <= facts.get("max", len(text)):
        return False
    pattern = facts.get("pattern", "")
    try:
        return not pattern or regex.fullmatch(pattern, text, timeout=1) is not None
    except (regex.error, TimeoutError):
        return False


def as_json(params: Any) -> bytes:
    """JSON as Python writes it: NaN and Infinity as they are."""
    return json.dumps(params).encode()
