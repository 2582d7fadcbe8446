"""`python -m bench [NAME ...]`: runs the measurements and prints their table; status 1 where one fails."""

from __future__ import annotations

import sys

from bench import invoke, job_start, listing, startup
from bench.clarify import bias, endpoint, online, shap_values, talk, text, trees
from bench.table import Row, machine, markdown

MEASUREMENTS = {
    "job_start": job_start.measure,
    "startup": startup.measure,
    "invoke": invoke.measure,
    "listing": listing.measure,
    "talk": talk.measure,
    "bias": bias.measure,
    "shap_values": shap_values.measure,
    "trees": trees.measure,
    "text": text.measure,
    "online": online.measure,
    "endpoint": endpoint.measure,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(
            f"There is no measurement {unknown[0]!r}; there are {', '.join(MEASUREMENTS)}.", file=sys.stderr
        )
        return 2
    rows: list[Row] = []
    for name in names or MEASUREMENTS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        rows += MEASUREMENTS[name]()
    print(f"{machine()}\n\n{markdown(rows)}")
    return 0 if all(row.good is not False for row in rows) else 1


sys.exit(main(sys.argv[1:]))
