"""Text explanations beside shap's PartitionExplainer: CPU seconds of one thread, as many evaluations."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.table import Row

DOCUMENTS, TOKENS, EVALUATIONS = 20, 30, 500
MASK = "..."
"""shap's own replacement for a word: both sides have the model read the same texts."""
TIMES = 10
BATCHES = (None, EVALUATIONS)
"""Rows that shap gives to the model at once: as it comes, and all that there are."""
REPEATS = 5
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


def measure() -> list[Row]:
    """In a process of its own: the number of threads is read when the libraries are loaded."""
    command = [sys.executable, "-m", "bench.clarify.text"]
    done = subprocess.run(
        command, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=True
    )
    found = {name: list(map(float, numbers)) for name, *numbers in _lines(done.stdout)}
    what = f"Text, {DOCUMENTS} reviews of {TOKENS} words, TF-IDF and logistic regression"
    rows = [_row(what, found, batch) for batch in BATCHES]
    share = Row("of which the model", found["clary"][1], found[str(None)][1], "its model", "s CPU", "", None)
    return [*rows, share]


def _row(what: str, found: dict[str, list[float]], batch: int | None) -> Row:
    """The peer as it comes is judged; with batches that its user must think of, it is told."""
    mine, _, asked = found["clary"]
    theirs, _, their_asked = found[str(batch)]
    wanted = f"{asked:,.0f} evaluations to {their_asked:,.0f}"
    if batch is not None:
        return Row(what, mine, theirs, f"shap.PartitionExplainer, batches of {batch}", "s CPU", wanted, None)
    good = theirs >= TIMES * mine and asked >= their_asked
    name = "shap.PartitionExplainer, as it comes"
    return Row(what, mine, theirs, name, "s CPU", f"{TIMES} times faster, {wanted}", good)


def _lines(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


class Counted:
    """The model with what it costs."""

    def __init__(self, model: Callable[[Sequence[str]], Any]) -> None:
        self.model, self.rows, self.seconds = model, 0, 0.0

    def __call__(self, texts: Sequence[str]) -> Any:
        begin = time.process_time()
        found = self.model(texts)
        self.seconds += time.process_time() - begin
        self.rows += len(texts)
        return found


def main() -> None:
    warnings.filterwarnings("ignore")
    texts, model = _reviews()
    sides = {"clary": _ours, **{str(batch): partial(_theirs, batch) for batch in BATCHES}}
    for explain in sides.values():
        explain(texts[:1], Counted(model))  # what is compiled or loaded at the first call is no one's time
    runs: dict[str, list[tuple[float, float, int]]] = {name: [] for name in sides}
    for _ in range(REPEATS):
        for name, explain in sides.items():
            counted = Counted(model)
            begin = time.process_time()
            explain(texts, counted)
            runs[name].append((time.process_time() - begin, counted.seconds, counted.rows))
    for name, measured in runs.items():
        total, seconds, rows = (statistics.median(run[i] for run in measured) for i in range(3))
        print(name, total, seconds, rows, sep="\t", flush=True)


def _ours(texts: list[str], model: Counted) -> None:
    from clary import clarify

    tokens = clarify.TextConfig("token", "english")
    settings = clarify.Shap(baseline=[[MASK]], text_config=tokens, num_samples=EVALUATIONS, seed=0)
    clarify.explain_text(pd.DataFrame({"text": texts}), lambda f: model(f["text"].tolist()), settings)


def _theirs(batch: int | None, texts: list[str], model: Counted) -> None:
    import shap

    masker = shap.maskers.Text(r"\W+", mask_token=MASK, collapse_mask_token=False)
    explainer = shap.PartitionExplainer(model, masker)
    explainer(texts, max_evals=EVALUATIONS, batch_size="auto" if batch is None else batch, silent=True)


def _reviews() -> tuple[list[str], Callable[[Sequence[str]], Any]]:
    """Reviews of `TOKENS` words without punctuation, so that both sides have the same players."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from clary.hub import datasets, packages

    rated = datasets.amazon_reviews(Path(packages.default_cache()))
    reader = make_pipeline(TfidfVectorizer(), LogisticRegression())
    reader.fit([review.text for review in rated], [review.rating > 0 for review in rated])
    words = [re.findall(r"[a-z]+", review.text) for review in rated]
    long = [" ".join(some[:TOKENS]) for some in words if len(some) >= TOKENS]
    return long[:DOCUMENTS], lambda texts: np.asarray(reader.predict_proba(list(texts)))[:, 1]


if __name__ == "__main__":
    main()
