"""A Clary whose every process is watched, a small real table, and the scripts of both SDK generations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_diabetes, load_digits

from clary.hub import catalogue, datasets, packages
from quarters import quarters, records
from running import Clary, free_port
from sdk.script import SCRIPTS, Script, by_env, by_run, environment, python
from sdk.watching import watch

WAYS = {
    "v2_sklearn": by_run,
    "v2_xgboost": by_run,
    "v2_explained": by_run,
    "v2_clarify": by_run,
    "v2_series": by_run,
    "v2_images": by_run,
    "v2_monitor": by_run,
    "v2_text": by_run,
    "v2_processing": by_env,
    "v2_refused": by_run,
    "v3_train": by_run,
    "v3_deploy": by_run,
    "v3_processing": by_env,
}
"""Every script, and how its user tells it where Clary is."""
DIGITS = 4
"""Images that are explained: handwritten digits, as scikit-learn has them, eight times as large."""


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clary]:
    """The server, its jobs and workers under strace; with room for the jobs of all scripts at once."""
    folder = tmp_path_factory.mktemp("watched")
    server = Clary(folder / "home", free_port(), ("--cpus", "8"), watch(folder / "strace.txt"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Diabetes (442 people), as scikit-learn has it: does it get worse by more than the median in a year?
    And unemployment by quarters."""
    frame = load_diabetes(as_frame=True, scaled=False).frame.astype({"age": int, "sex": int})
    frame["target"] = (frame["target"] > 140).astype(int)
    folder = tmp_path_factory.mktemp("tables")
    frame.to_csv(folder / "train.csv", index=False)
    frame.head(100).to_csv(folder / "explained.csv", index=False)
    quarters().to_csv(folder / "quarters.csv", index=False)
    (folder / "turns.json").write_text(json.dumps(records()))
    label_first = ["target", *frame.columns.drop("target")]
    frame[label_first].to_csv(folder / "label-first.csv", index=False, header=False)
    (folder / "digits").mkdir()
    for number, digit in enumerate(load_digits().images[:DIGITS]):
        large = np.kron(255 - 15 * digit, np.ones((8, 8))).astype(np.uint8)
        Image.fromarray(large).save(folder / "digits" / f"digit-{number}.png")
    _reviews(folder)
    return folder


def _reviews(folder: Path) -> None:
    """Real reviews, one with a dollar, one with a line break added, and the hub's model that reads them."""
    rated = [review.text for review in datasets.amazon_reviews(packages.default_cache())]
    chosen = [text for text in rated if '" $ 39."' in text or text == "very easy to use."]
    chosen.append('I love this banana slicer!\nit broke after "two" days, a waste of $record money.')
    reviews = pd.DataFrame({"text": [*chosen, ""]})
    reviews.to_csv(folder / "reviews.csv", index=False)
    reviews.to_json(folder / "reviews.jsonl", orient="records", lines=True)
    archive = catalogue.materialise("clary-tc-minilm-l6-v2-amazon-reviews")
    (folder / "text-model.tar.gz").symlink_to(archive)


@pytest.fixture(scope="session")
def scripts(
    watched: Clary, tables: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Script]]:
    """All scripts, started together: they spend their time asleep between two looks at a job."""
    started = {}
    for name, way in WAYS.items():
        folder = tmp_path_factory.mktemp(name)
        arguments = [str(SCRIPTS / f"{name}.py"), str(tables), str(SCRIPTS / "source")]
        command = way(watched, [python(name), *arguments])
        started[name] = Script.start(command, environment(watched, folder), folder)
    yield started
    for script in started.values():
        script.process.kill()
        script.process.wait()
