"""The result of a measurement and its Markdown table."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `unit` is of both numbers; `wanted` says which results are good enough, in words.

    `good` is None where the result is told for its own sake.
    """

    what: str
    clary: float
    peer: float
    peer_name: str
    unit: str
    wanted: str
    good: bool | None

    @property
    def ratio(self) -> float:
        return self.clary / self.peer


def markdown(rows: Iterable[Row]) -> str:
    lines = ["| what | Clary | peer | | ratio | wanted | |", "|---|---:|---:|---|---:|---|---|"]
    for row in rows:
        mine, theirs = (f"{value:,.4g} {row.unit}" for value in (row.clary, row.peer))
        verdict = {True: "yes", False: "**no**", None: ""}[row.good]
        cells = (row.what, mine, theirs, row.peer_name, f"{row.ratio:.2f}", row.wanted, verdict)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def machine() -> str:
    return f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, Python {platform.python_version()}"
