"""Filter patterns of CloudWatch Logs: words and quoted phrases; `?` any of, `-` none of."""

from __future__ import annotations

import re
from collections.abc import Callable

from clary.wire.errors import AwsError

_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))')


def matcher(pattern: str) -> Callable[[str], bool]:
    """A test of a message; InvalidParameterException for JSON, space-delimited and regular patterns."""
    text = pattern.strip()
    if text.startswith(("{", "[", "%")):
        raise AwsError(
            "InvalidParameterException",
            "Only words and quoted phrases are built in Clary's filter patterns (with ? and -), not {...},"
            " [...] and %...%.",
        )
    terms = _terms(text)
    needed = [word for sign, word in terms if sign == ""]
    excluded = [word for sign, word in terms if sign == "-"]
    optional = [word for sign, word in terms if sign == "?"]

    def matches(message: str) -> bool:
        if any(word in message for word in excluded) or not all(word in message for word in needed):
            return False
        # As in AWS, ?terms say nothing beside terms that must be there.
        return bool(needed) or not optional or any(word in message for word in optional)

    return matches


def _terms(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text):
        term = _TERM.match(text, at)
        if term is None:
            raise AwsError("InvalidParameterException", f"Invalid filter pattern: {text!r} (an open quote?)")
        quoted = term[2] is not None
        found.append((term[1], re.sub(r"\\(.)", r"\1", term[2]) if quoted else term[3]))
        at = term.end()
    return found
