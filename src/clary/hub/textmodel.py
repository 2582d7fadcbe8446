"""A finished text model: load its folder, ask it, answer a client in JumpStart's formats.

Imported by inference workers: it must stay light, so that an endpoint starts in well under a second.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clary.hub import messages
from clary.hub.messages import Answer, RequestError
from clary.hub.session import Array, TextSession, open_session

MANIFEST, GRAPH, TOKENIZER = "clary-model.json", "model.onnx", "tokenizer.json"
CLASSIFICATION, EMBEDDING = "text-classification", "text-embedding"
TASKS = (CLASSIFICATION, EMBEDDING)

__all__ = ["MANIFEST", "ModelError", "RequestError", "TextModel", "answer", "load"]


class ModelError(Exception):
    """A model folder that cannot be loaded; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class TextModel:
    """A loaded model. Its calls may come from several threads at once."""

    task: str
    """`text-classification` or `text-embedding`."""
    labels: tuple[str, ...]
    """The classes in the order of the probabilities; empty for embeddings."""
    manifest: dict[str, Any]
    """All of `clary-model.json`: licence, training data, metrics, ..."""
    session: TextSession

    def predict(self, texts: Sequence[str]) -> Array:
        """Class probabilities (texts, classes) or embeddings (texts, width), in the order of the texts."""
        return self.session.run(texts)


def load(folder: str | Path, threads: int | None = None) -> TextModel:
    """The model in a folder with `clary-model.json`, `model.onnx` and `tokenizer.json`.

    `threads`: cores for one request, None for all of the machine's. Raises ModelError.
    """
    folder = Path(folder)
    if missing := [name for name in (MANIFEST, GRAPH, TOKENIZER) if not (folder / name).is_file()]:
        raise ModelError(f"{folder} is not a text model: it has no {', '.join(missing)}")
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        task, labels = manifest["task"], tuple(manifest.get("labels", ()))
        max_length = int(manifest["max_length"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{folder / MANIFEST} is not a text model's description: {error!r}") from error
    if task not in TASKS:
        raise ModelError(f"{folder / MANIFEST} names the task {task!r}, not one of {', '.join(TASKS)}")
    try:
        session = open_session(folder / GRAPH, folder / TOKENIZER, max_length, threads)
    except Exception as error:  # the two libraries raise kinds of their own, tokenizers even a bare Exception
        raise ModelError(f"the graph or the tokenizer in {folder} cannot be read: {error}") from error
    width = session.graph.get_outputs()[0].shape[1]
    if task == CLASSIFICATION and width != len(labels):
        raise ModelError(
            f"{folder / MANIFEST} has {len(labels)} labels, the graph gives {width} probabilities"
        )
    return TextModel(task, labels, manifest, session)


def answer(model: TextModel, body: bytes, content_type: str | None, accept: str | None) -> tuple[bytes, str]:
    """A request's answer and its content type. Raises RequestError (its `status` is the HTTP status)."""
    kind = messages.accepted(accept)
    request = messages.read(body, content_type)
    make = _ANSWERS[model.task]
    answers = [make(model, [float(number) for number in row]) for row in model.predict(request.texts)]
    return messages.write(answers, request.single, kind), kind


def _classification(model: TextModel, probabilities: list[float]) -> Answer:
    predicted = model.labels[max(range(len(probabilities)), key=probabilities.__getitem__)]
    more = {"labels": list(model.labels), "predicted_label": predicted}
    return Answer({"probabilities": probabilities}, more, probabilities)


def _embedding(_model: TextModel, embedding: list[float]) -> Answer:
    return Answer({"embedding": embedding}, {}, embedding)


_ANSWERS = {CLASSIFICATION: _classification, EMBEDDING: _embedding}
