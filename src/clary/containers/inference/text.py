"""A hub text model, answered by the hub's engine."""

from __future__ import annotations

import os
from pathlib import Path

from clary.containers.inference.invocation import (
    Answer,
    CannotServe,
    ClientError,
    Invocation,
    Served,
    concurrency,
)


def serve(folder: Path) -> Served:
    from clary.hub import textmodel

    try:
        model = textmodel.load(folder, int(os.environ.get("OMP_NUM_THREADS", "1")))
    except textmodel.ModelError as error:
        raise CannotServe(str(error)) from error

    def answer(call: Invocation) -> Answer:
        try:
            body, content_type = textmodel.answer(
                model, call.body, call.headers.get("content-type"), call.accept or None
            )
        except textmodel.RequestError as error:
            raise ClientError(error.status, str(error)) from error
        return Answer(body, content_type)

    return Served(answer, f"text model for {model.task}", concurrency())
