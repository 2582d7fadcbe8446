"""An endpoint's record as a state: which deployment serves, which one comes, which ones go, who crashed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from clary.lifecycle.instances import machine_cores
from clary.lifecycle.job_state import PRIVATE, short
from clary.ports.records import Record
from clary.ports.world import World

KIND = "Endpoint"
LOG_GROUP = "/aws/sagemaker/Endpoints/{name}"
CRASH_MEMORY_SECONDS = 600.0
CRASHES_KEPT = 50
STARTUP_SECONDS = 480
"""How long a worker may take to its first answer where the configuration does not say."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A production variant with all that its workers need of its model, as it was when it was deployed."""

    name: str
    model: str
    image: str
    instance_type: str
    count: int
    """Instances that the client asks for."""
    weight: float
    source: Mapping[str, Any] | None = None
    """The model data: S3DataSource's S3Uri, S3DataType and CompressionType."""
    environment: Mapping[str, str] = field(default_factory=dict)
    network: bool = True
    startup_seconds: int = STARTUP_SECONDS
    random: bool = False
    """Whether a call goes to any worker, instead of the one with the fewest calls under way."""
    highest: int = 0
    """One more than the highest index of a worker that may have been started."""

    @property
    def wanted(self) -> int:
        """Workers to run: never more than the machine has cores."""
        return min(self.count, machine_cores())


@dataclass(frozen=True, slots=True)
class Deployment:
    """An endpoint configuration as it is run; `generation` tells it from the endpoint's others."""

    generation: int
    config: str
    variants: tuple[Variant, ...]
    since: float = 0.0
    """When it was retired, in epoch seconds."""
    explainer: Mapping[str, Any] | None = None
    """ExplainerConfig, where predictions are explained."""


@dataclass(frozen=True, slots=True)
class Crash:
    generation: int
    variant: str
    worker: int
    at: float
    why: str


@dataclass(frozen=True, slots=True)
class State:
    generation: int = 0
    live: Deployment | None = None
    coming: Deployment | None = None
    old: tuple[Deployment, ...] = ()
    crashes: tuple[Crash, ...] = ()

    @property
    def shown(self) -> Deployment | None:
        """The deployment that Describe shows: what serves, or else what shall."""
        return self.live or self.coming

    def everything(self) -> tuple[Deployment, ...]:
        return tuple(d for d in (self.live, self.coming) if d is not None) + self.old

    def recent(self, now: float, generation: int, variant: str, worker: int | None = None) -> list[Crash]:
        """Crashes of the last ten minutes, oldest first."""
        return [
            crash
            for crash in self.crashes
            if (crash.generation, crash.variant) == (generation, variant)
            and worker in (None, crash.worker)
            and crash.at > now - CRASH_MEMORY_SECONDS
        ]


def read(record: Record) -> State:
    known = record.body.get(PRIVATE, {})
    return State(
        generation=known.get("generation", 0),
        live=_deployment(known.get("live")),
        coming=_deployment(known.get("coming")),
        old=tuple(d for d in map(_deployment, known.get("old", ())) if d is not None),
        crashes=tuple(Crash(**crash) for crash in known.get("crashes", ())),
    )


def body(state: State) -> dict[str, Any]:
    """The private member of a record's body."""
    return {PRIVATE: asdict(state)}


def change(
    world: World,
    name: str,
    alter: Callable[[State], State],
    status: str | None = None,
    reason: str | None = None,
) -> Record:
    """Write a state, and with it a status; `reason` "" takes FailureReason away. Deleting is never undone."""

    def apply(record: Record) -> Record:
        if record.status == "Deleting":
            return record
        now = datetime.now(UTC)
        state = alter(read(record))
        changed = {**record.body, **body(state)}
        if reason is not None:
            changed.pop("FailureReason", None)
        if reason:
            changed["FailureReason"] = short(reason)
        if state.live is not None:
            changed["EndpointConfigName"] = state.live.config
        moved = status is not None and (status != record.status or reason)
        return replace(
            record,
            body=changed,
            status=status or record.status,
            modified=now if moved else record.modified,
        )

    return world.store.update(KIND, name, apply)


def with_crash(state: State, crash: Crash) -> State:
    return replace(state, crashes=(*state.crashes, crash)[-CRASHES_KEPT:])


def _deployment(known: Mapping[str, Any] | None) -> Deployment | None:
    if known is None:
        return None
    variants = tuple(Variant(**variant) for variant in known["variants"])
    return Deployment(known["generation"], known["config"], variants, known["since"], known.get("explainer"))
