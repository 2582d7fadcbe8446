"""`clary up`: one Clary on one home."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import socket
import sys
from pathlib import Path
from typing import TextIO

from clary.backends.durable import make_folder
from clary.backends.identity import LocalIdentity
from clary.cli.profile import write_profile
from clary.ports.records import Unavailable
from clary.settings import Settings, load, sdk_environment


def run(options: argparse.Namespace) -> int:
    flags = {name: getattr(options, name) for name in ("home", "host", "port", "database", "objects", "cpus")}
    settings = load(flags)
    make_folder(settings.home, 0o700)
    with (settings.home / "lock").open("a+") as lock:
        if not _take(lock):
            where = running(settings.home) or "another address"
            print(f"clary: a Clary already runs on {settings.home}, at {where}", file=sys.stderr)
            return 1
        return _serve(settings)


def running(home: Path) -> str | None:
    """The address of the Clary that runs (or ran last) on this home."""
    try:
        return str(json.loads((home / "server.json").read_text())["url"])
    except (OSError, ValueError, KeyError):
        return None


def _take(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _serve(settings: Settings) -> int:
    listener = _listen(settings)
    if listener is None:
        return 1
    import uvicorn

    from clary.gateway.connection import Connection
    from clary.server import House

    try:
        house = House(settings)
    except Unavailable as error:
        print(f"clary: {error}", file=sys.stderr)
        return 1
    (settings.home / "server.json").write_text(json.dumps({"url": settings.url, "pid": os.getpid()}) + "\n")
    sdk_environment(settings.home, settings.url)
    identity = house.world.identity
    assert isinstance(identity, LocalIdentity)
    said = write_profile(settings, identity.root)
    print(f"Clary is at {settings.url}, its home is {settings.home}")
    print(f"Sign in to the Studio (once, within a day): {settings.url}/#token={identity.sign_in_token()}")
    print(said, flush=True)
    config = uvicorn.Config(
        house.app,
        loop="uvloop",
        http=Connection,
        ws="none",
        interface="asgi3",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _listen(settings: Settings) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        print(
            f"clary: cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
            "Choose another with --host or --port.",
            file=sys.stderr,
        )
        return None
    listener.listen(2048)
    return listener
