"""`clary demo` itself: find or start a Clary, tell it the story, and say how it came out."""

from __future__ import annotations

import argparse
import sys
import time

from botocore.exceptions import BotoCoreError, ClientError

from clary.cli.demo.jobs import DemoError
from clary.cli.demo.server import connect, served
from clary.cli.demo.story import tell


def run(options: argparse.Namespace) -> int:
    """Exit status 0 only if every step came out as it should."""
    try:
        with served(options):
            tell(connect(options))
            if options.serve and not options.once:
                print("\nClary goes on serving. Stop it with Ctrl-C.", flush=True)
                wait_for_ever()
    except (DemoError, BotoCoreError, ClientError) as error:
        print(f"\nclary demo: {error}", file=sys.stderr)
        return 1
    return 0


def wait_for_ever() -> None:
    while True:
        time.sleep(3600)
