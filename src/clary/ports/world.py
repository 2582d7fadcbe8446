"""All that an operation or a lifecycle step may touch, and the per-call object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clary.ports.identity import Identity, Principal
from clary.ports.invoker import Invoker
from clary.ports.logs import Logs
from clary.ports.objects import Objects
from clary.ports.records import Store
from clary.ports.routes import Routes
from clary.ports.runner import Runner


@dataclass(frozen=True, slots=True)
class World:
    """The house: who it is, where it keeps things, and its ports."""

    account: str
    region: str
    home: Path
    url: str
    """The gateway's own address, for programs that call back."""
    cores: int
    """Cores that jobs may use together."""
    store: Store
    objects: Objects
    runner: Runner
    logs: Logs
    identity: Identity
    routes: Routes
    invoker: Invoker
    wake: Callable[[str, str], None]
    """wake(kind, name): the record has changed; its lifecycle shall look at it now."""


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated, authorised call."""

    world: World
    principal: Principal
    region: str
    """The region that the client signed for; records and ARNs use the house's (`world.region`)."""
    request_id: str
