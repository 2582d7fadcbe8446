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
SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "sys", "nix", "gnu")
"""Directories of the root that a program sees, read-only; no others, so no data, sockets or homes."""


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
    """The system and Python read-only; /tmp, the home and /opt/ml its own; nothing else of the machine.

    `scratch` is a directory of the program's own, for /tmp and the hosts file.
    """
    line = [bwrap, "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    line += ["--hostname", HOST_NAME, "--cap-drop", "ALL"]
    if not program.network:
        line.append("--unshare-net")
    line += _system()
    line += ["--proc", "/proc", "--dev", "/dev", *_devices()]
    for place in _private(home):
        line += ["--tmpfs", str(place)]
    temporary = scratch / "tmp"
    temporary.mkdir(exist_ok=True)
    for public in ("/tmp", "/var/tmp"):  # noqa: S108 - the private one of the sandbox
        line += ["--bind", str(temporary), public]
    for place in _needed(home):
        for seen in dict.fromkeys((str(place.resolve()), str(place))):
            line += ["--ro-bind", str(place), seen]
    line += ["--bind", str(program.root), str(MOUNT)]
    for place in program.read_only:
        line += ["--ro-bind", str(place), str(MOUNT / place.relative_to(program.root))]
    for place in program.writable:
        line += ["--bind", str(place), str(place)]
    hosts = _hosts(scratch)
    return [*line, *(("--ro-bind", str(hosts), "/etc/hosts") if hosts else ()), "--chdir", str(MOUNT), "--"]


def _system() -> Iterator[str]:
    """The system's programs and settings; /opt entry by entry, for it must stay open for our mount point."""
    for name in SYSTEM:
        if (entry := Path("/", name)).exists():
            yield from _shown(entry)
    opt = Path("/opt")
    for entry in sorted(opt.iterdir()) if opt.is_dir() else ():
        if entry != MOUNT:
            yield from _shown(entry)
    for secret in ("/etc/shadow", "/etc/gshadow"):
        if Path(secret).exists():
            yield from ("--ro-bind", "/dev/null", secret)


def _shown(entry: Path) -> Sequence[str]:
    if entry.is_symlink():
        return ("--symlink", str(entry.readlink()), str(entry))
    return ("--ro-bind-try", str(entry), str(entry)) if entry.is_dir() else ()


def _devices() -> Iterator[str]:
    for device in sorted(Path("/dev").glob("nvidia*")):
        yield from ("--dev-bind-try", str(device), str(device))


def _private(home: Path) -> list[Path]:
    """Empty directories in place of the user's home and Clary's."""
    user = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises for a user without one
    places = [place for place in (user, home) if place.is_absolute() and place != Path("/")]
    return sorted({place.resolve() for place in places})


def _needed(home: Path) -> list[Path]:
    """What programs must see outside the system's directories: Python, its packages, built environments."""
    environments = home / "environments"
    environments.mkdir(parents=True, exist_ok=True)
    links = (Path(sys.executable), Path(sys.executable).resolve())
    found = [
        Path(sys.base_prefix),
        Path(sys.prefix),
        *(link.parent.parent for link in links),
        Path(clary.__file__).parent.parent,
        *_packages(home),
        environments,
        home / "sagemaker-sdk.yaml",
        *_pip_settings(),
        *_network_settings(),
    ]
    kept: list[Path] = []
    for place in found:
        covered = any(place.is_relative_to(Path("/", name)) for name in SYSTEM)
        if place.is_absolute() and place.exists() and not covered and place not in kept:
            kept.append(place)
    return kept


def _packages(home: Path) -> Iterator[Path]:
    """Directories of sys.path, as of editable installs; not the one that the server was started in."""
    for place in map(Path, sys.path[1:]):
        private = any(hidden.is_relative_to(place) for hidden in _private(home))
        if place.is_dir() and place != Path.cwd() and not private:
            yield place


def _network_settings() -> Iterator[Path]:
    """Where names are resolved and certificates lie, if it is not in /etc."""
    yield Path("/etc/resolv.conf").resolve()
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if name in os.environ:
            yield Path(os.environ[name])


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
