"""The composition root: settings -> backends -> lifecycles -> operations -> ASGI app. No logic."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from clary import services
from clary.backends import s3_url
from clary.backends.disk import DiskBlobs
from clary.backends.filelogs import FileLogs
from clary.backends.identity import LocalIdentity
from clary.backends.objects import IndexedObjects
from clary.backends.objects_index import Index
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
THREADS = 64
"""Bodies of S3 on their way in or out, each piece of which waits for a disk or an outer S3."""
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
            store=SqlStore(settings.database_url, identity.root.account),
            objects=objects(settings),
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
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "stream"))
        await asyncio.to_thread(self.start)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _wake(self, kind: str, name: str) -> None:
        self._reconciler.wake(kind, name)


def objects(settings: Settings) -> IndexedObjects:
    """On this disk, or in an S3; SettingsError where this home has them elsewhere."""
    folder = settings.home / "objects"
    index = Index(folder / "index.db")
    if not settings.objects:
        index.settle("this disk")
        return IndexedObjects(index, DiskBlobs(folder / "data"))
    from clary.backends.s3 import S3Blobs

    place = s3_url.read(settings.objects)
    index.settle(place.name)
    outer = S3Blobs(place)
    outer.start()
    return IndexedObjects(index, outer)


def operations() -> Table:
    """Every operation that is built, found in `clary.services`."""
    return discover(services)
