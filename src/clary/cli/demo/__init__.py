"""`clary demo`: the main job on real data, by boto3 alone, as a client of a running Clary."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from clary.cli.demo.display import Display
from clary.cli.demo.jobs import Clients, DemoError

HUB_MODEL = "clary-tc-minilm-l6-v2-amazon-reviews"
SENTENCE = "I love this banana slicer"


def run(options: argparse.Namespace) -> int:
    """Exit status 0 only if every step came out as it should."""
    from clary.cli.demo.server import connect, served

    try:
        with served(options):
            clients = connect(options)
            tell(clients)
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


def cache() -> Path:
    return Path(os.environ.get("CLARY_CACHE") or Path.home() / ".cache" / "clary")


def tell(clients: Clients) -> None:
    """The story, step by step."""
    from clary.cli.demo import story

    display = Display()
    names = story.Names.fresh()
    try:
        census = story.bring_data(clients, display)
        story.train(clients, display, names, census)
        story.clarify(clients, display, names, census)
        story.serve_census(clients, display, names, census)
        story.serve_text(clients, display, names)
    finally:
        story.tidy(clients, names)
    display.table()
    story.where_to_look(clients, names)
