"""An HTTP request as the wire sees it, and which service, protocol and operation it means."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
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


SIGNED_AS_SAGEMAKER = (
    "sagemaker-runtime", "sagemaker-featurestore-runtime", "sagemaker-metrics", "sagemaker-a2i-runtime",
    "sagemaker-edge", "sagemakerjobruntime", "sagemakertrainingsessionruntime",
    "sagemaker-inference-router-runtime",
)  # fmt: skip
"""REST services that share SageMaker's scope; their paths tell them apart."""
_CLIENTS = {
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
    "states": "stepfunctions",
    "elasticmapreduce": "emr",
    "elasticloadbalancing": "elbv2",
    "elasticfilesystem": "efs",
    "servicequotas": "service-quotas",
    "airflow": "mwaa",
}
"""Scopes that are not botocore's name of the service."""
_XML = ("route53", "cloudfront", "s3control", "s3express", "s3-outposts", "s3-object-lambda")
_UNSIGNED_TARGETS = {"SageMaker": "sagemaker", "Logs_20140328": "logs"}


def service_of(request: Request, scope: str | None) -> str:
    """botocore's name of the service: by the service in the signature's scope.

    Nothing outside the signature can make another service of it. An unsigned request is told apart by
    X-Amz-Target, form and path, for an error that its client can read.
    """
    target = request.headers.get("x-amz-target")
    if scope is None:
        if target:
            prefix = target.partition(".")[0]
            return _UNSIGNED_TARGETS.get(prefix, prefix)
        if request.path.startswith("/endpoints/"):
            return "sagemaker-runtime"
        return "sts" if request.path == "/" and (_is_form(request) or _value(request, "Action")) else "s3"
    if scope == "sagemaker" and not target:
        found = (name for name in SIGNED_AS_SAGEMAKER if _knows_path(name, request))
        return next(found, SIGNED_AS_SAGEMAKER[0])
    if scope == "s3" and "x-amz-account-id" in request.headers and request.path.startswith("/v20180820/"):
        return "s3control"
    return _CLIENTS.get(scope, scope)


def protocol_of(request: Request, service: str, built: Container[str]) -> str:
    """The protocol to answer in: the model's for a built service, else what the request looks like."""
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "cbor"
    if service in built:
        known = model.service(service)
        assert known is not None
        return str(known.metadata["protocol"])
    if "x-amz-target" in request.headers:
        return "json"
    if _is_form(request) or _value(request, "Action"):
        return "ec2" if service == "ec2" else "query"
    return "rest-xml" if service in _XML else "rest-json"


def with_bucket(request: Request, host: str) -> Request:
    """An S3 request with the bucket in its path, wherever its client put it.

    `bucket.localhost`, `bucket.HOST` (the house's own name) and `bucket.s3.REGION.amazonaws.com`
    are virtual hosts of a bucket.
    """
    asked = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    found = re.fullmatch(rf"(.+)\.(?:localhost|{re.escape(host)}|s3[.-][a-z0-9.-]*amazonaws\.com)", asked)
    return replace(request, path=f"/{found[1]}{request.path}") if found else request


def match(service: str, request: Request, form: Mapping[str, str], built: Container[str]) -> Matched:
    """The operation that a request means; AwsError where there is none, or none of its service is built."""
    protocol = protocol_of(request, service, built)
    if protocol.startswith("rest"):
        return _match_rest(service, request, built)
    if service not in built or protocol == "cbor":
        raise not_built(service, _name(request, form))
    known = model.service(service)
    assert known is not None
    if protocol == "json":
        prefix, _, name = request.headers.get("x-amz-target", "").rpartition(".")
        right = request.method == "POST" and prefix == known.metadata["targetPrefix"]
        found = model.operation(service, name) if right else None
    else:
        name = form.get("Action", "")
        found = model.operation(service, name)
    if found is None:
        code = "InvalidAction" if protocol == "query" else "UnknownOperationException"
        where = "Action" if protocol == "query" else f"X-Amz-Target {known.metadata['targetPrefix']}.NAME"
        raise AwsError(code, f"{service} has no operation {name[:128]!r}. POST it with {where}.")
    return Matched(service, found)


def _match_rest(service: str, request: Request, built: Container[str]) -> Matched:
    what = f"{request.method} {request.path[:128]}"
    if not model.is_rest(service):
        raise not_built(service, what)
    names = dict(request.query)
    alike = [rule for rule in model.rest_rules(service) if _could_mean(rule, request, names)]
    whole = (
        r for r in alike if all(h in request.headers for h in r.headers) and all(n in names for n in r.query)
    )
    # In S3 what is there tells operations apart. Elsewhere what is not there is a mistake to be named.
    rule = next(whole, alike[0] if alike and service != "s3" else None)
    if rule is None and service == "s3":
        raise AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
    if rule is None and service not in built:
        raise not_built(service, what)
    if rule is None:
        raise AwsError("UnknownOperationException", f"{service}: no operation is {what}", 404)
    operation, found = model.operation(service, rule.operation), rule.path.fullmatch(request.path)
    assert operation is not None and found is not None
    return Matched(service, operation, {k: _unquoted(v) for k, v in found.groupdict().items()})


def _could_mean(rule: model.RestRule, request: Request, names: Mapping[str, str]) -> bool:
    return (
        rule.method == request.method
        and rule.path.fullmatch(request.path) is not None
        and all(n in names and v in (None, names[n]) for n, v in rule.literals)
    )


def _knows_path(service: str, request: Request) -> bool:
    names = dict(request.query)
    return any(_could_mean(rule, request, names) for rule in model.rest_rules(service))


def _name(request: Request, form: Mapping[str, str]) -> str:
    """What an operation of a service that is not built is called in its own protocol."""
    target = request.headers.get("x-amz-target") or request.path.rpartition("/operation/")[2]
    return (form.get("Action") or target.rpartition(".")[2] or request.method)[:128]


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _value(request: Request, name: str) -> str | None:
    return next((value for key, value in request.query if key == name), None)


def _unquoted(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise AwsError("InvalidURI", "Couldn't parse the specified URI: it is not UTF-8") from error


def parse_query(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True)
