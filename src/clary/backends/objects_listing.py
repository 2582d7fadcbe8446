"""A page of a bucket's keys in order, with common prefixes, from the index of objects."""

from __future__ import annotations

from itertools import takewhile

from clary.backends.objects_index import Index, object_of
from clary.ports.objects import Listing, Object

_LAST = chr(0x10FFFF)
_SQL = "SELECT * FROM objects WHERE bucket = ? AND key >= ? ORDER BY key"


def listing(index: Index, bucket: str, prefix: str, delimiter: str, after: str, limit: int) -> Listing:
    objects: list[Object] = []
    prefixes: list[str] = []
    last, start = after, _start(prefix, delimiter, after)
    while start is not None:
        rows, start = index.each(_SQL, bucket, start), None
        for row in takewhile(lambda row: row["key"].startswith(prefix), rows):
            if len(objects) + len(prefixes) == limit:
                return Listing(objects, prefixes, last)
            head, found, _ = row["key"][len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            if found:
                last = prefix + head + delimiter
                prefixes.append(last)
                start = _behind(last)
                break
            objects.append(object_of(row))
            last = row["key"]
    return Listing(objects, prefixes, None)


def _start(prefix: str, delimiter: str, after: str) -> str | None:
    """The least key of the page. One that went on behind a common prefix must not show that again."""
    if delimiter and after.startswith(prefix) and after.endswith(delimiter):
        return _behind(after)
    return max(prefix, after + "\0" if after else "")


def _behind(prefix: str) -> str | None:
    """The least text that is greater than all that begin with `prefix`; None where there is none."""
    stem = prefix.rstrip(_LAST)
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    # Surrogates are no characters, so the one before them is followed by the one behind them.
    return stem[:-1] + chr(0xE000 if following == 0xD800 else following)
