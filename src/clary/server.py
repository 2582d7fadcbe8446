"""The composition root: settings -> backends -> lifecycles -> operations -> ASGI app. No logic."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

from clary import services
from clary.backends.disk import DiskObjects
from clary.backends.filelogs import FileLogs
from clary.backends.identity import LocalIdentity
from clary.backends.process import ProcessRunner
from clary.backends.sql import SqlStore
from clary.backends.worker_http import HttpInvoker
from clary.gateway.app import Gateway
from clary.gateway.dispatch import Table, discover
from clary.lifecycle import endpoint, processing, training
from clary.lifecycle.instances import machine_cores
from clary.lifecycle.reconciler import Reconciler
from clary.ports.routes import Routes
from clary.ports.world import World
from clary.settings import Settings

STUDIO = Path(__file__).parent / "studio"
KINDS = {"TrainingJob": training, "ProcessingJob": processing, "Endpoint": endpoint}
"""Nouns that live on after the answer, and the lifecycle of each."""


class House:
    """A built Clary: `app` answers, `start` wakes what was going on, `close` puts everything down."""

    def __init__(self, settings: Settings) -> None:
        home = settings.home
        identity = LocalIdentity(home)
        self._invoker = HttpInvoker()
        self.world = World(
            account=identity.root.account,
            region=settings.region,
            home=home,
            url=settings.url,
            cores=settings.cpus or machine_cores(),
            store=SqlStore(settings.database_url),
            objects=DiskObjects(home / "objects"),
            runner=ProcessRunner(home),
            logs=FileLogs(home),
            identity=identity,
            routes=Routes(),
            invoker=self._invoker,
            wake=self._wake,
        )
        steps = {kind: partial(lifecycle.step, self.world) for kind, lifecycle in KINDS.items()}
        self._reconciler = Reconciler(steps)
        self._gateway = Gateway(self.world, operations(), STUDIO)

    def start(self) -> None:
        for lifecycle in KINDS.values():
            lifecycle.resume(self.world)
        self._reconciler.start()

    async def close(self) -> None:
        await asyncio.to_thread(self._reconciler.close)
        await self._invoker.close()
        self.world.store.close()

    async def app(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] == "http":
            await self._gateway(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _lifespan(
        self,
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        await receive()
        await asyncio.to_thread(self.start)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _wake(self, kind: str, name: str) -> None:
        self._reconciler.wake(kind, name)


def operations() -> Table:
    """Every operation that is built, found in `clary.services`."""
    return discover(services)
