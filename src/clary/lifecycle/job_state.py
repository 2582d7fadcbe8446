"""A job's record as states: phases, status transitions, and what is private to the house."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clary.ports.records import Body, Record
from clary.ports.runner import Program
from clary.ports.world import World

PRIVATE = "Clary"
"""The member of a job's body that no answer shows: phase, cores, program id."""
FINAL = frozenset({"Completed", "Failed", "Stopped"})
ACTIVE = ("InProgress", "Stopping")
REASON_LIMIT = 1024

STARTING, PENDING, DOWNLOADING, INSTALLING = "Starting", "Pending", "Downloading", "Installing"
TRAINING, UPLOADING, FINISHING = "Training", "Uploading", "Finishing"

_MESSAGES = {
    "Starting": "Preparing the training job",
    "Downloading": "Downloading input data",
    "Installing": "Installing the requirements of the source directory",
    "Training": "Training in progress",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


class JobFailure(Exception):
    """The job cannot go on; the text becomes its FailureReason."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What preparing a job found out: a source directory whose requirements must be installed, or None."""

    source: Path | None = None


@dataclass(frozen=True, slots=True)
class JobKind:
    """What differs between training and processing jobs; each function gets the job's own /opt/ml."""

    kind: str
    log_group: str
    start_member: str
    end_member: str
    instance_type: Callable[[Record], str]
    max_runtime: Callable[[Record], int]
    prepare: Callable[[World, Record, Path], Prepared]
    program: Callable[[World, Record, Path], Program]
    collect: Callable[[World, Record, Path, bool], Body]
    """Uploads what the job made; the last argument says whether it was not a failure."""
    mirrored: Callable[[Record, Path], list[tuple[Path, str]]]
    """Directories that go to S3 while the program runs, with their URIs."""
    failure: Callable[[Path], str]
    """The text of the file in which a program may state why it failed."""
    transitions: bool
    """Whether the record shows SecondaryStatus and its transitions."""


def private(record: Record) -> Body:
    found: Body = record.body.get(PRIVATE, {})
    return found


def phase(record: Record) -> str:
    return str(private(record).get("Phase", STARTING))


def new_body(kind: JobKind, now: datetime, cores: int) -> Body:
    """The members that a record starts with; `cores` is what the job will ask for."""
    body: Body = {PRIVATE: {"Phase": STARTING, "Cores": cores}}
    return body | _secondary(kind, {}, STARTING, None, now)


def enter(
    kind: JobKind,
    record: Record,
    to: str,
    message: str | None = None,
    members: Mapping[str, Any] | None = None,
    **keep: Any,
) -> Record:
    """The record in its next phase; `keep` goes to the private part, `members` to the body."""
    now = datetime.now(UTC)
    body = {**record.body, **(members or {}), PRIVATE: {**private(record), "Phase": to, **keep}}
    if to != FINISHING and (record.status != "Stopping" or to == UPLOADING):
        shown = DOWNLOADING if to == INSTALLING else to
        body |= _secondary(kind, body, shown, message or _MESSAGES.get(to), now)
    return replace(record, body=body, modified=now)


def stopping(kind: JobKind, record: Record) -> Record:
    """The record with the wish to stop it; unchanged where it has ended or the wish is there."""
    if record.status != "InProgress":
        return record
    now = datetime.now(UTC)
    body = record.body | _secondary(kind, record.body, "Stopping", None, now)
    return replace(record, body=body, status="Stopping", modified=now)


def ended(kind: JobKind, record: Record) -> Record:
    """The record at rest. How it ended was written down when its program was collected."""
    now = datetime.now(UTC)
    status = str(private(record).get("Outcome", "Stopped" if record.status == "Stopping" else "Failed"))
    body = {**record.body, kind.end_member: now}
    shown = "MaxRuntimeExceeded" if private(record).get("TimedOut") else status
    reason = record.body.get("FailureReason")
    body |= _secondary(kind, body, shown, reason if status == "Failed" else None, now)
    if not kind.transitions and private(record).get("TimedOut"):
        body["FailureReason"] = f"MaxRuntimeExceeded: it ran longer than {kind.max_runtime(record)} seconds"
    if kind.transitions and kind.start_member in body:
        seconds = math.ceil((now - body[kind.start_member]).total_seconds())
        body |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
    if kind.transitions and body["SecondaryStatusTransitions"]:
        last = body["SecondaryStatusTransitions"][-1]
        body["SecondaryStatusTransitions"] = [
            *body["SecondaryStatusTransitions"][:-1],
            last | {"EndTime": now},
        ]
    return replace(record, body=body, status=status, modified=now)


def _secondary(kind: JobKind, body: Body, status: str, message: str | None, now: datetime) -> Body:
    if not kind.transitions:
        return {}
    past = list(body.get("SecondaryStatusTransitions", ()))
    text = message or _MESSAGES[status]
    if past and past[-1]["Status"] == status:
        past[-1] = past[-1] | {"StatusMessage": text}
    else:
        if past:
            past[-1] = {**past[-1], "EndTime": past[-1].get("EndTime", now)}
        past.append({"Status": status, "StartTime": now, "StatusMessage": text})
    return {"SecondaryStatus": status, "SecondaryStatusTransitions": past}


def folder(world: World, record: Record) -> Path:
    """The job's directory; its /opt/ml is `ml` below."""
    return world.home / "jobs" / record.kind / record.name


def program_id(record: Record) -> str:
    """Unlike a name, never used twice: a job may be deleted and another take its name."""
    return f"{record.kind}/{record.name}/{int(record.created.timestamp() * 1_000_000)}"


def network(record: Record) -> bool:
    """Whether the job may use the network."""
    settings = record.body.get("NetworkConfig", record.body)
    return not settings.get("EnableNetworkIsolation", False)


def log_stream(record: Record) -> str:
    return f"{record.name}/algo-1-{int(record.created.timestamp())}"


def short(text: str) -> str:
    return text if len(text) <= REASON_LIMIT else text[: REASON_LIMIT - 3] + "..."
