"""A model's worker as a process of its own, for the serving tests."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from clary.backends.worker_http import HttpInvoker
from clary.ports.invoker import Reply


class Worker:
    """`python -m clary.containers.inference` as a process of its own."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.socket = root / "run" / "0.sock"
        self.log = root / "log"
        fixed = {"CLARY_ML_ROOT": str(root), "CLARY_SOCKET": "run/0.sock", "PYTHONUNBUFFERED": "1"}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "clary.containers.inference"],
                env={**os.environ, **fixed, **environment},
                stdout=output,
                stderr=output,
            )

    def ready(self) -> Worker:
        client = HttpInvoker()
        for _ in range(600):
            if client.ping(self.socket, 1):
                return self
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(f"never ready: {self.log.read_text()}")

    def failure(self) -> str:
        """What the worker printed before it gave up."""
        assert self.process.wait(30) != 0
        return self.log.read_text()

    def ask(self, body: str | bytes, content_type: str = "text/csv", accept: str = "") -> Reply:
        data = body.encode() if isinstance(body, str) else body
        headers = {"content-type": content_type, **({"accept": accept} if accept else {})}

        async def once() -> Reply:
            client = HttpInvoker()
            try:
                return await client.invoke(self.socket, data, headers, 30)
            finally:
                await client.close()

        return asyncio.run(once())


StartWorker = Callable[..., Worker]
