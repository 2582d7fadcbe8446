"""What the demo prints: steps with their time, and the lines of a job's log as they come."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_TTY = sys.stdout.isatty()


def _styled(code: str, text: str) -> str:
    return f"\033[{code}m{text}\033[0m" if _TTY else text


@dataclass
class Display:
    """Collects each step's title and seconds for the closing table."""

    steps: list[tuple[str, float, str]] = field(default_factory=list)
    _outcome: str = ""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        print(f"\n{_styled('1', f'[{len(self.steps) + 1}] {title}')}", flush=True)
        started = time.monotonic()
        self._outcome = ""
        yield
        seconds = time.monotonic() - started
        self.steps.append((title, seconds, self._outcome))
        print(f"    {_styled('32', 'done')} in {seconds:.1f} s", flush=True)

    def outcome(self, text: str) -> None:
        """What came out of the running step, for the closing table."""
        self._outcome = text
        self.line(text)

    def line(self, text: str) -> None:
        print(f"    {text}", flush=True)

    def log(self, text: str) -> None:
        print(f"    {_styled('2', '| ' + text[:150])}", flush=True)

    def table(self) -> None:
        width = max(len(title) for title, _, _ in self.steps)
        print("\n" + _styled("1", "What ran"))
        for title, seconds, outcome in self.steps:
            print(f"  {title:<{width}}  {seconds:6.1f} s  {outcome}")
        print(f"  {'in all':<{width}}  {sum(s for _, s, _ in self.steps):6.1f} s", flush=True)
