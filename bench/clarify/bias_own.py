"""What Clary takes for the same: `python -m bench.clarify.bias_own TASK FILE TIMES`, told as peers do."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.clarify.bias_peer import COUNTED, TEXTS, peak
from clary.clarify.data.sources import source_of
from clary.clarify.fairness.flips import flips
from clary.clarify.fairness.intervals import resampled
from clary.clarify.fairness.measure import Asked, stage_bias
from clary.clarify.fairness.metrics import POST_TRAINING, PRE_TRAINING, metrics_of, registry
from clary.clarify.fairness.streaming import tabulate_source
from clary.clarify.fairness.tabulation import Tabulation, Target, contrast_of, tabulate

Values = dict[str, Any]
SEX, AMOUNT = {"sex": ["Female"]}, {"amount": [30_000]}


def main() -> None:
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    task, file, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
    run = TASKS[task](file)
    taken = []
    for _ in range(times):
        begin = time.process_time()
        found = run()
        taken.append(time.process_time() - begin)
    memory = peak()
    print(json.dumps({"seconds": min(taken), "memory": memory, "values": found}))


def _measured(tabulation: Tabulation) -> Values:
    """The 20 metrics that counting gives, without intervals, of the first facet."""
    stages = [(PRE_TRAINING, "all"), (POST_TRAINING, COUNTED)]
    found = [stage_bias(tabulation, stage, Asked(methods, None)) for stage, methods in stages]
    return {m["name"]: m["value"] for f in found for m in next(iter(f.facets.values()))[0].metrics}


def parquet(file: str, facets: dict[str, list[Any]]) -> Callable[[], Values]:
    """From the file to the values: nothing is in memory when the clock starts."""
    return lambda: _measured(
        tabulate_source(source_of(Path(file)), facets, "income", [">50K"], "predicted", "team")
    )


def codes(file: str) -> Callable[[], Values]:
    """From columns of categories in memory."""
    data = pd.read_parquet(file, columns=TEXTS).astype("category")
    return lambda: _measured(tabulate(data, SEX, Target("income", [">50K"], "predicted"), "team"))


def bare_codes(file: str) -> Callable[[], Values]:
    """The least that touches every code: the largest one of each column."""
    data = pd.read_parquet(file, columns=TEXTS).astype("category")
    columns = [data[name].array.codes for name in TEXTS]
    return lambda: {name: int(c.max()) for name, c in zip(TEXTS, columns, strict=True)}


def bare_parquet(file: str) -> Callable[[], Values]:
    """The columns read, and nothing done with them."""

    def run() -> Values:
        reader = pq.ParquetFile(file, read_dictionary=TEXTS)
        rows = sum(b.num_rows for b in reader.iter_batches(1 << 17, columns=TEXTS, use_threads=False))
        return {"rows": rows}

    return run


def intervals(file: str) -> Callable[[], Values]:
    """1,000 replicates of all 20 metrics, from the cells of the file."""
    tabulation = tabulate_source(source_of(Path(file)), SEX, "income", [">50K"], "predicted", "team")
    flags = tabulation.facets["sex"][0].flags
    contrast = contrast_of(tabulation, [(0, flags)], tabulation.positive.flags, tabulation.hat)
    metrics = [*metrics_of(PRE_TRAINING), *metrics_of(POST_TRAINING, COUNTED)]

    def run() -> Values:
        replicates = resampled(contrast, 1000, np.random.default_rng(0))
        return {m.name: float(np.std(registry.values(m, replicates))) for m in metrics}

    return run


def flip_test(file: str) -> Callable[[], Values]:
    data = pd.read_parquet(file)
    sensitive, predicted = (data.pop(name).to_numpy() for name in ("sensitive", "predicted"))

    def run() -> Values:
        lost, _, gained = flips(data, sensitive, predicted)
        return {"FT": (lost - gained) / sensitive.sum()}

    return run


TASKS: dict[str, Callable[[str], Callable[[], Values]]] = {
    "parquet": lambda file: parquet(file, SEX),
    "threshold": lambda file: parquet(file, AMOUNT),
    "two facets": lambda file: parquet(file, SEX | AMOUNT),
    "codes": codes,
    "bare codes": bare_codes,
    "bare parquet": bare_parquet,
    "intervals": intervals,
    "flip test": flip_test,
}

if __name__ == "__main__":
    main()
