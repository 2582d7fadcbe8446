"""Where an endpoint's invocations go: a table in memory, written by the lifecycle, read on the data path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """One worker of a production variant."""

    variant: str
    socket: Path
    weight: float = 1.0
    random: bool = False
    """Whether any of the variant's workers may have a call, instead of the one with the fewest under way."""
    explained: bool = False
    """Whether an explainer stands before the model."""


@dataclass(frozen=True, slots=True)
class Route:
    targets: Sequence[Target]
    """Workers that are ready; empty while all of them are being restarted."""
    status: str
    """The endpoint's status, for the message when it cannot answer."""


class Routes:
    """Endpoint name to Route. Only whole values are put in, so that readers need no lock."""

    def __init__(self) -> None:
        self._routes: dict[str, Route] = {}

    def get(self, endpoint: str) -> Route | None:
        return self._routes.get(endpoint)

    def set(self, endpoint: str, route: Route) -> None:
        self._routes[endpoint] = route

    def remove(self, endpoint: str) -> None:
        self._routes.pop(endpoint, None)
