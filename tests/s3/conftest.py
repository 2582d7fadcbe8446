"""Every test of S3 runs twice: with the objects on this disk, and with the objects in a SeaweedFS."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from raw_s3 import Raw
from running import Clary, free_port
from seaweedfs import SeaweedFS


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    outer = SeaweedFS(tmp_path_factory.mktemp("seaweedfs") / "data")
    outer.start()
    yield outer
    outer.kill()


@pytest.fixture(scope="session", params=["disk", "seaweedfs"])
def clary(shared_clary: Clary, request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "disk":
        yield shared_clary
        return
    outer: SeaweedFS = request.getfixturevalue("seaweedfs")
    server = Clary(shared_clary.home.parent / "outer", free_port(), ("--objects", outer.url()))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def s3(clary: Any) -> Any:
    return clary.client("s3")


@pytest.fixture
def bucket(s3: Any, request: pytest.FixtureRequest) -> str:
    name = "t-" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def raw(clary: Any) -> Raw:
    return Raw(clary)
