"""Kernel SHAP beside shap's KernelExplainer: CPU seconds of one thread, at no larger error than its own.

The error is mean |phi - exact| / mean |exact|, exact being all coalitions; medians over seeds and models.
"""

from __future__ import annotations

import itertools
import math
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench.clarify.talk import census
from bench.table import Row

SEEDS = 5
FEW, MANY = 1, 100
ROWS = {FEW: 200, MANY: 20}
JUDGED = {FEW: 30, MANY: 2}
"""Rows whose exact values are found to judge the error."""
PEERS: dict[int, list[tuple[str, Any, int, int | None]]] = {
    FEW: [("l1_reg=False", False, 4, None), ("as it comes", "num_features(10)", 4, None)],
    MANY: [("l1_reg=False", False, 8, 900), ("as it comes", "num_features(10)", 20, 360)],
}
"""Name, l1_reg, how many times faster we want to be, and our num_samples (None: the same as theirs)."""
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}

Model = Callable[[Any], Any]


def measure() -> list[Row]:
    """In a process of its own: the number of threads is read when the libraries are loaded."""
    command = [sys.executable, "-m", "bench.clarify.shap_values"]
    done = subprocess.run(
        command, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=True
    )
    return [_row(*line.split("\t")) for line in done.stdout.splitlines()]


def _row(what: str, mine: str, theirs: str, name: str, times: str, errors: str) -> Row:
    faster = float(theirs) / float(mine)
    mine_error, their_error = map(float, errors.split("/"))
    good = faster >= float(times) and mine_error <= their_error
    wanted = f"{times} times faster, error {mine_error:.4f} at most {their_error:.4f}"
    return Row(what, float(mine), float(theirs), name, "s CPU", wanted, good)


@dataclass(frozen=True)
class Case:
    rows: pd.DataFrame
    baseline: pd.DataFrame
    exact: Any
    model: Model
    seed: int

    def error(self, values: Any) -> float:
        found = np.asarray(values)[: len(self.exact)]
        return float(np.abs(found - self.exact).mean() / np.abs(self.exact).mean())


def main() -> None:
    warnings.filterwarnings("ignore")
    for background, peers in PEERS.items():
        cases = list(_cases(background))
        for name, l1_reg, times, samples in peers:
            pairs = [(_ours(case, samples), _theirs(case, l1_reg)) for case in cases]
            mine, theirs = (statistics.median(pair[i][0] for pair in pairs) for i in (0, 1))
            errors = [statistics.median(pair[i][1] for pair in pairs) for i in (0, 1)]
            what = f"Kernel SHAP, {ROWS[background]} rows, baseline of {background}"
            peer = f"shap.KernelExplainer, {name}"
            print(what, mine, theirs, peer, times, f"{errors[0]}/{errors[1]}", sep="\t", flush=True)


def _ours(case: Case, samples: int | None) -> tuple[float, float]:
    from clary import clarify

    settings = clarify.Shap(baseline=case.baseline, num_samples=samples, seed=case.seed)
    begin = time.process_time()
    found = clarify.explain(case.rows, lambda f: case.model(f.to_numpy(dtype=float)), settings)
    return time.process_time() - begin, case.error(found.values[:, :, 0])


def _theirs(case: Case, l1_reg: Any) -> tuple[float, float]:
    import shap

    np.random.seed(case.seed)
    explainer = shap.KernelExplainer(
        lambda rows: case.model(np.asarray(rows, dtype=float)), case.baseline.to_numpy()
    )
    begin = time.process_time()
    found = explainer.shap_values(case.rows.to_numpy(), l1_reg=l1_reg, silent=True)
    return time.process_time() - begin, case.error(found)


def _cases(background: int) -> Iterator[Case]:
    table = census()
    features = table.drop(columns="Target").astype(float)
    label = pd.factorize(table["Target"])[0]
    models = _models(features.to_numpy(), label)
    for seed, model in itertools.product(range(SEEDS), models):
        rng = np.random.default_rng(seed)
        rows = features.iloc[rng.choice(len(features), ROWS[background], replace=False)]
        baseline = features.iloc[rng.choice(len(features), background, replace=False)]
        some = rows.to_numpy()[: JUDGED[background]]
        exact = np.array([exact_values(row, baseline.to_numpy(), model) for row in some])
        yield Case(rows.reset_index(drop=True), baseline.reset_index(drop=True), exact, model, seed)


def _models(rows: Any, label: Any) -> list[Model]:
    import xgboost
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    booster = xgboost.XGBClassifier(n_estimators=100, max_depth=6, n_jobs=1).fit(rows, label).get_booster()
    forest = HistGradientBoostingClassifier(max_iter=100, random_state=0).fit(rows, label)
    curved = make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression(max_iter=200))
    curved.fit(rows, label)
    return [
        booster.inplace_predict,
        lambda some: forest.predict_proba(some)[:, 1],
        lambda some: curved.predict_proba(some)[:, 1],
    ]


def exact_values(row: Any, baseline: Any, model: Model) -> Any:
    return np.mean([_against(row, other, model) for other in baseline], axis=0)


def _against(row: Any, other: Any, model: Model) -> Any:
    """Shapley's formula over all coalitions of the features that differ."""
    varying = np.flatnonzero(row != other)
    m = len(varying)
    chosen = ((np.arange(2**m)[:, None] >> np.arange(m)) & 1).astype(bool)
    mixed = np.repeat(other[None], 2**m, axis=0)
    mixed[:, varying] = np.where(chosen, row[varying], other[varying])
    scores = np.asarray(model(mixed), dtype=float)
    sizes = chosen.sum(axis=1)
    weights = np.array([math.factorial(s) * math.factorial(m - 1 - s) / math.factorial(m) for s in range(m)])
    values = np.zeros(len(row))
    for j in range(m):
        without = np.flatnonzero(~chosen[:, j])
        values[varying[j]] = weights[sizes[without]] @ (scores[without | (1 << j)] - scores[without])
    return values


if __name__ == "__main__":
    main()
