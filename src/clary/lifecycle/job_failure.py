"""Why a job failed, in a sentence: from its failure file, or from the end of its log."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

from clary.lifecycle.job_state import short

TAIL_LINES = 400
LOST = (
    "InternalServerError: The program of this job is gone and left no exit code: the machine was restarted,"
    " or its supervisor was killed. Create the job again."
)
_FRAME = re.compile(r'^\s*File "(?P<file>.+)", line (?P<line>\d+)(?:, in (?P<where>.+))?$')
_HEAD = "Traceback (most recent call last):"
_MARKS = re.compile(r"^[\s~^]+$|^\[Previous line repeated")
_LIBRARY = re.compile(r"site-packages|/lib/python\d|^<frozen")
_EMPTY_WORDS = ("subprocess.CalledProcessError", "For more details, see CloudWatch logs")
_KILLED = "OutOfMemory: "


def reason(exit_code: int, stated: str, tail: Sequence[str]) -> str:
    """SageMaker's form: `AlgorithmError: <what>, exit code: N`, at most 1,024 characters."""
    found = exception(tail)
    memory = next((line for line in reversed(tail) if line.startswith(_KILLED)), "")
    what = memory or _stated(stated, found) or found or _last_words(tail)
    # The end must not be cut off.
    end = f", exit code: {exit_code if exit_code >= 0 else 128 - exit_code}{_signal(exit_code)}"
    head = f"AlgorithmError: {what or 'The program wrote nothing to its log'}"
    return head[: 1024 - len(end) - 3] + "..." + end if len(head) + len(end) > 1024 else head + end


def exception(lines: Sequence[str]) -> str:
    """`ValueError: text (train.py, line 3, in main)` of the last traceback in a log, or nothing."""
    heads = [i + 1 for i, line in enumerate(lines) if line.strip() == _HEAD]
    # A syntax error in the script itself has no head, only its place.
    frames = [i for i, line in enumerate(lines) if _FRAME.match(line)]
    if not heads and not frames:
        return ""
    block = lines[heads[-1] if heads else frames[-1] :]
    mine = [frame for frame in map(_FRAME.match, _until_exception(block)) if frame]
    end = len(_until_exception(block))
    if end == len(block):
        return ""
    own = [frame for frame in mine if not _LIBRARY.search(frame["file"])] or mine
    return short(block[end].strip() + (f" ({_place(own[-1])})" if own else ""))


def _until_exception(block: Sequence[str]) -> Sequence[str]:
    """The lines of a traceback before its exception; they may have lost their indentation on the way."""
    indented = bool(block) and block[0][:1].isspace()
    code = False
    for i, line in enumerate(block):
        framed = _FRAME.match(line)
        if not line.strip() or framed or (line[:1].isspace() if indented else code or _MARKS.match(line)):
            code = bool(framed)
            continue
        return block[:i]
    return block


def _place(frame: re.Match[str]) -> str:
    file = frame["file"].rpartition("/ml/")[2] or frame["file"]
    where = f", in {frame['where']}" if frame["where"] and frame["where"] != "<module>" else ""
    return f"{file.removeprefix('code/')}, line {frame['line']}{where}"


def _stated(stated: str, found: str) -> str:
    """The failure file's text; with the traceback's end where the file does not have it."""
    text = stated.strip()
    if found and any(words in text for words in _EMPTY_WORDS):
        return found
    return f"{text}\n{found}" if text and found and found.split(" (", maxsplit=1)[0] not in text else text


def _last_words(tail: Sequence[str]) -> str:
    return "; ".join(line.strip() for line in tail[-3:] if line.strip())


def _signal(exit_code: int) -> str:
    if exit_code >= 0:
        return ""
    try:
        return f" (killed by {signal.Signals(-exit_code).name})"
    except ValueError:
        return f" (killed by signal {-exit_code})"
