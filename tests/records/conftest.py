"""PostgreSQL for the tests of records, and a store on each database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from clary.backends.sql import SqlStore
from records.postgres import PASSWORD, USER, Postgres, programs

ACCOUNT = "123456789012"


def make_postgres() -> Postgres:
    found = programs()
    if found is None:
        how = "there is no PostgreSQL here: `make test` installs it, or apt-get install postgresql"
        if os.getuid() == 0 and shutil.which("apt-get"):
            pytest.fail(how)
        pytest.skip(how)
    made = Postgres(found)
    made.create()
    return made


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One cluster for the whole run; tests take a database of their own."""
    cluster = make_postgres()
    yield cluster
    cluster.remove()


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A cluster that a test may kill."""
    cluster = make_postgres()
    yield cluster
    cluster.remove()


def url_of(cluster: Postgres, database: str, scheme: str = "postgresql") -> str:
    return f"{scheme}://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{cluster.port}/{database}"


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """URLs of new, empty databases."""
    if request.param == "sqlite":
        numbers = iter(range(100))
        return lambda: f"sqlite:///{tmp_path / f'records{next(numbers)}.db'}"
    cluster: Postgres = request.getfixturevalue("postgres")
    return lambda: url_of(cluster, cluster.database())


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    return new_url()


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    made = SqlStore(url, ACCOUNT)
    yield made
    made.close()
