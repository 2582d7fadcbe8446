"""A Clary that these tests have for themselves: they fill its lists with what nobody else wants to see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from running import Clary, free_port


@pytest.fixture(scope="session")
def clary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clary]:
    server = Clary(tmp_path_factory.mktemp("gateway") / "home", free_port())
    server.start()
    yield server
    server.stop()
