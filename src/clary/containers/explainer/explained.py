"""One call of an explained model: predictions as the model gives them, and what each feature adds to them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jmespath

from clary.clarify import ClarifyError
from clary.clarify.coalitions import Floats
from clary.containers.explainer import answers, records, shapley
from clary.containers.explainer.answers import Answered
from clary.containers.explainer.asking import Capacity, Model
from clary.containers.explainer.settings import Settings
from clary.containers.explainer.settings import load as load_settings
from clary.containers.inference.invocation import (
    Answer,
    ClientError,
    Invocation,
    ModelFault,
    Served,
    media_type,
    unsupported,
)

HEADER = "x-amzn-sagemaker-enable-explanations"
VERSION = "1.0"
PART_OF_TIMEOUT = 0.9
"""Of the seconds after which the worker counts as hung: then the explainer gives up by itself."""


def load(root: Path, served: Served, timeout: float) -> Served:
    """The model with the explainer that is configured below `root` before it."""
    settings = load_settings(root)
    capacity = Capacity(settings.inference)

    def answer(call: Invocation) -> Answer:
        deadline = time.monotonic() + PART_OF_TIMEOUT * timeout
        return explain(served, call, settings, capacity, deadline)

    return Served(answer, f"{served.what}, explained", served.threads)


def explain(
    served: Served, call: Invocation, settings: Settings, capacity: Capacity, deadline: float
) -> Answer:
    wanted = _filter(call.headers.get(HEADER) or settings.enable)
    rows = _rows(call, settings)
    asked = replace(call, accept=_accept(call))
    answer = served.answer(asked)
    answered = answers.read(answer, len(rows), settings.inference)
    chosen = [at for at, record in enumerate(answered.records) if _is_wanted(wanted, record)]
    found = None
    if chosen:
        own = answers.scores(answered, settings.inference)[chosen]
        model = Model(served, asked, settings.inference, own.shape[1], deadline, capacity)
        found = _values([rows[at] for at in chosen], own, call.content_type, model, settings)
    outputs = None if found is None else found.shape[2]
    document = {
        "version": VERSION,
        "predictions": {"content_type": answer.content_type, "data": answer.body.decode("utf-8", "replace")},
        **_label_headers(answered, outputs, settings),
        "explanations": {}
        if found is None
        else {"kernel_shap": _explanations(len(rows), chosen, found, settings)},
    }
    return Answer(json.dumps(document).encode(), records.JSON, answer.headers)


def _values(
    rows: Sequence[Sequence[Any]], own: Floats, content_type: str, model: Model, settings: Settings
) -> Floats:
    baseline = [records.alike(features, content_type) for features in settings.baseline]
    writer = records.writer(content_type, settings.form)
    try:
        return shapley.values(rows, baseline, own, writer, settings, model.scores)
    except ClarifyError as error:
        raise ModelFault(str(error)) from error


def _rows(call: Invocation, settings: Settings) -> list[list[Any]]:
    if call.content_type not in records.READ:
        raise unsupported(call.content_type, records.READ)
    rows, width = records.read(call.text, call.content_type, settings.form), len(settings.baseline[0])
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            raise ClientError(
                400,
                f"Record {number} has {len(row)} features, a record of the SHAP baseline has {width}: "
                "send the features only, as the baseline has them",
            )
    return rows


def _accept(call: Invocation) -> str:
    """The model answers in its input's type where the caller names none, or the explainer's own."""
    if media_type(call.accept) in ("", "*/*", records.JSON):
        return os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", call.content_type)
    return call.accept


def _filter(expression: str) -> Any:
    try:
        return jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        raise ClientError(400, f"EnableExplanations {expression!r} is not a JMESPath: {error}") from error


def _is_wanted(expression: Any, record: Any) -> bool:
    try:
        found = expression.search(record)
    except jmespath.exceptions.JMESPathError as error:
        raise _unexpected(expression, record, str(error)) from error
    if not isinstance(found, bool):
        raise _unexpected(expression, record, f"it is {json.dumps(found)[:80]}")
    return found


def _unexpected(expression: Any, record: Any, why: str) -> ClientError:
    return ClientError(
        400,
        f"EnableExplanations {expression.expression!r} is not true or false of what the model answers, "
        f"{json.dumps(record)[:200]}: {why}",
    )


def _label_headers(answered: Answered, outputs: int | None, settings: Settings) -> dict[str, Any]:
    names = answers.label_headers(answered, outputs, settings.inference)
    return {} if names is None else {"label_headers": names}


def _explanations(rows: int, chosen: Sequence[int], found: Floats, settings: Settings) -> list[Any]:
    explanations: list[Any] = [None] * rows
    names = settings.inference.feature_headers
    for at, values in zip(chosen, found.tolist(), strict=True):
        features: list[dict[str, Any]] = [{"attributions": [{"attribution": each}]} for each in values]
        for feature, name in zip(features, names, strict=False):
            feature["feature_header"] = name
        explanations[at] = features
    return explanations
