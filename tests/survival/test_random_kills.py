"""Nothing acknowledged is lost: the server is killed again and again while clients do all that writes.

CLARY_KILLS and CLARY_SEED in the environment make it a longer soak, or the same one again.
"""

from __future__ import annotations

import os
import random
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from jobs.conftest import wait
from running import Clary, free_port
from survival import home
from survival.endpoint_client import EndpointClient
from survival.job_client import JobClient
from survival.ledger import DEAD, ServerGone, client
from survival.object_client import ObjectClient
from survival.record_client import RecordClient

KILLS = int(os.environ.get("CLARY_KILLS", "50"))
LONGEST_LIFE = 0.7
BUCKET = "survival"


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("CLARY_SEED", random.SystemRandom().randrange(10**9)))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Clary]:
    made = Clary(tmp_path / "home", free_port())
    made.start()
    yield made
    made.stop()
    home.end_programs(made.home)


def clients_of(server: Clary, prefix: str) -> list[Any]:
    """Each is used by one thread; none tries a call again by itself."""
    server.client("s3").create_bucket(Bucket=BUCKET)
    objects = [ObjectClient(client(server, "s3"), BUCKET, f"client{i}/") for i in range(3)]
    records = RecordClient(client(server, "sagemaker"), server.role)
    return [
        *objects,
        records,
        JobClient(server, BUCKET, f"{prefix}-job"),
        EndpointClient(server, BUCKET, f"{prefix}-endpoint"),
    ]


def work(client: Any, chance: random.Random, dead: Event) -> int:
    """Call after call until the server is gone; how many were answered."""
    done = 0
    while not dead.is_set():
        try:
            client.step(chance)
        except ServerGone:
            break
        done += 1
    return done


@pytest.mark.timeout(60 + 6 * KILLS)
def test_a_server_killed_at_random_points(server: Clary, seed: int) -> None:
    print(f"CLARY_SEED={seed}")
    chance = random.Random(seed)
    prefix = f"s{uuid.uuid4().hex[:8]}"
    clients = clients_of(server, prefix)
    kills = answered = 0
    with ThreadPoolExecutor(len(clients)) as pool:
        while kills < KILLS:
            dead = Event()
            running = [pool.submit(work, c, random.Random(chance.random()), dead) for c in clients]
            time.sleep(chance.uniform(0.02, LONGEST_LIFE))
            server.kill()
            dead.set()
            answered += sum(one.result(30) for one in running)
            kills += 1 + restart(server, chance)
            born = time.time()
            try:
                list(pool.map(lambda client: client.check(), clients))
            except DEAD as error:
                assert server.process is not None
                ended = f"it was not killed, and ended with {server.process.poll()}"
                raise AssertionError(f"{ended}\n{server.log()[-2000:]}") from error
            home.check_data(server.home, born - 5)
            twice = [id for id, count in home.supervised(server.home).items() if count > 1]
            assert not twice, f"run twice: {twice}"
    print(f"{kills} kills, {answered} calls answered")
    assert answered > 10 * KILLS
    check_the_end(server, clients)


def restart(server: Clary, chance: random.Random) -> int:
    """Start it; now and then it is killed again while it comes up. How many kills that was."""
    kills = 0
    while chance.random() < 0.2:
        server.launch()
        time.sleep(chance.uniform(0, 0.8))
        server.kill()
        kills += 1
    server.start()
    return kills


def check_the_end(server: Clary, clients: list[Any]) -> None:
    for one in clients:
        one.check(everything=True)
        if isinstance(one, ObjectClient):
            one.close()
    home.check_data(server.home)
    wait(lambda: not home.processes(server.home, ""), 5)
    assert not home.supervised(server.home)
    assert home.leftovers(server.home) == []
    assert "Traceback" not in server.log()
