"""`clary env` and `clary run`: the environment in which unchanged AWS code reaches Clary."""

from __future__ import annotations

import argparse
import os
import shlex
import sys

from clary.backends.identity import open_root
from clary.cli.up import running
from clary.settings import Settings, SettingsError, load, sdk_environment

_CLEARED = {
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
}


def env(options: argparse.Namespace) -> int:
    found = variables(load({"home": options.home}))
    for name in sorted(_CLEARED | set(filter(_spoils, os.environ))):
        print(f"unset {name}")
    for name, value in found.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _spoils(name: str) -> bool:
    """Whether a variable of another account would beat ours: a service's own endpoint does."""
    return name in _CLEARED or name.startswith("AWS_ENDPOINT_URL_")


def run(options: argparse.Namespace) -> int:
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        print("clary: say what to run: clary run -- python train.py", file=sys.stderr)
        return 2
    environment = {name: value for name, value in os.environ.items() if not _spoils(name)}
    environment |= variables(load({"home": options.home}))
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 - that is the command's purpose
    except OSError as error:
        print(f"clary: cannot run {command[0]}: {error.strerror}", file=sys.stderr)
        return 127


def variables(settings: Settings) -> dict[str, str]:
    """Everything that a client of the Clary on this home needs; SettingsError where there is none."""
    if not (settings.home / "credentials.json").exists():
        raise SettingsError(f"there is no Clary in {settings.home} yet. Start one with `clary up`.")
    root = open_root(settings.home)
    return {
        "AWS_ACCESS_KEY_ID": root.access_key_id,
        "AWS_SECRET_ACCESS_KEY": root.secret_access_key,
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        **sdk_environment(settings.home, running(settings.home) or settings.url),
    }
