"""The one error of the Clarify library: what is wrong with the request, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ClarifyError(ValueError):
    """The configuration or the data cannot be analysed as asked; the message says what to change."""


def known(name: object, options: Iterable[object], what: str) -> str:
    """The end of a sentence that lists what exists and the nearest to `name`."""
    names = [str(option) for option in options]
    said = str(name).strip().casefold()
    nearest = [n for n in names if n.strip().casefold() == said != ""]
    nearest = nearest or difflib.get_close_matches(str(name), names, 1)
    guess = f" Did you mean {nearest[0]!r}?" if nearest else ""
    shown = ", ".join(repr(n) for n in names[:20]) + (", ..." if len(names) > 20 else "")
    return f"The {what} are: {shown or 'none'}.{guess}"
