"""Reads the last value of each metric from a log. A plain script: stdlib only.

Called as `python -I -S metrics.py LOG` with `[[name, regex], ...]` on stdin; writes
`[[name, value, ms], ...]`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

LINE_LIMIT = 16_384
"""Bytes of a line that are searched."""


def last_values(lines: Iterable[bytes], definitions: list[list[str]]) -> list[tuple[str, float, int]]:
    """The last number that each regular expression's first group finds, with the line's time."""
    patterns = [(name, re.compile(regex)) for name, regex in definitions]
    found: dict[str, tuple[str, float, int]] = {}
    for raw in lines:
        stamp, _, text = raw[:LINE_LIMIT].decode("utf-8", "replace").partition("\t")
        for name, pattern in patterns:
            for match in pattern.finditer(text):
                try:
                    value = float(match[1] if pattern.groups else match[0])
                except (TypeError, ValueError):
                    continue
                found[name] = (name, value, int(stamp))
    return [found[name] for name, _ in patterns if name in found]


if __name__ == "__main__":
    with Path(sys.argv[1]).open("rb") as log:
        json.dump(last_values(log, json.load(sys.stdin)), sys.stdout)
