"""A folder for what is killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from survival import home


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: what a killed process wrote is there without a disk, too."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        home.end_programs(tmp_path / "tried")
        return
    with TemporaryDirectory(dir=memory, prefix="clary-") as folder:
        yield Path(folder)
        home.end_programs(Path(folder, "tried"))
