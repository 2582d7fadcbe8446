"""An HTTP request as the wire sees it, and which service and operation it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from clary.wire import model
from clary.wire.errors import AwsError, not_built


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    """Raw, still percent-encoded, as received."""
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    """Lower-case names; repeated headers joined by a comma."""


@dataclass(frozen=True, slots=True)
class Matched:
    service: str
    operation: model.OperationModel
    uri: Mapping[str, str] = field(default_factory=dict)


def service_of(request: Request, scope: str | None) -> str:
    """botocore's name of the service: by X-Amz-Target, else the signature's scope, else by path.

    `scope` is the service in the credential scope. sagemaker-runtime signs as sagemaker.
    """
    target = request.headers.get("x-amz-target")
    if target:
        prefix = target.partition(".")[0]
        return model.TARGET_PREFIXES.get(prefix, scope or prefix)
    if scope == "sagemaker" or (scope is None and request.path.startswith("/endpoints/")):
        return "sagemaker-runtime"
    if scope is not None:
        return scope
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return "sts" if form and request.path == "/" else "s3"


def match(service: str, request: Request, form: Mapping[str, str]) -> Matched:
    """The operation that a request means; AwsError where there is none of that name."""
    known = model.service(service)
    if known is None:
        raise not_built(service, request.headers.get("x-amz-target", request.method).rpartition(".")[2])
    protocol = known.metadata["protocol"]
    if protocol.startswith("rest"):
        return _match_rest(service, request)
    if protocol == "json" or "x-amz-target" in request.headers:
        name = request.headers.get("x-amz-target", "").rpartition(".")[2]
    else:
        name = form.get("Action", "")
    found = model.operation(service, name)
    if found is None:
        code = "InvalidAction" if protocol == "query" else "UnknownOperationException"
        raise AwsError(code, f"{service} has no operation {name!r}. Send it as X-Amz-Target or Action.")
    return Matched(service, found)


def _match_rest(service: str, request: Request) -> Matched:
    names = dict(request.query)
    for rule in model.rest_rules(service):
        if rule.method != request.method or not all(h in request.headers for h in rule.headers):
            continue
        if not all(n in names and v in (None, names[n]) for n, v in rule.query):
            continue
        found = rule.path.fullmatch(request.path)
        if found:
            operation = model.operation(service, rule.operation)
            assert operation is not None
            return Matched(service, operation, {k: unquote(v) for k, v in found.groupdict().items()})
    raise AwsError("MethodNotAllowed", f"{service}: no operation is {request.method} {request.path}", 405)


def parse_query(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True)
