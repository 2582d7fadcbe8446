"""Processes that kill themselves (SIGKILL) at a chosen line of Clary's own code, wherever they are."""

from __future__ import annotations

import os
import pickle
import random
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

NEVER = 0
EVERY = bool(os.environ.get("CLARY_EVERY_LINE"))


def run(work: Callable[..., Any], *arguments: Any, line: int = NEVER, inside: tuple[str, ...] = ()) -> Any:
    """What `work` answers in a process of its own, and the lines it passed; None where it died at one.

    Its last argument is a function that it calls where the lines `inside` the named paths begin to count.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _work(writing, work, arguments, line, inside)
    os.close(writing)
    with open(reading, "rb") as answers:  # noqa: PTH123 - a pipe
        answer = answers.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == -signal.SIGKILL:
        return None
    assert code == 0, f"{work.__name__} failed, see its traceback"
    return pickle.loads(answer)


def moments(passed: list[str], few: int) -> list[int]:
    """Which lines to die at: each place in the code at one of the times it was passed.

    Or a few of them, half of which lie near the end, where it counts.
    """
    places: dict[str, list[int]] = {}
    for number, place in enumerate(passed, 1):
        places.setdefault(place, []).append(number)
    chosen = sorted(random.choice(numbers) for numbers in places.values())
    if EVERY or len(chosen) <= few:
        return chosen
    half = few - few // 2
    late = chosen[-max(half, len(chosen) // 4) :]
    early = chosen[: -len(late)]
    return random.sample(early, min(few // 2, len(early))) + random.sample(late, half)


def _work(
    answers: int, work: Callable[..., Any], arguments: tuple[Any, ...], line: int, inside: tuple[str, ...]
) -> None:
    passed: list[str] = []

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if not any(place in frame.f_code.co_filename for place in inside):
            return None
        if event == "line":
            passed.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
            if len(passed) == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    def begin() -> None:
        threading.settrace(trace)
        sys.settrace(trace)

    try:
        found = work(*arguments, begin)
        sys.settrace(None)
        with open(answers, "wb") as pipe:
            pipe.write(pickle.dumps((found, passed)))
        os._exit(0)  # nothing is tidied up
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)
