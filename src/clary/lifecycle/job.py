"""A job from its record to its end: one step at a time, each of which may be cut short and done again.

The program is started after the record says so, and never twice: the runner knows for every program id
whether it was ever started, over restarts of the server and of the machine.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from clary.lifecycle import capacity, environments, job_failure, mirror, outage
from clary.lifecycle.job_state import (
    ACTIVE,
    DOWNLOADING,
    FINAL,
    FINISHING,
    INSTALLING,
    PENDING,
    STARTING,
    TRAINING,
    UPLOADING,
    JobFailure,
    JobKind,
    ended,
    enter,
    folder,
    log_stream,
    network,
    phase,
    private,
    program_id,
    short,
    stopping,
)
from clary.ports.objects import ObjectsError
from clary.ports.records import Query, Record, Unavailable
from clary.ports.runner import RunnerError
from clary.ports.world import World
from clary.wire.errors import AwsError

STOP_GRACE_SECONDS = 120.0
"""From SIGTERM to SIGKILL, as SageMaker gives it for saving a model."""
PENDING_LOOK_SECONDS = 30.0
"""A waiting job is woken when its turn has come; this is for a wake that was lost with a server."""

SURPRISES = 5
_surprises: Counter[str] = Counter()
log = logging.getLogger("clary.lifecycle")

Step = Callable[[JobKind, World, Record], float | None]


def step(kind: JobKind, world: World, name: str) -> float | None:
    """Do the next thing for one job; seconds until the next look, None at rest."""
    record = world.store.get(kind.kind, name)
    if record is None:
        shutil.rmtree(world.home / "jobs" / kind.kind / name, ignore_errors=True)
        return None
    if record.status in FINAL:
        return None
    try:
        return _STEPS[phase(record)](kind, world, record)
    except Exception as error:
        if (delay := outage.wait(kind, world, record, error)) is not None:
            return delay
        # What has no program yet can end here; a program that runs is looked at again.
        if isinstance(error, Unavailable) or _started(world, record) or not _hopeless(record, error):
            raise
        log.warning("%s %s failed before its program: %s", kind.kind, name, error)
        return _outcome(kind, world, record, "Failed", _told(error))


def _started(world: World, record: Record) -> bool:
    if phase(record) in (DOWNLOADING, INSTALLING):
        return False
    return phase(record) != TRAINING or world.runner.look(program_id(record)) is not None


def _hopeless(record: Record, error: Exception) -> bool:
    """Whether trying again is of no use: what is expected to go wrong, or the fifth surprise."""
    if isinstance(error, JobFailure | RunnerError | ObjectsError | AwsError | OSError):
        return True
    _surprises[program_id(record)] += 1
    return _surprises[program_id(record)] >= SURPRISES


def _told(error: Exception) -> str:
    match error:
        case JobFailure():
            return str(error)
        case ObjectsError():
            return f"ClientError: Data download failed: {error.code}: {error}"
        case RunnerError() | AwsError():
            return f"ClientError: {error}"
        case OSError():
            return f"InternalServerError: Data download failed: {error}"
    return f"InternalServerError: {type(error).__name__}: {error}. The server's log has more"


def stop(kind: JobKind, world: World, name: str) -> Record:
    """Write the wish to stop down; NotFound."""
    record = world.store.update(kind.kind, name, lambda present: stopping(kind, present))
    world.wake(kind.kind, name)
    return record


def resume(kind: JobKind, world: World) -> None:
    """After a start of the server: look at every job that is not at rest."""
    for record in world.store.query(Query(kind=kind.kind, statuses=ACTIVE, limit=1_000_000, sort="status")):
        world.wake(kind.kind, record.name)


def _admit(kind: JobKind, world: World, record: Record) -> float | None:
    if record.status == "Stopping":
        return _finish(kind, world, record)
    with capacity.LOCK:
        found = capacity.claims(world.store)
        first = capacity.next_ones(found, world.cores)
        if any((c.kind, c.name) == (kind.kind, record.name) for c in first):
            now = datetime.now(UTC)
            _move(kind, world, record, DOWNLOADING, {kind.start_member: now}, Granted=now.timestamp())
            return 0.0
    waiting = capacity.why_waiting(found, record, world.cores)
    world.store.update(kind.kind, record.name, lambda present: enter(kind, present, PENDING, waiting))
    return PENDING_LOOK_SECONDS + len(found)


def _download(kind: JobKind, world: World, record: Record) -> float | None:
    if record.status == "Stopping":
        return _outcome(kind, world, record, "Stopped")
    place = folder(world, record)
    shutil.rmtree(place, ignore_errors=True)
    ml = place / "ml"
    ml.mkdir(parents=True)
    prepared = kind.prepare(world, record, ml)
    key = environments.key(prepared.source) if prepared.source else None
    if key is None or environments.ready(world.home, key):
        return _begin(kind, world, record, key)
    _move(kind, world, record, INSTALLING, Environment=key, Source=str(prepared.source))
    return 0.0


def _install(kind: JobKind, world: World, record: Record) -> float | None:
    late = time.time() - float(private(record)["Granted"]) > kind.max_runtime(record)
    known = private(record)
    if late or record.status == "Stopping":
        if not environments.give_up(world, known["Environment"], record.arn):
            return 0.1
        _move(kind, world, record, INSTALLING, TimedOut=late)
        return _outcome(kind, world, record, "Stopped")
    output = world.logs.file(kind.log_group, log_stream(record))
    source = Path(known["Source"])
    if not environments.build(world, known["Environment"], source, output, network(record)):
        return 0.1
    return _begin(kind, world, record, known["Environment"])


def _begin(kind: JobKind, world: World, record: Record, key: str | None) -> float:
    _move(kind, world, record, TRAINING, Environment=key, Began=time.time())
    return 0.0


def _run(kind: JobKind, world: World, record: Record) -> float | None:
    id = program_id(record)
    found = world.runner.look(id)
    if found is None:
        return _start(kind, world, record)
    if found.running:
        return _watch(kind, world, record, id)
    if private(record).get("TimedOut") or record.status == "Stopping":
        return _outcome(kind, world, record, "Stopped")
    if found.lost:
        return _outcome(kind, world, record, "Failed", job_failure.LOST)
    if found.exit_code == 0:
        return _outcome(kind, world, record, "Completed")
    stated = kind.failure(folder(world, record) / "ml")
    tail = world.logs.lines_before(kind.log_group, log_stream(record), None, job_failure.TAIL_LINES)
    reason = job_failure.reason(found.exit_code or 0, stated, [line.message for line in tail])
    return _outcome(kind, world, record, "Failed", reason)


def _start(kind: JobKind, world: World, record: Record) -> float | None:
    if record.status == "Stopping":
        return _outcome(kind, world, record, "Stopped")
    world.runner.start(kind.program(world, record, folder(world, record) / "ml"))
    return 0.02


def _watch(kind: JobKind, world: World, record: Record, id: str) -> float:
    mirror.refresh(world.objects, id, kind.mirrored(record, folder(world, record) / "ml"))
    age = time.time() - float(private(record)["Began"])
    late = age > kind.max_runtime(record)
    if late and not private(record).get("TimedOut"):
        _move(kind, world, record, TRAINING, TimedOut=True)
    if late or record.status == "Stopping":
        world.runner.stop(id, STOP_GRACE_SECONDS)
        return 0.05
    # Short jobs are seen to end at once, long ones cost next to nothing to watch.
    return min(0.5, max(0.02, age / 20), max(0.02, kind.max_runtime(record) - age))


def _collect(kind: JobKind, world: World, record: Record) -> float | None:
    fine = private(record)["Outcome"] != "Failed"
    members = {}
    keep: dict[str, object] = {}
    try:
        members = kind.collect(world, record, folder(world, record) / "ml", fine)
    except (ObjectsError, OSError, JobFailure) as error:
        if (delay := outage.wait(kind, world, record, error)) is not None:
            return delay
        if fine:
            members = {"FailureReason": short(f"ClientError: Data upload failed: {error}")}
            keep = {"Outcome": "Failed"}
    _move(kind, world, record, FINISHING, members, **keep)
    return 0.0


def _finish(kind: JobKind, world: World, record: Record) -> float | None:
    """Free everything, then say so: a record at rest is not looked at again."""
    world.runner.forget(program_id(record))
    mirror.forget(program_id(record))
    _surprises.pop(program_id(record), None)
    shutil.rmtree(folder(world, record), ignore_errors=True)
    world.store.update(kind.kind, record.name, lambda present: ended(kind, present))
    for claim in capacity.next_ones(capacity.claims(world.store), world.cores):
        world.wake(claim.kind, claim.name)
    return None


def _outcome(kind: JobKind, world: World, record: Record, outcome: str, reason: str = "") -> float | None:
    members = {"FailureReason": short(reason)} if reason else {}
    ran = phase(record) == TRAINING
    _move(kind, world, record, UPLOADING if ran else FINISHING, members, Outcome=outcome)
    return 0.0


def _move(
    kind: JobKind,
    world: World,
    record: Record,
    to: str,
    members: Mapping[str, object] | None = None,
    **keep: object,
) -> Record:
    def change(present: Record) -> Record:
        return enter(kind, present, to, None, members, **keep)

    return world.store.update(kind.kind, record.name, change)


_STEPS: dict[str, Step] = {
    STARTING: _admit,
    PENDING: _admit,
    DOWNLOADING: _download,
    INSTALLING: _install,
    TRAINING: _run,
    UPLOADING: _collect,
    FINISHING: _finish,
}
