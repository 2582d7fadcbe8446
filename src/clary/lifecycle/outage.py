"""Objects that can be neither read nor written for a while: a job waits for them, and says so."""

from __future__ import annotations

import time

from clary.lifecycle.job_state import JobKind, enter, phase, private, short
from clary.ports.objects import ObjectsError
from clary.ports.records import Record
from clary.ports.world import World

LOOK_SECONDS = 5.0
LONGEST_SECONDS = 3600.0
"""After so long it fails. What it has made is worth waiting for, but it holds its cores meanwhile."""


def wait(kind: JobKind, world: World, record: Record, error: Exception) -> float | None:
    """Seconds until the next try; None for another error, or where it has lasted too long."""
    if not isinstance(error, ObjectsError) or error.code != "ServiceUnavailable":
        return None
    known = private(record).get("Outage", {})
    since = float(known["Since"]) if known.get("Phase") == phase(record) else time.time()
    if time.time() - since > LONGEST_SECONDS:
        return None
    outage = {"Phase": phase(record), "Since": since}
    message = short(f"Waiting for the objects: {error}")
    world.store.update(
        kind.kind, record.name, lambda present: enter(kind, present, phase(present), message, Outage=outage)
    )
    return LOOK_SECONDS
