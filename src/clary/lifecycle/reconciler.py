"""Brings every record to rest: one step at a time, one thread a record, again after a restart.

The record is the truth. A step reads it, does one thing, writes it, and says when to be called again; so a
server that is killed at any point goes on where the record stands.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from clary.ports.records import Unavailable

log = logging.getLogger("clary.lifecycle")

Step = Callable[[str], float | None]
"""step(name): seconds until the next look, or None when the record is at rest (or gone)."""

RETRY_SECONDS = 2.0


class Reconciler:
    """Calls the steps of each kind. `wake` may be called from any thread; it never blocks."""

    def __init__(self, steps: Mapping[str, Step], threads: int = 16) -> None:
        self._steps = steps
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="lifecycle")
        self._changed = threading.Condition()
        self._queue: list[tuple[float, str, str]] = []
        self._due: dict[tuple[str, str], float] = {}
        self._running: set[tuple[str, str]] = set()
        self._again: set[tuple[str, str]] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name="reconciler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def wake(self, kind: str, name: str) -> None:
        if kind in self._steps:
            self._schedule(kind, name, 0.0)

    def _schedule(self, kind: str, name: str, delay: float) -> None:
        at = time.monotonic() + delay
        with self._changed:
            # A record has one place in the queue: its earliest. Later ones are passed over when they come up.
            if at < self._due.get((kind, name), float("inf")):
                self._due[kind, name] = at
                heapq.heappush(self._queue, (at, kind, name))
                self._changed.notify()

    def _loop(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (not self._queue or self._queue[0][0] > time.monotonic()):
                    wait = self._queue[0][0] - time.monotonic() if self._queue else None
                    self._changed.wait(wait)
                if self._closed:
                    return
                at, kind, name = heapq.heappop(self._queue)
                if self._due.get((kind, name)) != at:
                    continue
                del self._due[kind, name]
                if (kind, name) in self._running:
                    self._again.add((kind, name))
                    continue
                self._running.add((kind, name))
            self._pool.submit(self._run, kind, name)

    def _run(self, kind: str, name: str) -> None:
        delay: float | None
        try:
            delay = self._steps[kind](name)
        except Unavailable as error:
            log.warning("%s %s waits: %s", kind, name, error)
            delay = RETRY_SECONDS
        except Exception:
            log.exception("%s %s: the step failed and is tried again", kind, name)
            delay = RETRY_SECONDS
        with self._changed:
            self._running.discard((kind, name))
            if (kind, name) in self._again:
                self._again.discard((kind, name))
                delay = 0.0
        if delay is not None and not self._closed:
            self._schedule(kind, name, delay)
