"""segment_config of analysis_config.json: parts of the data set that are analysed on their own too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clary.clarify.config.schema import Types, check
from clary.clarify.data.columns import Value
from clary.clarify.errors import ClarifyError

KEYS: dict[str, Types] = {
    "name_or_index": (str, int),
    "segments": list,
    "config_name": str,
    "display_aliases": list,
}
DEFAULT = "__default__"
"""Clarify's name of the segment that holds the rows of no other."""


@dataclass(frozen=True)
class SegmentConfig:
    """A column and its segments, each a list of values or of intervals such as "[1, 4]"."""

    name_or_index: str | int
    segments: list[list[Value]]
    config_name: str | None = None
    display_aliases: list[str] | None = None

    def name(self, number: int) -> str:
        """How a segment is called; the one after the last is the default segment."""
        if self.display_aliases is not None and number < len(self.display_aliases):
            return self.display_aliases[number]
        return DEFAULT if number == len(self.segments) else ", ".join(map(str, self.segments[number]))


def segment_configs(configs: Sequence[Any]) -> list[SegmentConfig]:
    """Check the list of segmentations; ClarifyError names what is wrong with one."""
    found = [_one(config) for config in configs]
    names = [config.config_name or str(config.name_or_index) for config in found]
    for name in names:
        if names.count(name) > 1:
            raise ClarifyError(f"segment_config has {name!r} twice: give each a config_name of its own.")
    return found


def _one(config: Mapping[str, Any]) -> SegmentConfig:
    check(config, KEYS, "segment_config", ["name_or_index", "segments"])
    segments, aliases = config["segments"], config.get("display_aliases")
    if not segments or not all(isinstance(s, list) and s for s in segments):
        raise ClarifyError(
            f"segment_config {config['name_or_index']!r}: segments must be a list of lists of values or "
            'intervals, for example [["[18, 30)"], ["[30, 65)"]].'
        )
    for value in (v for segment in segments for v in segment):
        if not isinstance(value, str | int | float):
            raise ClarifyError(f"A value of segment_config's segments is {value!r:.80}: use text or numbers.")
    if aliases is not None and len(aliases) not in (len(segments), len(segments) + 1):
        raise ClarifyError(
            f"segment_config {config['name_or_index']!r} has {len(segments)} segments and {len(aliases)} "
            "display_aliases: name each segment, and the default segment if you like."
        )
    found = SegmentConfig(**config)
    names = [found.name(i) for i in range(len(segments) + 1)]
    for name in names:
        if names.count(name) > 1:
            raise ClarifyError(f"segment_config {config['name_or_index']!r} calls two segments {name!r}.")
    return found
