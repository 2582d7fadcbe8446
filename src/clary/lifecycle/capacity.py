"""Who may start now: the machine's cores, shared out in turn between principals."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clary.lifecycle.job_state import ACTIVE, PENDING, STARTING, phase, private
from clary.ports.records import Query, Record, Store

KINDS = ("TrainingJob", "ProcessingJob")
LOCK = threading.Lock()
"""Held from looking until the grant is written, so that no core is given twice."""


@dataclass(frozen=True, slots=True)
class Claim:
    kind: str
    name: str
    principal: str
    cores: int
    held: bool
    order: float
    """When it was created (waiting) or granted (holding), in seconds."""


def claims(store: Store) -> list[Claim]:
    """All jobs that hold cores or wait for them."""
    rows = (
        record
        for kind in KINDS
        for record in store.query(Query(kind=kind, statuses=ACTIVE, limit=100_000, sort="status"))
    )
    return [claim for claim in map(_claim, rows) if claim is not None]


def _claim(record: Record) -> Claim | None:
    known = private(record)
    waiting = phase(record) in (STARTING, PENDING)
    if waiting and record.status == "Stopping":
        return None
    order = record.created.timestamp() if waiting else float(known.get("Granted", 0.0))
    return Claim(record.kind, record.name, record.principal, int(known["Cores"]), not waiting, order)


def next_ones(found: Iterable[Claim], cores: int) -> Sequence[Claim]:
    """The waiting jobs that may start now, in order.

    The next is the oldest job of the principal who holds the fewest cores (of equals, who waited longest for
    a grant). Nobody passes it while it does not fit, so that a large job is not starved by small ones.
    """
    free = cores
    held: Counter[str] = Counter()
    last: dict[str, float] = {}
    waiting = []
    for claim in found:
        if claim.held:
            free -= claim.cores
            held[claim.principal] += claim.cores
            last[claim.principal] = max(last.get(claim.principal, 0.0), claim.order)
        else:
            waiting.append(claim)
    admitted: list[Claim] = []
    while waiting:
        chosen = min(waiting, key=lambda c: (held[c.principal], last.get(c.principal, 0.0), c.order, c.name))
        asked = min(chosen.cores, cores)
        if asked > free:
            break
        free -= asked
        held[chosen.principal] += chosen.cores
        last[chosen.principal] = float("inf")
        waiting.remove(chosen)
        admitted.append(chosen)
    return admitted


def why_waiting(found: Sequence[Claim], record: Record, cores: int) -> str:
    """A sentence for a job that waits."""
    holders = [claim for claim in found if claim.held]
    used = sum(claim.cores for claim in holders)
    names = ", ".join(sorted(claim.name for claim in holders)[:3])
    others = sum(not claim.held for claim in found) - 1
    text = (
        f"Waiting for capacity: this job asks for {private(record)['Cores']} of the {cores} cores for jobs,"
        f" and {used} are in use" + (f" by {names}" if names else "")
    )
    return text + (f"; {others} other jobs wait too" if others > 0 else "")
