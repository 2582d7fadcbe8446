"""Memory and CPU limits for programs: cgroup v2 or v1 where they really work, else a resource limit."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PERIOD_US = 100_000
PROBE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """Which control groups can be used; both empty means that only RLIMIT_DATA limits a program."""

    version: int
    memory: Path | None = None
    cpu: Path | None = None

    def words(self) -> str:
        if self.memory is None:
            return "memory limited by RLIMIT_DATA of each process (no writable memory cgroup here)"
        return f"memory limited by cgroup v{self.version}" + (" and CPU quota" if self.cpu else "")

    def make(self, name: str, memory_mib: int | None, cpus: float | None) -> list[str]:
        """Control groups for one program; it joins them by writing itself to `cgroup.procs`."""
        leaf = _leaf(name)
        groups: list[str] = []
        if self.memory is not None and memory_mib:
            group = _group(self.memory / leaf)
            file = "memory.max" if self.version == 2 else "memory.limit_in_bytes"
            _set(group / file, str(memory_mib << 20))
            if self.version == 2:
                with suppress(OSError):
                    _set(group / "memory.swap.max", "0")
            groups.append(str(group))
        if self.cpu is not None and cpus:
            group = _group(self.cpu / leaf)
            quota = int(cpus * PERIOD_US)
            if self.version == 2:
                _set(group / "cpu.max", f"{quota} {PERIOD_US}")
            else:
                _set(group / "cpu.cfs_quota_us", str(quota))
            groups.append(str(group))
        return list(dict.fromkeys(groups))

    def drop(self, name: str) -> None:
        """Remove what is left of a program whose supervisor could not do it."""
        for base in (self.memory, self.cpu):
            if base is not None:
                with suppress(OSError):
                    (base / _leaf(name)).rmdir()


def _leaf(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def detect(home: Path) -> Limits:
    """Tries, by making a group and reading its limit back; a plain directory would take any file."""
    name = "clary"
    for version, memory, cpu in _hierarchies():
        try:
            base = _base(version, memory, name)
            if not _works(base, version):
                continue
            return Limits(version, base, _cpu(version, cpu, base, name))
        except OSError:
            continue
    return Limits(0)


def _hierarchies() -> Iterator[tuple[int, Path, Path | None]]:
    mounts: dict[str, Path] = {}
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, where, kind, options, *_ = line.split(" ")
        if kind == "cgroup2":
            controllers = Path(where, "cgroup.controllers")
            if controllers.exists() and "memory" in controllers.read_text(encoding="ascii").split():
                yield 2, Path(where), Path(where)
        elif kind == "cgroup":
            for option in options.split(","):
                mounts.setdefault(option, Path(where))
    if "memory" in mounts:
        yield 1, mounts["memory"], mounts.get("cpu")


def _base(version: int, root: Path, name: str) -> Path:
    base = root / name
    base.mkdir(exist_ok=True)
    if version == 2:
        _set(root / "cgroup.subtree_control", "+memory +cpu")
        _set(base / "cgroup.subtree_control", "+memory +cpu")
    return base


def _cpu(version: int, root: Path | None, memory: Path, name: str) -> Path | None:
    if version == 2 or root is None:
        return memory if version == 2 else None
    try:
        base = root / name
        base.mkdir(exist_ok=True)
    except OSError:
        return None
    return base if (base / "cpu.cfs_quota_us").exists() else None


def _works(base: Path, version: int) -> bool:
    probe = base / "probe"
    probe.mkdir(exist_ok=True)
    file = probe / ("memory.max" if version == 2 else "memory.limit_in_bytes")
    try:
        if not file.exists():
            shutil.rmtree(probe)
            return False
        _set(file, str(PROBE_BYTES))
        return file.read_text(encoding="ascii").strip() == str(PROBE_BYTES)
    finally:
        with suppress(OSError):
            probe.rmdir()


def _group(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    return path


def _set(path: Path, value: str) -> None:
    # Opened without O_CREAT: a control file is there, or the kernel does not know it.
    with path.open("r+", encoding="ascii") as file:
        file.write(value)
