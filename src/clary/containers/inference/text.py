"""A hub text model, answered by the hub's engine."""

from __future__ import annotations

from pathlib import Path

from clary.containers.inference.invocation import Answer, ClientError, Invocation, Served


def serve(folder: Path) -> Served:
    from clary.hub import textmodel

    model = textmodel.load(folder)

    def answer(call: Invocation) -> Answer:
        try:
            body, content_type = textmodel.answer(
                model, call.body, call.headers.get("content-type", ""), call.accept
            )
        except ValueError as error:
            raise ClientError(400, str(error)) from error
        return Answer(body, content_type)

    return Served(answer, "hub text model")
