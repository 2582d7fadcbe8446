"""Every operation that is built, under requests that break its model in every way that the model knows."""

from __future__ import annotations

import random
import re
import time
from typing import Any
from urllib.parse import quote

import pytest
from botocore.serialize import create_serializer

from clary.server import operations
from clary.wire import model
from gateway.requests_of_models import Maker, Wrong, as_json
from gateway.signed import Answer, Wire

SEED = 20261124
LONGEST_SECONDS = 5.0
MOST = 400
BUILT = sorted(operations())
JSON = [(s, o) for s, o in BUILT if s in ("sagemaker", "logs")]
OTHERS = [(s, o) for s, o in BUILT if s not in ("sagemaker", "logs")]


@pytest.fixture(scope="module")
def wire(clary: Any) -> Wire:
    return Wire(clary)


def _asked(wire: Wire, service: str, operation: Any, params: Any) -> Answer | None:
    """The answer to a request as botocore writes it, unchecked; None where it cannot be written."""
    if service in ("sagemaker", "logs"):
        target = f"{operation.service_model.metadata['targetPrefix']}.{operation.name}"
        return wire.json(service, target, as_json(params))
    protocol = operation.service_model.metadata["protocol"]
    try:
        made = create_serializer(protocol, include_validation=False).serialize_to_request(params, operation)
    except Exception:
        return None
    body = made["body"]
    if isinstance(body, dict):
        body = "&".join(f"{quote(str(k))}={quote(str(v))}" for k, v in body.items())
    query = made["query_string"]
    pairs = query.items() if isinstance(query, dict) else query
    path = made["url_path"] + (
        "?" * ("?" not in made["url_path"]) + "&".join(f"{quote(str(k))}={quote(str(v))}" for k, v in pairs)
        if pairs
        else ""
    )
    headers = {k: str(v) for k, v in made["headers"].items() if k != "Content-Length"}
    writable = all(
        re.fullmatch(r"[!#-'*+.^`|~\w-]+: [ -~]*", f"{k}: {v}", re.ASCII) for k, v in headers.items()
    )
    if not writable or not isinstance(body, str | bytes) or not re.fullmatch(r"[!-~]+", path):
        return None
    return wire.signed(service, made["method"], path, body, headers)


def _check(asked: tuple[str, Any], answer: Answer, seconds: float, field: str | None) -> None:
    """An answer, or an error that a client of the protocol can read and that names the field."""
    operation = asked[1]
    protocol = operation.service_model.metadata["protocol"]
    assert seconds < LONGEST_SECONDS, (operation.name, seconds)
    assert answer.status < 500 or answer.headers["x-amzn-errortype"] == "NotImplemented", answer.text
    if answer.status < 400 or operation.http["method"] == "HEAD":
        return
    error = answer.read_as(protocol, operation.output_shape)["Error"]
    assert re.fullmatch(r"[A-Z][A-Za-z0-9.]+", error["Code"]), (operation.name, answer.text)
    assert 0 < len(error["Message"]) < 10_000, (operation.name, error)
    if field is not None:
        assert field.lower() in error["Message"].lower(), (operation.name, field, error)


def _tried(wire: Wire, service: str, operation: Any, params: Any, wrong: Wrong | None) -> bool:
    start = time.monotonic()
    answer = _asked(wire, service, operation, params)
    if answer is None:
        return False
    strict = wrong is not None and service in ("sagemaker", "logs")
    if strict:
        assert answer.status == 400, (operation.name, wrong, answer.text)
    seconds = time.monotonic() - start
    _check((service, operation), answer, seconds, wrong.field if strict and wrong else None)
    return True


@pytest.mark.parametrize(("service", "name"), BUILT, ids=[f"{s}:{n}" for s, n in BUILT])
def test_one_thing_wrong(wire: Wire, service: str, name: str) -> None:
    operation = model.operation(service, name)
    assert operation is not None
    maker, shape = Maker(SEED), operation.input_shape
    if shape is None:
        return
    tried = 0
    for some in (0.0, 0.1, 0.3, 0.5, 1.0):
        params = maker.structure(shape, some)
        tried += _tried(wire, service, operation, params, None)
        wrongs = list(maker.wrong(shape, params))
        for wrong in random.Random(SEED).sample(wrongs, min(len(wrongs), MOST)):
            tried += _tried(wire, service, operation, wrong.params, wrong)
    assert tried or service == "s3"
