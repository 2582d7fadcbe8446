"""`clary env` and `clary run`: the environment in which unchanged AWS code reaches Clary."""

from __future__ import annotations

import argparse
import os
import shlex
import sys

from clary.backends.identity import open_root
from clary.cli.up import running
from clary.settings import Settings, SettingsError, load, sdk_environment

CLEARED = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
"""Variables of another account that would beat or spoil ours."""


def env(options: argparse.Namespace) -> int:
    for name in CLEARED:
        print(f"unset {name}")
    for name, value in variables(load({"home": options.home})).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def run(options: argparse.Namespace) -> int:
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        print("clary: say what to run: clary run -- python train.py", file=sys.stderr)
        return 2
    environment = {name: value for name, value in os.environ.items() if name not in CLEARED}
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
