"""`clary coverage`: the operations that are built, from the dispatch table itself."""

from __future__ import annotations

import argparse

from clary.server import operations
from clary.wire import model


def run(options: argparse.Namespace) -> int:
    table = operations()
    print("# Operations that are built\n")
    print("Printed from the dispatch table by `make docs`. Any other operation answers 501 and its name.\n")
    for service in sorted({service for service, _ in table}):
        built = sorted(name for found, name in table if found == service)
        print(f"## {service}: {len(built)} of {len(model.operation_names(service))}\n")
        for name in built:
            print(f"- {name} (`{table[service, name].where.removeprefix('clary.')}`)")
        print()
    return 0
