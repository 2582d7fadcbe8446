"""Programs as detached local processes, each under a supervisor that outlives the server."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from clary.backends import process_limits, process_sandbox
from clary.backends.durable import make_folder
from clary.ports.runner import Process, Program, RunnerError

SUPERVISOR = Path(__file__).resolve().parent.parent / "containers" / "supervise.py"
LOG_LIMIT = 256 << 20
"""Bytes of one program's log; what comes after is counted, and its last 64 KiB are kept."""
INHERITED = (
    "PATH", "LANG", "LANGUAGE", "LC_ALL", "TZ", "HOME", "USER", "LOGNAME", "LD_LIBRARY_PATH",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "NVIDIA_VISIBLE_DEVICES",
)  # fmt: skip
"""What a program takes from the server's environment; keys and secrets that lie there are not for it."""


class ProcessRunner:
    """ports.runner.Runner. A program's state is files below `home/programs/<id>` and one kernel lock.

    The supervisor holds the lock as long as it lives, over restarts of the server and with no process id
    that could be reused. Lock held: running; `exit`: ended; `started` alone: lost; neither: never started.
    """

    def __init__(self, home: Path, sandbox: bool = True) -> None:
        self._home = home.resolve()
        self._programs = self._home / "programs"
        make_folder(self._programs)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._guard = threading.Lock()
        self._sandbox_wanted = sandbox
        self._found: tuple[str | None, str, process_limits.Limits] | None = None

    def start(self, program: Program) -> None:
        folder = self._folder(program.id)
        # Its name is on the disk before it runs, so that it is never run again, even after a power cut.
        make_folder(folder)
        with _locked(folder) as lock:
            if lock is None or (folder / "started").exists():
                return
            try:
                self._launch(program, folder, lock)
            except (OSError, subprocess.SubprocessError) as error:
                raise RunnerError(f"{program.argv[0]} could not be started: {error}") from error

    def look(self, id: str) -> Process | None:
        folder = self._folder(id)
        if not folder.exists():
            return None
        if _held(folder):
            return Process(running=True)
        self._reap(id)
        if not (folder / "started").exists():
            return None
        try:
            return Process(running=False, exit_code=int(_read(folder / "exit")["code"]))
        except (OSError, ValueError):
            _kill_leftovers(id, self._home)
            return Process(running=False, lost=True)

    def stop(self, id: str, grace_seconds: float) -> None:
        folder = self._folder(id)
        # The wish is written first: a supervisor that has not started yet finds it, a running one is woken.
        # Each time, for the server that wrote it may have been killed before it woke anybody.
        wish = folder / "stop"
        if not folder.exists():
            return
        if not wish.exists():
            _write(wish, str(grace_seconds))
        with suppress(OSError, ValueError):
            supervisor = int(_read(folder / "started")["pid"])
            if _held(folder):
                os.kill(supervisor, signal.SIGTERM)

    def forget(self, id: str) -> None:
        folder = self._folder(id)
        if folder.exists() and not _held(folder):
            self._reap(id)
            self._means()[2].drop(self._name(id))
            shutil.rmtree(folder, ignore_errors=True)

    def isolation(self) -> str:
        _, words, limits = self._means()
        return f"{words}; {limits.words()}"

    def separates(self) -> bool:
        """Whether programs get a private /opt/ml and can be cut off from the network."""
        return self._means()[0] is not None

    def _launch(self, program: Program, folder: Path, lock: int) -> None:
        bwrap, _, limits = self._means()
        if bwrap is None and not program.network:
            raise RunnerError("Network isolation needs bubblewrap here: apt-get install bubblewrap.")
        program.root.mkdir(parents=True, exist_ok=True)
        program.log.parent.mkdir(parents=True, exist_ok=True)
        prefix = process_sandbox.arguments(bwrap, program, self._home, folder) if bwrap else []
        root = process_sandbox.MOUNT if bwrap else program.root
        groups = limits.make(self._name(program.id), program.memory_mib, program.cpus)
        plain_limit = program.memory_mib << 20 if program.memory_mib and limits.memory is None else None
        spec = {
            "argv": [*prefix, *program.argv],
            "cwd": str(program.root),
            "environment": self._environment(program, root),
            "log": str(program.log),
            "log_limit": LOG_LIMIT,
            "sandboxed": bwrap is not None,
            "cgroups": groups,
            "memory_mib": program.memory_mib,
            "data_limit": plain_limit,
        }
        _write(folder / "spec.json", json.dumps(spec))
        self._spawn(program.id, folder, lock)

    def _spawn(self, id: str, folder: Path, lock: int) -> None:
        python = getattr(sys, "_base_executable", None) or sys.executable
        with (folder / "supervisor.log").open("ab") as output:
            child = subprocess.Popen(
                [python, "-I", "-S", str(SUPERVISOR), str(folder / "spec.json"), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=(lock,),
                cwd="/",
            )
        with self._guard:
            self._children[id] = child

    def _environment(self, program: Program, root: Path) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if k in INHERITED or k.startswith("PIP_")}
        inherited.setdefault("PATH", os.defpath)
        marks = {
            "CLARY_ML_ROOT": str(root),
            "CLARY_PROGRAM": program.id,
            "CLARY_PROGRAM_HOME": str(self._home),
        }
        # ONNX Runtime tells Microsoft about every session unless it is told not to.
        usual = {"PYTHONUNBUFFERED": "1", "ORT_DISABLE_TELEMETRY": "1"}
        return {**inherited, **usual, **program.environment, **marks}

    def _means(self) -> tuple[str | None, str, process_limits.Limits]:
        with self._guard:
            if self._found is None:
                wanted = (None, "plain processes, as configured")
                bwrap, words = process_sandbox.find(self._home) if self._sandbox_wanted else wanted
                if bwrap is None:
                    words = f"no private file system or network for jobs: {words}"
                else:
                    words = "private /opt/ml, /tmp, home and process table by bubblewrap"
                self._found = bwrap, words, process_limits.detect(self._home)
            return self._found

    def _reap(self, id: str) -> None:
        with self._guard:
            child = self._children.get(id)
            if child is not None and child.poll() is not None:
                del self._children[id]

    def _name(self, id: str) -> str:
        """Unlike the id, which other homes of this machine may have too."""
        return f"{self._home}\0{id}"

    def _folder(self, id: str) -> Path:
        return self._programs / quote(id, safe="")


@contextmanager
def _locked(folder: Path) -> Iterator[int | None]:
    """The program's lock, or None where somebody has it; a child that inherits the descriptor keeps it."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield lock
    except BlockingIOError:
        yield None
    finally:
        os.close(lock)


def _held(folder: Path) -> bool:
    try:
        lock = os.open(folder / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _kill_leftovers(id: str, home: Path) -> None:
    """What a killed supervisor left behind, known by the marks in its environment (Linux)."""
    marks = {f"CLARY_PROGRAM={id}".encode(), b"CLARY_PROGRAM_HOME=" + os.fsencode(home)}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if marks <= set((entry / "environ").read_bytes().split(b"\0")):
                os.kill(int(entry.name), signal.SIGKILL)


def _read(path: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _write(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
