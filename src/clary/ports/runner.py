"""The port to running programs: start one apart from the server, look at it, stop it. Knows no job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Program:
    """A program to run in a process group of its own.

    `root` is the host directory that the program sees as /opt/ml (a private mount where the backend can,
    else through the environment variable CLARY_ML_ROOT). `read_only` are host directories below `root`
    that must not be written; `writable` are further host directories that it may write, at their own path.
    `log` is the file that receives stdout and stderr, one line each as
    `<epoch milliseconds>\t<text>\n`, appended.
    """

    id: str
    argv: Sequence[str]
    root: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    read_only: Sequence[Path] = ()
    writable: Sequence[Path] = ()
    network: bool = True
    cpus: float | None = None
    memory_mib: int | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """What is known of a started program. `exit_code` is None while it runs; -N for signal N."""

    running: bool
    exit_code: int | None = None
    lost: bool = False
    """The program is gone and left no exit code (the machine was restarted, or its supervisor killed)."""


class Runner(Protocol):
    """Programs survive the server; a new server finds them again by their id."""

    def start(self, program: Program) -> None:
        """Start it; a second start of a running id does nothing. RunnerError with a reason a user can use."""

    def look(self, id: str) -> Process | None:
        """None if such a program was never started here (or was forgotten)."""

    def stop(self, id: str, grace_seconds: float) -> None:
        """SIGTERM to the whole group, SIGKILL after the grace time. Returns at once."""

    def forget(self, id: str) -> None:
        """Drop the book-keeping of a program that has ended."""

    def separates(self) -> bool:
        """Whether a program gets a /opt/ml of its own and can be cut off from the network."""

    def isolation(self) -> str:
        """In words: which separation and which limits are in force on this machine."""


class RunnerError(Exception):
    """The program could not be started; the message says why."""
