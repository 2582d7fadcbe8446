"""What programs reach for on the network, as the kernel sees it: strace around them, and its record read."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

_ADDRESS = re.compile(r'sin6?_port=htons\((\d+)\).*?inet_(?:addr\(|pton\(AF_INET6, )"([^"]+)"')
_RESOLVER = re.compile(r'sun_path="([^"]*resolve[^"]*)"')
"""systemd's, which is asked over a socket file where glibc would ask a name server."""


@cache
def able() -> bool:
    """Whether strace is there, and may trace."""
    try:
        return subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], check=False).returncode == 0
    except OSError:
        return False


def watch(record: Path) -> tuple[str, ...]:
    """What to put before a command, so that all its processes are watched. Signals and its end go through."""
    if not able():
        return ()
    calls = "trace=connect,sendto,sendmsg,sendmmsg"
    return ("strace", "-D", "-f", "--seccomp-bpf", "-qq", "-e", calls, "-e", "signal=none", "-o", str(record))


def reached(record: Path) -> set[str]:
    """host:port of every address that was tried, a name server's among them; and a local resolver's path."""
    if not able():
        pytest.skip("strace is not installed, or may not trace")
    text = record.read_text(errors="replace")
    return {f"{host}:{port}" for port, host in _ADDRESS.findall(text)} | set(_RESOLVER.findall(text))
