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
from clary.clarify.shap.coalitions import Floats
from clary.containers.explainer import answers, pieces, records, shapley
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
    explanations: list[Any] = [None] * len(rows)
    chosen = [at for at, record in enumerate(answered.records) if _is_wanted(wanted, record)]
    outputs = None
    if chosen:
        own = answers.scores(answered, settings.inference)[chosen]
        outputs = own.shape[1]
        model = Model(served, asked, settings.inference, outputs, deadline, capacity)
        found = _explanations([rows[at] for at in chosen], own, call.content_type, model, settings)
        for at, explanation in zip(chosen, found, strict=True):
            explanations[at] = explanation
    names = answers.label_headers(answered, outputs, settings.inference)
    document = {
        "version": VERSION,
        "predictions": {"content_type": answer.content_type, "data": answer.body.decode("utf-8", "replace")},
        **({} if names is None else {"label_headers": names}),
        "explanations": {"kernel_shap": explanations} if chosen else {},
    }
    return Answer(json.dumps(document).encode(), records.JSON, answer.headers)


def _explanations(
    rows: Sequence[Sequence[Any]], own: Floats, content_type: str, model: Model, settings: Settings
) -> list[Any]:
    baseline = [records.alike(features, content_type) for features in settings.baseline]
    writer = records.writer(content_type, settings.form)
    cut = [pieces.record_of(row, writer, settings.text) for row in rows]
    try:
        found = shapley.values(cut, baseline, own, writer, settings, model.scores)
    except ClarifyError as error:
        raise ModelFault(str(error)) from error
    return [_explanation(record, values, settings) for record, values in zip(cut, found, strict=True)]


def _explanation(record: pieces.Record, values: Floats, settings: Settings) -> list[dict[str, Any]]:
    """One record's features as Clarify writes them."""
    features: list[dict[str, Any]] = []
    for f, units in enumerate(record.units):
        part = values[record.starts[f] : record.starts[f + 1]].tolist()
        attributions: list[dict[str, Any]] = [{"attribution": each} for each in part]
        for attribution, unit in zip(attributions, units or (), strict=False):
            attribution["description"] = {"partial_text": unit.text, "start_idx": unit.start}
        feature: dict[str, Any] = {"attributions": attributions}
        if settings.inference.feature_headers:
            feature["feature_header"] = settings.inference.feature_headers[f]
        if settings.text is not None:
            feature["feature_type"] = settings.text.types[f]
        features.append(feature)
    return features


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
