"""Starts one program apart from the server, writes its log and its exit code. A plain script: stdlib only.

Called as `python -I -S supervise.py SPEC.json LOCK_FD`. The lock (flock) is held for as long as the program
is watched, so whoever finds it free knows that nobody watches any more. Files beside the specification:
`started` (written before the program runs), `stop` (a wish: grace seconds), `exit` (the end).
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

CHUNK = 1 << 16
LINE_LIMIT = 192 * 1024
"""Bytes of a line; CloudWatch's longest event is 256 KiB, longer lines go on in the next event."""
PARTIAL_SECONDS = 2.0
"""A line without its end is written after this time, so that progress bars are seen."""
TAIL = 64 * 1024
DRAIN_SECONDS = 1.0
SANDBOX = "bwrap"
TELL_SECONDS = 0.05
"""How often a program that does not run yet is looked for, to be told to stop."""
HOME_SECONDS = 5.0
"""How often its folder is looked for: a program whose folder is deleted could never be found or stopped."""


class LogFile:
    """Appends `<epoch ms>\\t<line>\\n`; beyond `limit` bytes only the last 64 KiB are kept, for the end."""

    def __init__(self, path: str, limit: int) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._room = limit - os.fstat(self._file).st_size
        self._limit = limit
        self._pending = b""
        self._since = 0.0
        self._tail = b""
        self._dropped = 0

    def feed(self, data: bytes) -> None:
        whole, newline, rest = (self._pending + data).rpartition(b"\n")
        if newline:
            self._lines(whole)
        if len(rest) >= LINE_LIMIT:
            self._lines(rest)
            rest = b""
        if rest and (newline or not self._pending):
            self._since = time.monotonic()
        self._pending = rest

    def wait(self) -> float | None:
        """Seconds until an unfinished line shall be written."""
        return max(0.0, self._since + PARTIAL_SECONDS - time.monotonic()) if self._pending else None

    def flush(self) -> None:
        if self._pending:
            self._lines(self._pending)
            self._pending = b""

    def close(self) -> None:
        self.flush()
        if self._dropped:
            note = f"{self._dropped} bytes of output are left out here: a log holds {self._limit} bytes."
            self._append(self._stamped(note.encode()) + self._tail.partition(b"\n")[2])

    def say(self, text: str) -> None:
        self.flush()
        self._lines(text.encode())

    def _lines(self, whole: bytes) -> None:
        # What a terminal would show: the text behind the last carriage return of each line.
        if b"\r" in whole:
            whole = b"\n".join(_shown(line) for line in whole.split(b"\n"))
        block = self._stamped(whole)
        if len(block) <= self._room:
            self._room -= len(block)
            self._append(block)
        else:
            self._room = 0
            self._dropped += len(block)
            self._tail = (self._tail + block)[-TAIL:]

    def _stamped(self, whole: bytes) -> bytes:
        stamp = b"%d\t" % (time.time_ns() // 1_000_000)
        return stamp + whole.replace(b"\n", b"\n" + stamp) + b"\n"

    def _append(self, block: bytes) -> None:
        try:
            while block:
                block = block[os.write(self._file, block) :]
        except OSError:
            self._dropped += len(block)  # a full disk must not stop the program


def _shown(line: bytes) -> bytes:
    return line.rstrip(b"\r").rpartition(b"\r")[2]


def main(specification: Path, lock: int) -> None:
    # Only the supervisor may hold the lock: the program must not inherit it.
    os.set_inheritable(lock, False)
    spec: dict[str, Any] = json.loads(specification.read_text(encoding="utf-8"))
    folder = specification.parent
    wake = _listen()
    ending = folder / "exit.new"
    _write(ending, " " * 64)  # its blocks are taken now, so that a full disk cannot lose the exit code
    _publish(folder / "started", {"pid": os.getpid(), "time": time.time()})
    log = LogFile(spec["log"], spec["log_limit"])
    code = Watch(spec, folder / "stop", log, wake).run()
    log.close()
    with contextlib.suppress(FileNotFoundError):  # the folder is deleted, and nobody asks
        _finish(ending, code)
    for group in spec["cgroups"]:
        _leave(Path(group))


def _listen() -> int:
    """Signals end up as bytes in a pipe; answers its reading end."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return reading


class Watch:
    """One program from its start to its end."""

    def __init__(self, spec: dict[str, Any], stop: Path, log: LogFile, wake: int) -> None:
        self._spec, self._stop, self._log, self._wake = spec, stop, log, wake
        self._child = 0
        self._kill_at: float | None = None
        self._told = False
        """Whether the program has had its SIGTERM."""

    def run(self) -> int:
        """The exit code, -N for signal N."""
        if self._stop.exists():
            return -signal.SIGTERM
        output, theirs = os.pipe()
        self._fork(theirs)
        os.close(theirs)
        os.set_blocking(output, False)
        status = self._wait(output)
        _kill_group(self._child, signal.SIGKILL)
        _drain(output, self._log)
        for reason in _out_of_memory(self._spec):
            self._log.say(reason)
        return _exit_code(status, self._spec["sandboxed"])

    def _fork(self, output: int) -> None:
        """The group is there, and the child dies of SIGTERM, before anybody can send it one."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        self._child = os.fork()
        if self._child == 0:
            _become(self._spec, output)
        with contextlib.suppress(OSError):  # the child was quicker
            os.setpgid(self._child, self._child)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def _wait(self, output: int) -> int:
        """Copy output to the log until the program ends."""
        reading = [output, self._wake]
        while True:
            ready = select.select(reading, [], [], self._timeout())[0]
            if output in ready and not _copy(output, self._log):
                reading.remove(output)
            if self._log.wait() == 0.0:
                self._log.flush()
            if self._wake in ready:
                os.read(self._wake, 4096)
            pid, status = os.waitpid(self._child, os.WNOHANG)
            if pid:
                return status
            self._heed_stop()

    def _timeout(self) -> float | None:
        waits = [self._log.wait()]
        if self._kill_at is None:
            waits.append(HOME_SECONDS)
        else:
            waits += [max(0.0, self._kill_at - time.monotonic()), None if self._told else TELL_SECONDS]
        return min((wait for wait in waits if wait is not None), default=None)

    def _heed_stop(self) -> None:
        """Pass a wish to stop on to the program's group; kill what is left after its grace time."""
        now = time.monotonic()
        if self._kill_at is None and self._stop.exists():
            self._kill_at = now + _grace(self._stop)
        elif self._kill_at is None and not self._stop.parent.exists():
            self._kill_at = now
        if self._kill_at is None:
            return
        self._told = self._told or self._tell()
        if now >= self._kill_at:
            _kill_group(self._child, signal.SIGKILL)
            self._kill_at = now + 5.0

    def _tell(self) -> bool:
        """Whether the program was there to be told.

        bubblewrap's first process would take SIGTERM as its end and kill the program with it, and its second,
        the program's init, does not mind it: one that is told before the program is there passes nothing on.
        """
        if not self._spec["sandboxed"]:
            _kill_group(self._child, signal.SIGTERM)
            return True
        program = [pid for pid in group_members(self._child) if _name(pid) != SANDBOX]
        for pid in program:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGTERM)
        return bool(program)


def _copy(output: int, log: LogFile) -> bool:
    try:
        data = os.read(output, CHUNK)
    except BlockingIOError:
        return True
    log.feed(data)
    return bool(data)


def _drain(output: int, log: LogFile) -> None:
    """The rest of the output; a process that escaped the group may hold the pipe open, so not for ever."""
    end = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < end and select.select([output], [], [], 0.05)[0] and _copy(output, log):
        pass


def _become(spec: dict[str, Any], output: int) -> None:
    """In the child: group, limits, file descriptors, then the program. Never returns."""
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        nothing = os.open(os.devnull, os.O_RDONLY)
        for ours, theirs in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(ours, theirs)
        for group in spec["cgroups"]:
            Path(group, "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
        if spec["data_limit"]:
            resource.setrlimit(resource.RLIMIT_DATA, (spec["data_limit"],) * 2)
        if not spec["sandboxed"]:
            _die_with_parent()
        os.chdir(spec["cwd"])
        os.execvpe(spec["argv"][0], spec["argv"], spec["environment"])  # noqa: S606 - the program as it is
    except OSError as error:
        os.write(2, f"The program {spec['argv'][0]} cannot be started: {error}\n".encode())
    finally:
        os._exit(127)


def _die_with_parent() -> None:
    """Linux: SIGKILL to the program when its supervisor is gone (bubblewrap does this by itself)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _kill_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return SANDBOX  # gone


def group_members(group: int) -> list[int]:
    """Process ids of a process group, from /proc."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group:
                found.append(int(entry.name))
    return found


def _out_of_memory(spec: dict[str, Any]) -> list[str]:
    """A line for the log where the kernel killed for the memory limit (cgroup v2, then v1)."""
    for group in spec["cgroups"]:
        for name in ("memory.events", "memory.oom_control"):
            try:
                lines = Path(group, name).read_text(encoding="ascii").splitlines()
            except OSError:
                continue
            killed = [line for line in lines if line.startswith("oom_kill ")]
            if killed and killed[0].split()[1] != "0":
                limit = spec["memory_mib"]
                return [f"OutOfMemory: the program needed more than its limit of {limit} MiB and was killed."]
    return []


def _exit_code(status: int, sandboxed: bool) -> int:
    code = os.waitstatus_to_exitcode(status)
    # bubblewrap, as a shell, tells of signal N by 128 + N.
    return 128 - code if sandboxed and 128 < code <= 192 else code


def _grace(stop: Path) -> float:
    try:
        return float(stop.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0.0


def _leave(group: Path) -> None:
    for _ in range(20):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.01)  # the last process is still on its way out
        else:
            return


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _publish(path: Path, content: dict[str, float]) -> None:
    fresh = path.with_suffix(".new")
    _write(fresh, json.dumps(content))
    fresh.replace(path)
    _sync(path.parent)


def _finish(ending: Path, code: int) -> None:
    with ending.open("r+", encoding="utf-8") as file:
        file.write(json.dumps({"code": code, "time": time.time()}))
        file.flush()
        os.fsync(file.fileno())
    ending.replace(ending.with_suffix(""))
    _sync(ending.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
