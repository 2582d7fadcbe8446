"""The reason of a failed job, from what programs really leave in their logs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from clary.lifecycle.job_failure import exception, reason


def run(tmp_path: Path, code: str) -> list[str]:
    script = tmp_path / "train.py"
    script.write_text(code)
    found = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    return (found.stdout + found.stderr).splitlines()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "def main():\n    raise ValueError('bad eta')\nmain()",
            "ValueError: bad eta (FILE, line 2, in main)",
        ),
        ("x = [1\n", "SyntaxError: '[' was never closed (FILE, line 1)"),
        (
            "import json\njson.loads('{')",
            "json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes:"
            " line 1 column 2 (char 1) (FILE, line 2)",
        ),
        (
            "try:\n    1/0\nexcept Exception as e:\n    raise KeyError('k') from e",
            "KeyError: 'k' (FILE, line 4)",
        ),
        (
            "def f(n):\n    return f(n)\nf(1)",
            "RecursionError: maximum recursion depth exceeded (FILE, line 2, in f)",
        ),
        ("raise SystemExit('no data')", ""),
    ],
    ids=["plain", "syntax", "library", "chained", "recursion", "none"],
)
def test_the_end_of_a_traceback(tmp_path: Path, code: str, expected: str) -> None:
    assert exception(["noise", *run(tmp_path, code), "after"]) == expected.replace(
        "FILE", str(tmp_path / "train.py")
    )


def test_a_traceback_that_lost_its_indentation_on_the_way() -> None:
    lines = [
        "Traceback (most recent call last):",
        'File "/opt/ml/input/data/code/train.py", line 3, in <module>',
        "main()",
        'File "/opt/ml/input/data/code/train.py", line 2, in main',
        "raise ValueError('x')",
        "ValueError: x",
        "Command failed with exit code 1. Traceback: Traceback (most recent call last):",
        '  File "/opt/ml/input/data/sm_drivers/common/utils.py", line 216, in execute_commands',
        "subprocess.CalledProcessError: Command '['python']' returned non-zero exit status 1.",
    ]
    stated = "Traceback ...\nsubprocess.CalledProcessError: Command returned non-zero exit status 1."
    assert reason(1, stated, lines) == (
        "AlgorithmError: ValueError: x (input/data/code/train.py, line 2, in main), exit code: 1"
    )


def test_sources_of_a_reason_in_their_order() -> None:
    trace = [
        "Traceback (most recent call last):",
        '  File "/opt/ml/code/t.py", line 1, in <module>',
        "OSError: gone",
    ]
    assert reason(1, "", trace) == "AlgorithmError: OSError: gone (t.py, line 1), exit code: 1"
    assert reason(1, "my own words", trace) == (
        "AlgorithmError: my own words\nOSError: gone (t.py, line 1), exit code: 1"
    )
    assert reason(2, "", ["usage: train.py", "error: --eta is required"]) == (
        "AlgorithmError: usage: train.py; error: --eta is required, exit code: 2"
    )
    assert reason(-11, "", []) == (
        "AlgorithmError: The program wrote nothing to its log, exit code: 139 (killed by SIGSEGV)"
    )
    limit = "OutOfMemory: the program needed more than its limit of 8192 MiB and was killed."
    assert (
        reason(-9, "", ["epoch 1", limit]) == f"AlgorithmError: {limit}, exit code: 137 (killed by SIGKILL)"
    )


def test_a_reason_is_never_longer_than_aws_allows() -> None:
    long = reason(1, "x" * 5000, [])
    assert len(long) == 1024
    assert long.endswith("..., exit code: 1")
