"""Workers that end with the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving_worker import StartWorker, Worker


@pytest.fixture(scope="module")
def start_worker() -> Iterator[StartWorker]:
    found: list[Worker] = []

    def start(root: Path, **environment: str) -> Worker:
        found.append(Worker(root, environment))
        return found[-1]

    yield start
    for worker in found:
        worker.process.kill()
        worker.process.wait()
