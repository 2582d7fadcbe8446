"""Fixtures of a running Clary."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from running import Clary, Story, free_port


@pytest.fixture(scope="session")
def shared_clary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clary]:
    """One Clary for the whole run; tests share it, so they choose names of their own."""
    server = Clary(tmp_path_factory.mktemp("clary") / "home", free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def clary(shared_clary: Clary) -> Clary:
    """The Clary of a test; a folder of tests may choose another one than the shared one."""
    return shared_clary


@pytest.fixture
def own_clary(tmp_path: Path) -> Iterator[Clary]:
    """A Clary for one test, which may kill it."""
    server = Clary(tmp_path / "home", free_port())
    server.start()
    yield server
    if server.process is not None and server.process.poll() is None:
        server.stop()


@pytest.fixture(scope="session")
def story(shared_clary: Clary) -> Story:
    """The main job, told once to the shared Clary by `clary demo`."""
    return Story.told(shared_clary)
