"""A user's script that runs against a Clary: started in one of the two ways, watched, and listened to."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from running import Clary
from sdk.watching import watch

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "scripts"
BIN = Path(sys.executable).parent
SECONDS = 500


def by_run(clary: Clary, command: list[str]) -> list[str]:
    return [str(BIN / "clary"), "run", "--home", str(clary.home), "--", *command]


def by_env(clary: Clary, command: list[str]) -> list[str]:
    line = 'eval "$(clary env --home "$0")" && exec "$@"'
    return ["bash", "-c", line, str(clary.home), *command]


def python(script: str) -> str:
    """The interpreter with the SDK of the script's generation: `v2_sklearn` -> .venvs/sagemaker-v2."""
    found = ROOT / ".venvs" / f"sagemaker-{script.partition('_')[0]}" / "bin" / "python"
    assert found.exists(), "make test makes .venvs"
    return str(found)


def environment(clary: Clary, home: Path) -> dict[str, str]:
    """A user's shell: nothing of AWS in it but where the files with the profile are."""
    found = {name: value for name, value in clary.environment.items() if name != "AWS_EC2_METADATA_DISABLED"}
    path = os.pathsep.join((str(BIN), os.environ["PATH"]))
    return found | {"HOME": str(home), "PATH": path, "PYTHONUNBUFFERED": "1"}


@dataclass
class Script:
    """A command that runs; what it prints is kept with the time at which it came."""

    record: Path
    process: subprocess.Popen[str]
    lines: list[tuple[datetime, str]] = field(default_factory=list)
    listener: Thread = field(init=False)

    def __post_init__(self) -> None:
        self.listener = Thread(target=self._listen, daemon=True)
        self.listener.start()

    @staticmethod
    def start(command: list[str], variables: dict[str, str], folder: Path) -> Script:
        record = folder / "strace.txt"
        process = subprocess.Popen(
            [*watch(record), *command],
            cwd=folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return Script(record, process)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append((datetime.now(UTC), line.rstrip("\n")))

    def text(self) -> str:
        return "\n".join(line for _, line in self.lines)

    def status(self) -> int:
        """Its exit status, when all that it printed has come."""
        found = self.process.wait(SECONDS)
        self.listener.join(SECONDS)
        return found

    def end(self) -> str:
        """Everything it printed; an AssertionError with that text where it failed."""
        status = self.status()
        assert status == 0, f"exit status {status}\n{self.text()}"
        return self.text()

    def told(self, label: str) -> str:
        """What stands after `label: ` in the only line that begins so."""
        (found,) = [line for line in self.end().splitlines() if line.startswith(f"{label}: ")]
        return found.removeprefix(f"{label}: ")

    def came(self, words: str) -> datetime:
        """When the first line with these words came."""
        return next(time for time, line in self.lines if words in line)
