"""`clary link`: a fresh sign-in link for the Studio."""

from __future__ import annotations

import argparse
import sys

from clary.backends.identity import LocalIdentity
from clary.cli.up import running
from clary.settings import load


def run(options: argparse.Namespace) -> int:
    settings = load({"home": options.home})
    if not (settings.home / "key").exists():
        print(f"clary: there is no Clary in {settings.home} yet. Start one with `clary up`.", file=sys.stderr)
        return 1
    token = LocalIdentity(settings.home).sign_in_token()
    print(f"{running(settings.home) or settings.url}/#token={token}")
    return 0
