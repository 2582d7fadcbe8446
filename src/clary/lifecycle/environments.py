"""Python environments for the requirements of a source directory: built once, layered over Clary's own."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
import sysconfig
import threading
from pathlib import Path

import clary
from clary.lifecycle.capacity import KINDS
from clary.lifecycle.job_state import INSTALLING, JobFailure, phase, private
from clary.ports.records import Query, Store
from clary.ports.runner import Program
from clary.ports.world import World

LOCK = threading.Lock()
REASON_LINES = 6
STOP_GRACE_SECONDS = 5.0
GIVEN_UP = -signal.SIGTERM
_INSTALL = 'cd "$CLARY_ML_ROOT/$0" && exec "$@"'


def key(source: Path) -> str | None:
    """Names the environment that a source directory asks for; None where it asks for none."""
    requirements, setup = source / "requirements.txt", source / "setup.py"
    if not requirements.is_file() and not setup.is_file():
        return None
    digest = hashlib.sha256(f"{sys.version}\0{sys.prefix}\0".encode())
    text = requirements.read_bytes() if requirements.is_file() else b""
    digest.update(text)
    if setup.is_file() or _names_files(text.decode("utf-8", "replace")):
        for file in sorted(path for path in source.rglob("*") if path.is_file()):
            digest.update(f"\0{file.relative_to(source)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:32]


def ready(home: Path, key: str) -> bool:
    return (_folder(home, key) / "ready").exists()


def python(home: Path, key: str | None) -> str:
    """The interpreter of an environment; Clary's own for None."""
    return str(_folder(home, key) / "bin" / "python") if key else sys.executable


def build(world: World, key: str, source: Path, log: Path, network: bool) -> bool:
    """Look at the build, starting it where need be; whether it is done. JobFailure with pip's last lines."""
    id = _id(key)
    folder = _folder(world.home, key)
    output = folder.with_suffix(".log")
    with LOCK:
        if ready(world.home, key):
            world.runner.forget(id)
            return True
        found = world.runner.look(id)
        if found is not None and found.running:
            return False
        if found is None or found.lost or found.exit_code == GIVEN_UP:
            world.runner.forget(id)
            _start(world, key, source, network)
            return False
        _append(output, log)
        if found.exit_code == 0:
            # A power cut must not leave the mark and take the packages.
            os.sync()
            (folder / "ready").touch()
        else:
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(_sources(folder), ignore_errors=True)
        world.runner.forget(id)
        if found.exit_code:
            raise JobFailure(_failure(output, found.exit_code))
        return True


def give_up(world: World, key: str, arn: str) -> bool:
    """Stop a build that `arn` waits for no more, unless others do; whether there is nothing left to do."""
    with LOCK:
        if _wanted(world.store, key, arn):
            return True
        found = world.runner.look(_id(key))
        if found is not None and found.running:
            world.runner.stop(_id(key), STOP_GRACE_SECONDS)
            return False
        world.runner.forget(_id(key))
        if not ready(world.home, key):
            for place in (_folder(world.home, key), _sources(_folder(world.home, key))):
                shutil.rmtree(place, ignore_errors=True)
        return True


def make(folder: Path) -> Path:
    """An empty environment that sees all of Clary's own; answers its interpreter."""
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    binaries = folder / "bin"
    packages = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    for place in (binaries, packages):
        place.mkdir(parents=True)
    version = ".".join(map(str, sys.version_info[:3]))
    settings = f"home = {base.parent}\ninclude-system-site-packages = false\nversion = {version}\n"
    (folder / "pyvenv.cfg").write_text(settings, encoding="utf-8")
    for name in ("python", "python3"):
        (binaries / name).symlink_to(base)
    for name in ("pip", "pip3"):
        script = '#!/bin/sh\nexec "$(dirname "$0")/python" -m pip "$@"\n'
        (binaries / name).write_text(script, encoding="utf-8")
        (binaries / name).chmod(0o755)
    own = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    lines = [f"import site; site.addsitedir({place!r})" for place in sorted(own)]
    code = Path(clary.__file__).resolve().parent.parent
    (packages / "clary.pth").write_text("\n".join([*lines, str(code), ""]), encoding="utf-8")
    return binaries / "python"


def _start(world: World, key: str, source: Path, network: bool) -> None:
    folder = _folder(world.home, key)
    output = folder.with_suffix(".log")
    shutil.rmtree(folder, ignore_errors=True)
    output.unlink(missing_ok=True)
    interpreter = make(folder)
    # Of its own: several may wait for the build, and the one whose source this is may be stopped.
    own = _sources(folder) / source.name
    shutil.rmtree(own.parent, ignore_errors=True)
    shutil.copytree(source, own, symlinks=True)
    what = [*(("-r", "requirements.txt") if (source / "requirements.txt").is_file() else ())]
    what += ["."] if (source / "setup.py").is_file() else []
    pip = [str(interpreter), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    argv = ["/bin/sh", "-c", _INSTALL, own.name, *pip, "--progress-bar", "off", *what]
    world.runner.start(
        Program(
            _id(key),
            argv,
            root=own.parent,
            log=output,
            writable=[folder],
            network=network,
        )
    )


def _failure(output: Path, code: int) -> str:
    lines = [line.partition("\t")[2] for line in output.read_text("utf-8", "replace").splitlines()]
    # pip's errors first; the notes around them say little.
    errors = [line for line in lines if line.startswith("ERROR:")] or [line for line in lines if line.strip()]
    return (
        "AlgorithmError: InstallRequirementsError: pip could not install requirements.txt: "
        f"{' '.join(errors[-REASON_LINES:])}, exit code: {code}"
    )


def _append(output: Path, log: Path) -> None:
    with output.open("rb") as source, log.open("ab") as target:
        shutil.copyfileobj(source, target)


def _names_files(requirements: str) -> bool:
    lines = (line.strip() for line in requirements.splitlines())
    return any(line.startswith(("-", ".", "/", "file:")) or " @ file:" in line for line in lines)


def _wanted(store: Store, key: str, but: str) -> bool:
    """Whether a job waits for the build, or an endpoint that is being deployed may."""
    jobs = (
        record
        for kind in KINDS
        for record in store.query(Query(kind, 100_000, "status", statuses=["InProgress"]))
        if phase(record) == INSTALLING and private(record)["Environment"] == key
    )
    deploying = Query("Endpoint", 2, "status", statuses=["Creating", "Updating"])
    return any(record.arn != but for record in (*jobs, *store.query(deploying)))


def _folder(home: Path, key: str) -> Path:
    return home / "environments" / key


def _sources(folder: Path) -> Path:
    return folder.with_suffix(".source")


def _id(key: str) -> str:
    return f"environment/{key}"
