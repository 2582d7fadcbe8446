"""Programs apart from the server: their logs, their ends, and who finds them again."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clary.backends.filelogs import FileLogs
from clary.backends.process import ProcessRunner
from clary.ports.runner import Process, Program, RunnerError
from jobs.conftest import wait
from running import free_port

SERVER = """
import sys, time
from pathlib import Path
from clary.backends.process import ProcessRunner
from clary.ports.runner import Program
home = Path(sys.argv[1])
code = "import time; print('one', flush=True); time.sleep(1); print('two'); raise SystemExit(7)"
program = Program("job/x", [sys.executable, "-c", code], home / "ml", home / "log")
ProcessRunner(home, sandbox=sys.argv[2] == "True").start(program)
print("started", flush=True)
time.sleep(60)
"""


@pytest.fixture(params=[True, False], ids=["bubblewrap", "plain"])
def runner(request: pytest.FixtureRequest, home: Path) -> ProcessRunner:
    found = ProcessRunner(home, sandbox=request.param)
    if request.param and not found.separates():
        pytest.skip(found.isolation())
    return found


def program(home: Path, code: str, **further: object) -> Program:
    argv = [sys.executable, "-c", code]
    return Program("job/x", argv, home / "ml", FileLogs(home).file("g", "s"), **further)  # type: ignore[arg-type]


def ended(runner: ProcessRunner, seconds: float = 20) -> Process:
    def look() -> Process | None:
        found = runner.look("job/x")
        return found if found is not None and not found.running else None

    found = wait(look, seconds)
    assert isinstance(found, Process)
    return found


def messages(home: Path) -> list[str]:
    return [line.message for line in FileLogs(home).lines("g", "s", 0, 100_000)]


def test_a_program_runs_in_its_own_place(runner: ProcessRunner, home: Path) -> None:
    assert runner.look("job/x") is None
    code = "import os; open(os.environ['CLARY_ML_ROOT'] + '/made', 'w').write('x'); print('hi'); exit(3)"
    runner.start(program(home, code))
    assert ended(runner) == Process(running=False, exit_code=3)
    assert messages(home) == ["hi"]
    assert (home / "ml" / "made").read_text() == "x"


def test_a_second_start_does_nothing_even_after_the_end(runner: ProcessRunner, home: Path) -> None:
    code = "import os; open(os.environ['CLARY_ML_ROOT'] + '/runs', 'a').write('x')"
    for _ in range(3):
        runner.start(program(home, code))
    ended(runner)
    runner.start(program(home, code))
    time.sleep(0.2)
    assert (home / "ml" / "runs").read_text() == "x"
    runner.forget("job/x")
    assert runner.look("job/x") is None


def test_a_program_that_cannot_be_started_says_so(runner: ProcessRunner, home: Path) -> None:
    runner.start(Program("job/x", ["/no/such/program"], home / "ml", FileLogs(home).file("g", "s")))
    assert ended(runner).exit_code != 0
    assert "/no/such/program" in " ".join(messages(home))


def test_stop_lets_the_program_save_its_work(runner: ProcessRunner, home: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "def term(*_): print('saving', flush=True); time.sleep(0.1); print('saved'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, term); print('ready', flush=True); time.sleep(60)"
    )
    runner.start(program(home, code))
    wait(lambda: "ready" in messages(home))
    runner.stop("job/x", 10)
    runner.stop("job/x", 10)
    assert ended(runner).exit_code == 0
    assert messages(home) == ["ready", "saving", "saved"]


def test_stop_kills_what_will_not_go_with_its_children(runner: ProcessRunner, home: Path) -> None:
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "subprocess.Popen([sys.executable, '-c', 'import signal,time; signal.signal(15,signal.SIG_IGN);"
        'print("child", flush=True); time.sleep(61.25)\'])\n'
        "time.sleep(60)"
    )
    runner.start(program(home, code))
    wait(lambda: "child" in messages(home))
    runner.stop("job/x", 0.2)
    assert ended(runner).exit_code == -signal.SIGKILL
    wait(lambda: not _running("time.sleep(61.25)"))


def test_a_flood_of_output_is_cut_and_its_end_is_kept(
    runner: ProcessRunner, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clary.backends.process.LOG_LIMIT", 1 << 20)
    code = "for i in range(400_000): print('x' * 50, i)\nprint('the end')"
    runner.start(program(home, code))
    assert ended(runner, 60).exit_code == 0
    found = messages(home)
    assert found[0] == "x" * 50 + " 0"
    assert found[-1] == "the end"
    assert any("bytes of output are left out" in line for line in found)
    assert FileLogs(home).file("g", "s").stat().st_size < (1 << 20) + (1 << 17)


def test_binary_output_long_lines_and_progress_bars_are_readable(runner: ProcessRunner, home: Path) -> None:
    code = (
        "import sys; w = sys.stdout.buffer.write\n"
        "w(b'\\xff\\xfe\\x00binary\\n'); w(b'y' * 1_000_000 + b'\\n')\n"
        "w(b'10%\\r50%\\r100%\\n'); w(b'windows\\r\\n'); w(b'no end')"
    )
    runner.start(program(home, code))
    assert ended(runner).exit_code == 0
    found = messages(home)
    assert found[0] == "\ufffd\ufffd\x00binary"
    assert "".join(found[1:-3]) == "y" * 1_000_000
    assert max(len(line) for line in found) < 262_144 - 26
    assert found[-3:] == ["100%", "windows", "no end"]


def test_a_killed_server_leaves_its_programs_running(runner: ProcessRunner, home: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(home), str(runner.separates())], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    assert server.stdout.readline() == "started\n"
    server.kill()
    server.wait()
    server.stdout.close()
    wait(lambda: (home / "log").exists() and "one" in (home / "log").read_text())
    found = runner.look("job/x")
    assert found is not None
    assert found.running
    assert ended(runner).exit_code == 7
    assert "two" in (home / "log").read_text()


def test_a_killed_supervisor_takes_its_program_along(runner: ProcessRunner, home: Path) -> None:
    runner.start(program(home, "import time; print('up', flush=True); time.sleep(62.5)"))
    wait(lambda: "up" in messages(home))
    supervisors = _running("supervise.py " + str(home))
    assert len(supervisors) == 1
    os.kill(supervisors[0], signal.SIGKILL)
    assert ended(runner) == Process(running=False, lost=True)
    wait(lambda: not _running("time.sleep(62.5)"))


def test_memory_is_limited_and_the_log_says_so(runner: ProcessRunner, home: Path) -> None:
    runner.start(program(home, "x = bytearray(400 << 20); print(len(x))", memory_mib=200))
    assert ended(runner).exit_code != 0
    said = " ".join(messages(home))
    assert "OutOfMemory" in said or "MemoryError" in said, runner.isolation()


def test_the_house_is_hidden_and_inputs_are_read_only(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = ProcessRunner(home)
    if not runner.separates():
        pytest.skip(runner.isolation())
    monkeypatch.setenv("MY_SECRET", "s3cret")
    (home / "credentials.json").write_text("s3cret")
    data = home / "ml" / "input"
    data.mkdir(parents=True)
    (data / "a").write_text("a")
    code = (
        f"import os; print(os.path.exists({str(home / 'credentials.json')!r}), 'MY_SECRET' in os.environ)\n"
        "print(open('/opt/ml/input/a').read(), len([p for p in os.listdir('/proc') if p.isdigit()]) < 5)\n"
        "print(sorted(os.listdir('/')))\n"
        "open('/opt/ml/input/b', 'w')"
    )
    runner.start(program(home, code, read_only=[data]))
    assert ended(runner).exit_code == 1
    found = messages(home)
    assert found[:2] == ["False False", "a True"]
    assert not {"root", "home", "run", "srv", "mnt"} & {*ast.literal_eval(found[2])} - {Path.home().parts[1]}
    assert "Read-only file system" in found[-1]


def test_network_isolation_cuts_a_program_off(home: Path) -> None:
    import socket

    runner = ProcessRunner(home)
    if not runner.separates():
        with pytest.raises(RunnerError, match="bubblewrap"):
            runner.start(program(home, "pass", network=False))
        return
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        runner.start(program(home, code, network=False))
        assert ended(runner).exit_code == 1
        runner.forget("job/x")
        runner.start(program(home, code))
        assert ended(runner).exit_code == 0


def _running(words: str) -> list[int]:
    """Processes whose command line holds all the words."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if all(word in line for word in words.split(" ")) and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def test_a_program_is_stopped_at_any_moment_of_its_start(runner: ProcessRunner, home: Path) -> None:
    slowest = 0.0
    for number in range(20):
        id = f"job/{number}"
        made = Program(id, ["/bin/sleep", "60"], home / "ml", FileLogs(home).file("g", "s"))
        runner.start(made)
        time.sleep(number * 0.003)
        start = time.monotonic()
        runner.stop(id, 60)
        wait(lambda: (found := runner.look(id)) is not None and not found.running)  # noqa: B023
        slowest = max(slowest, time.monotonic() - start)
    assert slowest < 5, "it was told before it was there, and waited for its grace time"


def test_a_wish_to_stop_that_reached_nobody_is_told_again(runner: ProcessRunner, home: Path) -> None:
    runner.start(program(home, "import time; print('up', flush=True); time.sleep(60)"))
    wait(lambda: "up" in messages(home))
    # As a server leaves it that is killed when it has written the wish.
    (home / "programs" / "job%2Fx" / "stop").write_text("60")
    time.sleep(0.3)
    assert runner.look("job/x") == Process(running=True)
    runner.stop("job/x", 60)
    assert ended(runner, 5).exit_code == -signal.SIGTERM


def test_a_lost_program_of_one_home_is_no_other_homes(tmp_path: Path) -> None:
    """Two homes may have programs of one id, such as the installation of the same requirements."""
    homes = [tmp_path / "one", tmp_path / "two"]
    runners = [ProcessRunner(place) for place in homes]
    for runner, place in zip(runners, homes, strict=True):
        runner.start(program(place, "import time; print('up', flush=True); time.sleep(60)"))
        wait(lambda: "up" in messages(place))  # noqa: B023
    supervisor = int(json.loads((homes[0] / "programs" / "job%2Fx" / "started").read_text())["pid"])
    os.kill(supervisor, signal.SIGKILL)
    wait(lambda: runners[0].look("job/x") == Process(running=False, lost=True))
    time.sleep(0.3)
    assert runners[1].look("job/x") == Process(running=True)
    runners[1].stop("job/x", 5)
    assert ended(runners[1], 5).exit_code == -signal.SIGTERM
    for runner in runners:
        runner.forget("job/x")
