"""Directories whose files go to S3 while the job runs: checkpoints, and outputs in Continuous mode."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path

from clary.lifecycle import outputs
from clary.ports.objects import Objects, ObjectsError

EVERY_SECONDS = 5.0
SETTLED_SECONDS = 1.0
"""A file that changed less than this ago is perhaps still being written."""
log = logging.getLogger("clary.lifecycle")


@dataclass(slots=True)
class _Known:
    """What of one job is in S3 already; a new server knows nothing, and uploads all once more."""

    files: dict[Path, tuple[int, int]] = field(default_factory=dict)
    looked: float = 0.0


_jobs: dict[str, _Known] = {}


def refresh(objects: Objects, id: str, places: list[tuple[Path, str]]) -> None:
    """Upload what is new or changed in each directory to its URI, every few seconds at most."""
    known = _jobs.setdefault(id, _Known())
    now = time.monotonic()
    if not places or now - known.looked < EVERY_SECONDS:
        return
    known.looked = now
    for folder, uri in places:
        try:
            _refresh(objects, known, folder, uri)
        except (ObjectsError, OSError) as error:
            log.warning("%s: %s could not be brought to %s: %s", id, folder.name, uri, error)


def forget(id: str) -> None:
    _jobs.pop(id, None)


def _refresh(objects: Objects, known: _Known, folder: Path, uri: str) -> None:
    for file in outputs.files(folder):
        status = file.stat()
        mark = status.st_mtime_ns, status.st_size
        if known.files.get(file) != mark and time.time() - status.st_mtime > SETTLED_SECONDS:
            outputs.upload_file(objects, folder, file, uri)
            known.files[file] = mark
