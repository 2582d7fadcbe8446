"""One worker of an endpoint: its program, its place, and why it ended."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clary.lifecycle import environments, instances, job_failure
from clary.lifecycle.endpoint_state import KIND, LOG_GROUP, Deployment, Variant
from clary.ports.records import Record
from clary.ports.runner import Process, Program
from clary.ports.world import World

PING_SECONDS = 2.0
ASK_SECONDS = 5.0
SILENT_SECONDS = 60.0
NOTE = "[clary]"
"""Begins a line that Clary puts into a worker's log."""
DRAIN_SECONDS = 65.0
"""From SIGTERM to SIGKILL: a call that is being answered may take 60 seconds."""


@dataclass(frozen=True, slots=True)
class Worker:
    """The `index`-th worker of a variant in a deployment of an endpoint."""

    record: Record
    deployment: Deployment
    variant: Variant
    index: int

    @property
    def id(self) -> str:
        """Unlike the endpoint's name, never used twice."""
        born = int(self.record.created.timestamp() * 1_000_000)
        where = f"{self.deployment.generation}/{self.variant.name}/{self.index}"
        return f"{KIND}/{self.record.name}/{born}/{where}"

    @property
    def log_stream(self) -> str:
        return f"{self.variant.name}/worker-{self.deployment.generation}-{self.index}"

    def ml(self, world: World) -> Path:
        return place(world, self.record, self.deployment, self.variant) / "ml"

    def socket(self, world: World) -> Path:
        return self.ml(world) / "run" / f"{self.index}.sock"


def folder(world: World, record: Record) -> Path:
    return world.home / "endpoints" / record.name


def place(world: World, record: Record, deployment: Deployment, variant: Variant) -> Path:
    return folder(world, record) / str(deployment.generation) / variant.name


def workers(record: Record, deployment: Deployment) -> Iterator[Worker]:
    """Those that shall run."""
    for variant in deployment.variants:
        for index in range(variant.wanted):
            yield Worker(record, deployment, variant, index)


def surplus(record: Record, deployment: Deployment, all_of_them: bool = False) -> Iterator[Worker]:
    """Those that may still run and shall not."""
    for variant in deployment.variants:
        for index in range(0 if all_of_them else variant.wanted, max(variant.highest, variant.wanted)):
            yield Worker(record, deployment, variant, index)


def start(world: World, worker: Worker) -> None:
    """RunnerError where it cannot be started."""
    ml = worker.ml(world)
    variant = worker.variant
    key = (ml.parent / "ready").read_text(encoding="utf-8") or None
    _mark(world, worker, "started").touch()
    world.runner.start(
        Program(
            worker.id,
            [environments.python(world.home, key), "-m", "clary.containers.inference"],
            root=ml,
            log=world.logs.file(LOG_GROUP.format(name=worker.record.name), worker.log_stream),
            environment={
                "AWS_REGION": world.region,
                "AWS_DEFAULT_REGION": world.region,
                **variant.environment,
                "CLARY_SOCKET": f"run/{worker.index}.sock",
            },
            read_only=[ml / "model", *([ml / "code"] if (ml / "code").is_dir() else [])],
            network=variant.network,
            memory_mib=instances.memory_mib(variant.instance_type),
        )
    )


def answers(world: World, worker: Worker) -> bool:
    found = world.invoker.ping(worker.socket(world), PING_SECONDS)
    if found:
        _mark(world, worker, "answered").touch()
    return found


def hangs(world: World, worker: Worker) -> bool:
    """Whether a worker that answered has been silent for a minute, asked every few seconds."""
    silent = _age(_mark(world, worker, "answered"))
    return silent > ASK_SECONDS and not answers(world, worker) and silent > SILENT_SECONDS


def age(world: World, worker: Worker) -> float:
    """Seconds since it was last started."""
    return _age(_mark(world, worker, "started"))


def put_down(world: World, worker: Worker) -> bool:
    """Stop it and drop what is known of it; whether it is gone."""
    found = world.runner.look(worker.id)
    if found is not None and found.running:
        world.runner.stop(worker.id, DRAIN_SECONDS)
        return False
    # Also where it was never started: a server killed just before leaves the program's folder.
    world.runner.forget(worker.id)
    return True


def why(world: World, worker: Worker, process: Process) -> str:
    """How it ended, with the last exception or line of its log."""
    tail = _last_words(world, worker)
    last = next((line.strip() for line in reversed(tail) if line.strip()), "it wrote nothing before it ended")
    text = last if last.startswith("CannotServe: ") else job_failure.exception(tail) or last
    if process.lost:
        return "it is gone without an exit code (the machine was restarted, or its supervisor killed)"
    code = process.exit_code or 0
    number = -code if code < 0 else code - 128
    if number > 0:
        return f"killed by {_signal_name(number)}: {text}"
    return f"exit code {code}: {text}"


def note(world: World, worker: Worker, text: str) -> None:
    """A line of the house in the worker's own log."""
    path = world.logs.file(LOG_GROUP.format(name=worker.record.name), worker.log_stream)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{int(time.time() * 1000)}\t{NOTE} {text}\n")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_words(world: World, worker: Worker) -> list[str]:
    """The end of its log, from the last line of the house on: what stands before is of an earlier call."""
    group = LOG_GROUP.format(name=worker.record.name)
    lines = world.logs.lines_before(group, worker.log_stream, None, job_failure.TAIL_LINES)
    found: list[str] = []
    for line in lines:
        found = [] if line.message.startswith(NOTE) else [*found, line.message]
    return found


def _mark(world: World, worker: Worker, what: str) -> Path:
    """An empty file whose time is kept over restarts of the server."""
    return worker.ml(world).parent / f"{worker.index}.{what}"


def _age(mark: Path) -> float:
    try:
        return time.time() - mark.stat().st_mtime
    except FileNotFoundError:
        return 0.0
