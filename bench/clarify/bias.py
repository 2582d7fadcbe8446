"""Bias metrics beside smclarify, AIF360 and Fairlearn: CPU seconds of one thread and peak memory, in one run.

Each measurement runs in a process of its own, Clary's before and after its peer's. Values are compared too.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from bench.table import Row
from clary.hub import datasets, packages

ROOT = Path(__file__).parents[2]
PEER = Path(__file__).with_name("bias_peer.py")
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
SIZES = {"100k": 100_000, "1M": 1_000_000, "10M": 10_000_000}


@dataclass(frozen=True)
class Taken:
    """What one process took: for the work, for its whole life, and at most of memory."""

    seconds: float
    process: float
    memory: float
    values: dict[str, Any]


def measure() -> list[Row]:
    with TemporaryDirectory() as folder:
        files = {name: _people(Path(folder) / f"{name}.parquet", rows) for name, rows in SIZES.items()}
        rows = [*_counting(files), *_thresholds(files), *_intervals(files), *_others(files)]
        return [*rows, *_flip_tests(Path(folder))]


def _people(file: Path, rows: int) -> Path:
    """A facet, a label, predictions, a group of seven and two numbers, all as pandas writes them."""
    rng = np.random.default_rng(7)
    men = rng.random(rows) < 0.67
    income = rng.random(rows) < np.where(men, 0.31, 0.11)
    data = pd.DataFrame(
        {
            "sex": np.where(men, "Male", "Female"),
            "income": np.where(income, ">50K", "<=50K"),
            "predicted": np.where(income ^ (rng.random(rows) < 0.15), ">50K", "<=50K"),
            "team": rng.choice([f"team {i}" for i in range(7)], rows),
            "amount": rng.gamma(2.0, 20_000.0, rows),
        }
    )
    data.to_parquet(file, index=False)
    return file


def _own(task: str, file: Path, times: int) -> Taken:
    return _run([sys.executable, "-m", "bench.clarify.bias_own"], task, file, times)


def _peer(task: str, file: Path, times: int) -> Taken:
    return _run(
        [str(ROOT / ".venvs" / task.split(maxsplit=1)[0] / "bin" / "python"), str(PEER)], task, file, times
    )


def _run(command: list[str], task: str, file: Path, times: int) -> Taken:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, task, str(file), str(times)],
        cwd=ROOT,
        env={**os.environ, **ONE_THREAD},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(process=process, **json.loads(done.stdout.splitlines()[-1]))


def _around(own: str, peer: str, file: Path, times: int) -> tuple[Taken, Taken]:
    """Clary before and after its peer, and the least that each takes: others on the machine add to it."""
    first, theirs, second = _own(own, file, 7), _peer(peer, file, times), _own(own, file, 7)
    return min(first, second, key=lambda taken: taken.seconds), theirs


def _faster(what: str, ours: float, theirs: float, peer: str, times: float, same: bool = True) -> Row:
    wanted = f"{times:,.0f} times faster (it is {theirs / ours:,.0f})" + ("" if same else "; values differ!")
    return Row(what, ours, theirs, peer, "s CPU", wanted, same and theirs >= times * ours)


def _same(ours: Taken, theirs: Taken) -> bool:
    pairs = [(float(v), float(ours.values[name])) for name, v in theirs.values.items()]
    return all(abs(a - b) <= 1e-12 for a, b in pairs)


def _counting(files: dict[str, Path]) -> list[Row]:
    rows = []
    for size, wanted in (("1M", 150), ("10M", 250)):
        file = files[size]
        ours, theirs = _around("parquet", "smclarify", file, 2 if size == "10M" else 5)
        codes, bare, read = (_own(task, file, 7) for task in ("codes", "bare codes", "bare parquet"))
        rows += [
            _faster(f"20 metrics, {size} rows, Parquet to values", ours.seconds, theirs.seconds,
                    "smclarify, data in memory", wanted, _same(ours, theirs)),
            _faster(f"20 metrics, {size} rows, codes in memory", codes.seconds, theirs.seconds,
                    "smclarify, data in memory", 1000, _same(codes, theirs)),
            Row(f"the same from Parquet, {size} rows", ours.seconds, read.seconds,
                "reading the columns alone", "s CPU", "at most 4", ours.seconds <= 4 * read.seconds),
            Row(f"the same in memory, {size} rows", codes.seconds, bare.seconds,
                "the largest code of each column", "s CPU", "4, if it could be", None),
            Row(f"memory at most, {size} rows", ours.memory, theirs.memory, "smclarify", "MB",
                "under 1,000 MB", ours.memory < 1000),
        ]  # fmt: skip
        if size == "1M":
            once, whole = _own("parquet", file, 1), _peer("smclarify", file, 1)
            rows.append(_faster("a whole process, 1M rows", once.process, whole.process, "smclarify", 5))
    return rows


def _thresholds(files: dict[str, Path]) -> list[Row]:
    ours, theirs = _around("threshold", "smclarify threshold", files["100k"], 1)
    what = "20 metrics, 100k rows, facet by a threshold"
    rows = [_faster(what, ours.seconds, theirs.seconds, "smclarify", 500, _same(ours, theirs))]
    one, two = (_own(task, files["10M"], 5) for task in ("parquet", "two facets"))
    return [
        *rows,
        Row("two facets in one scan, 10M rows", two.seconds, one.seconds, "Clary, one facet", "s CPU",
            "at most 2", two.seconds <= 2 * one.seconds),
    ]  # fmt: skip


def _intervals(files: dict[str, Path]) -> list[Row]:
    rows = []
    for size in ("100k", "10M"):
        ours = _own("intervals", files[size], 5)
        what = f"1,000 replicates of 20 metrics, {size} rows"
        rows.append(
            Row(what, ours.seconds, 0.1, "a tenth of a second", "s CPU", "at most 1", ours.seconds < 0.1)
        )
    theirs = _peer("fairlearn replicates", files["100k"], 1)
    each, their_each = ours.seconds / 20_000, theirs.seconds / 20
    return [*rows, _faster("one replicate of one metric, 100k rows", each, their_each, "Fairlearn", 1000)]


def _others(files: dict[str, Path]) -> list[Row]:
    rows = []
    for task, name, size in (
        ("aif360", "AIF360, 19 metrics", "1M"),
        ("fairlearn", "Fairlearn, 10 metrics", "100k"),
    ):
        ours, theirs = _around("parquet", task, files[size], 1)
        rows.append(
            _faster(f"20 metrics, {size} rows, Parquet to values", ours.seconds, theirs.seconds, name, 20)
        )
    return rows


def _flip_tests(folder: Path) -> list[Row]:
    rows = []
    for what, data in _flipped().items():
        file = folder / "flips.parquet"
        data.to_parquet(file, index=False)
        ours, theirs = _around("flip test", "smclarify flip test", file, 2)
        rows.append(
            _faster(f"flip test, {what}", ours.seconds, theirs.seconds, "smclarify", 10, _same(ours, theirs))
        )
    return rows


def _flipped() -> dict[str, pd.DataFrame]:
    """Rows with predictions that follow the features: random ones, and the census's numbers."""
    rng = np.random.default_rng(3)
    points = rng.normal(size=(100_000, 8)) * [100, 30, 10, 3, 1, 1, 1, 1]
    random = pd.DataFrame(points, columns=[f"x{i}" for i in range(8)])
    random["predicted"] = points[:, 0] + rng.normal(0, 60, len(points)) > 0
    random["sensitive"] = rng.random(len(points)) < 0.33
    census = pd.read_csv(datasets.adult(packages.default_cache()))
    numbers = census.select_dtypes("number").copy()
    chance = (
        0.04 * (census["Age"] - 40) + 0.4 * (census["Education-Num"] - 11) + rng.normal(0, 1, len(census))
    )
    numbers["predicted"] = chance > 1
    numbers["sensitive"] = census["Sex"] == "Female"
    return {"100k rows, 8 features": random, "the census, 6 features": numbers}
