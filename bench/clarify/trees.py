"""Exact SHAP read from trees beside shap's KernelExplainer on the same scores, one thread."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings

import numpy as np
import pandas as pd

from bench.clarify.shap_values import ONE_THREAD, Model, exact_values
from bench.clarify.talk import census
from bench.table import Row

ROWS, PEER_ROWS, JUDGED = 1000, 8, 2
WANTED = {1: 100, 100: 100}
"""How many times faster we want to be, by the number of baseline rows."""
CLOSE = 1e-5
"""Trees count in single precision."""


def measure() -> list[Row]:
    """In a process of its own: the number of threads is read when the libraries are loaded."""
    command = [sys.executable, "-m", "bench.clarify.trees"]
    done = subprocess.run(
        command, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=True
    )
    return [_row(*line.split("\t")) for line in done.stdout.splitlines()]


def _row(background: str, mine: str, theirs: str, mine_error: str, their_error: str) -> Row:
    times = WANTED[int(background)]
    good = float(theirs) >= times * float(mine) and float(mine_error) < CLOSE
    return Row(
        f"SHAP from trees, a row, baseline of {background}",
        float(mine),
        float(theirs),
        "shap.KernelExplainer, as it comes",
        "s CPU",
        f"{times} times faster (it is {float(theirs) / float(mine):,.0f}), error {float(mine_error):.1e} "
        f"at most {CLOSE:.0e} (theirs {float(their_error):.1e})",
        good,
    )


def main() -> None:
    import shap
    import xgboost

    from clary import clarify

    warnings.filterwarnings("ignore")
    table = census()
    features = table.drop(columns="Target").astype(float)
    label = pd.factorize(table["Target"])[0]
    trees = xgboost.XGBClassifier(n_estimators=100, max_depth=6, n_jobs=1).fit(features, label).get_booster()
    trees.feature_names = None

    def log_odds(rows: np.ndarray) -> np.ndarray:
        return np.asarray(trees.inplace_predict(rows, predict_type="margin"), dtype=float)

    model: Model = log_odds
    for count in WANTED:
        rng = np.random.default_rng(count)
        rows = features.iloc[rng.choice(len(features), ROWS, replace=False)].reset_index(drop=True)
        baseline = features.iloc[rng.choice(len(features), count, replace=False)].reset_index(drop=True)
        truth = np.array([exact_values(row, baseline.to_numpy(), model) for row in rows.to_numpy()[:JUDGED]])
        begin = time.process_time()
        settings = clarify.Shap(baseline=baseline)
        found = clarify.explain_trees(rows, trees, lambda f: log_odds(f.to_numpy(dtype=float)), settings)
        mine = (time.process_time() - begin) / ROWS
        peer = shap.KernelExplainer(lambda x: log_odds(np.asarray(x, dtype=float)), baseline.to_numpy())
        begin = time.process_time()
        values = peer.shap_values(rows.to_numpy()[:PEER_ROWS], silent=True)
        theirs = (time.process_time() - begin) / PEER_ROWS
        errors = [
            np.abs(v[:JUDGED] - truth).mean() / np.abs(truth).mean() for v in (found.values[:, :, 0], values)
        ]
        print(count, mine, theirs, *errors, sep="\t", flush=True)


if __name__ == "__main__":
    main()
