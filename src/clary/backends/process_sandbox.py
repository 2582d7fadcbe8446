"""The bubblewrap command line that gives a program its own /opt/ml and hides the house from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import clary
from clary.ports.runner import Program

HOST_NAME = "algo-1"
MOUNT = Path("/opt/ml")


def find(home: Path) -> tuple[str | None, str]:
    """The bubblewrap that works here, or None; and a word on why not."""
    bwrap = shutil.which("bwrap")
    if sys.platform != "linux" or bwrap is None:
        return None, "bubblewrap is not installed (apt-get install bubblewrap)"
    with tempfile.TemporaryDirectory() as folder:
        program = Program("probe", ["/bin/sh", "-c", ": > /opt/ml/ok"], Path(folder), Path(folder, "log"))
        scratch = Path(folder, "scratch")
        scratch.mkdir()
        argv = [*arguments(bwrap, program, home, scratch), *program.argv]
        found = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
        if found.returncode == 0 and Path(folder, "ok").exists():
            return bwrap, "bubblewrap"
    return None, f"bubblewrap does not work here: {found.stderr.strip()[-200:]}"


def arguments(bwrap: str, program: Program, home: Path, scratch: Path) -> list[str]:
    """Everything of the machine read-only, but the user's home, Clary's home and /tmp, which are private.

    `scratch` is a directory of the program's own, for /tmp and the hosts file.
    """
    line = [bwrap, "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    line += ["--hostname", HOST_NAME, "--cap-drop", "ALL"]
    if not program.network:
        line.append("--unshare-net")
    line += _system()
    line += ["--proc", "/proc", "--dev", "/dev", *_devices()]
    hidden = _hidden(home)
    for place in hidden:
        line += ["--tmpfs", str(place)]
    temporary = scratch / "tmp"
    temporary.mkdir(exist_ok=True)
    for public in ("/tmp", "/var/tmp"):  # noqa: S108 - the private one of the sandbox
        line += ["--bind", str(temporary), public]
        hidden.append(Path(public))
    for place in _needed(home):
        if any(place.is_relative_to(other) for other in hidden):
            line += ["--ro-bind", str(place), str(place)]
    line += ["--bind", str(program.root), str(MOUNT)]
    for place in program.read_only:
        line += ["--ro-bind", str(place), str(MOUNT / place.relative_to(program.root))]
    for place in program.writable:
        line += ["--bind", str(place), str(place)]
    hosts = _hosts(scratch)
    return [*line, *(("--ro-bind", str(hosts), "/etc/hosts") if hosts else ()), "--chdir", str(MOUNT), "--"]


def _system() -> Iterator[str]:
    """The root directory, entry by entry: /opt must stay open for our mount point."""
    for entry in sorted(Path("/").iterdir()):
        if entry.name in ("proc", "dev", "tmp"):
            continue
        if entry.name == "opt" and entry.is_dir():
            yield from ("--dir", "/opt")
            for inner in sorted(entry.iterdir()):
                if inner != MOUNT:
                    yield from _shown(inner)
        else:
            yield from _shown(entry)


def _shown(entry: Path) -> Sequence[str]:
    if entry.is_symlink():
        return ("--symlink", str(entry.readlink()), str(entry))
    return ("--ro-bind-try", str(entry), str(entry)) if entry.is_dir() else ()


def _devices() -> Iterator[str]:
    for device in sorted(Path("/dev").glob("nvidia*")):
        yield from ("--dev-bind-try", str(device), str(device))


def _hidden(home: Path) -> list[Path]:
    user = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises for a user without one
    places = [place for place in (user, home) if place.is_dir() and place != Path("/")]
    return sorted({place.resolve() for place in places})


def _needed(home: Path) -> list[Path]:
    """What programs must still see below hidden directories: Python, Clary's code, built environments."""
    code = Path(clary.__file__).resolve().parent.parent
    environments = home / "environments"
    environments.mkdir(parents=True, exist_ok=True)
    links = [Path(sys.executable), Path(sys.executable).resolve()]
    return [
        Path(sys.base_prefix).resolve(),
        Path(sys.prefix).resolve(),
        *(link.parent.parent for link in links),
        code,
        environments,
        *(place for place in (*_pip_settings(), home / "sagemaker-sdk.yaml") if place.exists()),
    ]


def _pip_settings() -> Iterator[Path]:
    """Where a user's package index is named, for the requirements of jobs."""
    user = Path(os.path.expanduser("~"))  # noqa: PTH111
    yield from (user / ".config" / "pip", user / ".pip")


def _hosts(scratch: Path) -> Path | None:
    """/etc/hosts and a line for the name that a training container has."""
    system = Path("/etc/hosts")
    if not system.is_file() or system.is_symlink():
        return None
    hosts = scratch / "hosts"
    text = system.read_text(encoding="utf-8", errors="replace").rstrip("\n")
    hosts.write_text(f"{text}\n127.0.0.1 {HOST_NAME}\n", encoding="utf-8")
    return hosts
