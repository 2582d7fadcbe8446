"""Writes an operation's output, or an error, in each of AWS's protocols, as its shape says.

The output is projected: members that the shape does not name, and those that are None, are left out.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from clary.wire.body import FileRange
from clary.wire.errors import AwsError
from clary.wire.model import OperationModel, Shape, members

Payload = bytes | FileRange | Iterator[bytes] | AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Payload = b""


def serialise(operation: OperationModel, output: dict[str, Any], request_id: str, protocol: str) -> Response:
    status = int(output.get("_status", operation.http.get("responseCode", 200)))
    if protocol == "json":
        version = operation.service_model.metadata.get("jsonVersion", "1.1")
        content_type = {"content-type": f"application/x-amz-json-{version}"}
        shape = operation.output_shape
        body = b"" if shape is None else json.dumps(_to_json(shape, output), separators=(",", ":")).encode()
        return Response(status, content_type, body)
    if protocol == "query":
        return Response(status, {"content-type": "text/xml"}, _query(operation, output, request_id))
    return _rest(operation, output, status, protocol)


def serialise_error(error: AwsError, protocol: str, request_id: str, resource: str) -> Response:
    """`resource` is the path, which S3 names in its errors."""
    content_type, body = _ERRORS.get(protocol, _rest_json_error)(error, request_id, resource)
    headers = {"x-amzn-errortype": error.code, "content-type": content_type}
    if protocol == "cbor":
        headers["smithy-protocol"] = "rpc-v2-cbor"
    return Response(error.status, headers, b"" if error.status == 304 else body)


def _rest_xml_error(error: AwsError, request_id: str, resource: str) -> tuple[str, bytes]:
    fields = {"Resource": resource, **error.fields, "RequestId": request_id, "HostId": "clary"}
    inner = "".join(f"<{k}>{_shown(v)}</{k}>" for k, v in fields.items() if v is not None)
    first = f"<Code>{error.code}</Code><Message>{_shown(error.message)}</Message>"
    return "application/xml", f"{_XML}<Error>{first}{inner}</Error>".encode()


def _query_error(error: AwsError, request_id: str, resource: str) -> tuple[str, bytes]:
    side = "Sender" if error.status < 500 else "Receiver"
    text = (
        f"<ErrorResponse><Error><Type>{side}</Type><Code>{error.code}</Code>"
        f"<Message>{_shown(error.message)}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return "text/xml", text.encode()


def _ec2_error(error: AwsError, request_id: str, resource: str) -> tuple[str, bytes]:
    text = (
        f"{_XML}<Response><Errors><Error><Code>{error.code}</Code><Message>{_shown(error.message)}</Message>"
        f"</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    )
    return "text/xml", text.encode()


def _json_error(error: AwsError, request_id: str, resource: str) -> tuple[str, bytes]:
    content = {"__type": error.code, "message": error.message, **error.fields}
    return "application/x-amz-json-1.1", json.dumps(content).encode()


def _rest_json_error(error: AwsError, request_id: str, resource: str) -> tuple[str, bytes]:
    return "application/json", json.dumps({"Message": error.message, **error.fields}).encode()


def _cbor_error(error: AwsError, request_id: str, resource: str) -> tuple[str, bytes]:
    from awscrt.cbor import AwsCborEncoder

    encoder = AwsCborEncoder()
    encoder.write_data_item({"__type": error.code, "message": error.message})
    return "application/cbor", encoder.get_encoded_data()


_ERRORS = {
    "rest-xml": _rest_xml_error,
    "query": _query_error,
    "ec2": _ec2_error,
    "json": _json_error,
    "cbor": _cbor_error,
}


_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _shown(value: Any) -> str:
    """Text of an error, which may repeat what no XML can hold."""
    return escape(_NO_XML.sub("\ufffd", str(value)))


_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _to_json(shape: Shape, value: Any) -> Any:
    kind = shape.type_name
    if kind == "structure" and not getattr(shape, "is_document_type", False):
        return {
            name: _to_json(member, value[name])
            for name, member in members(shape).items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [_to_json(shape.member, item) for item in value]
    if kind == "map":
        return {key: _to_json(shape.value, item) for key, item in value.items()}
    if kind == "timestamp":
        return round(_aware(value).timestamp(), 3)
    if kind == "blob":
        return base64.b64encode(value).decode()
    return value


def _query(operation: OperationModel, output: dict[str, Any], request_id: str) -> bytes:
    shape = operation.output_shape
    namespace = operation.service_model.metadata.get("xmlNamespace", "")
    inner = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{operation.name}Result")
        inner = f"<{wrapper}>{_xml_members(shape, output)}</{wrapper}>"
    return (
        f'<{operation.name}Response xmlns="{namespace}">{inner}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation.name}Response>"
    ).encode()


def _rest(operation: OperationModel, output: dict[str, Any], status: int, protocol: str) -> Response:
    shape = operation.output_shape
    headers: dict[str, str] = {}
    if shape is None:
        return Response(status, headers)
    body_members = {}
    for name, member in members(shape).items():
        where = member.serialization
        value = output.get(name)
        location = where.get("location")
        if location == "headers":
            headers.update({where.get("name", "") + k: _header(v) for k, v in (value or {}).items()})
        elif location == "header":
            if value is not None:
                headers[where.get("name", name)] = _header_value(member, value)
        elif location is None and value is not None:
            body_members[name] = value
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name in ("blob", "string"):
        value = output.get(payload, b"")
        return Response(status, headers, value.encode() if isinstance(value, str) else value)
    if payload:
        target, found = shape.members[payload], output.get(payload)
    else:
        target, found = shape, body_members
    if found is None or (
        not payload and all(m.serialization.get("location") for m in shape.members.values())
    ):
        return Response(status, headers)
    if protocol == "rest-xml":
        headers.setdefault("Content-Type", "application/xml")
        return Response(status, headers, _xml_document(operation, target, found))
    headers.setdefault("Content-Type", "application/json")
    return Response(status, headers, json.dumps(_to_json(target, found)).encode())


def _xml_document(operation: OperationModel, shape: Shape, value: Any) -> bytes:
    root = _ROOTS.get(shape.name, shape.serialization.get("name", shape.name))
    if shape.type_name == "string":
        return f"{_XML}<{root}>{_xml_text(value)}</{root}>".encode()
    namespace = operation.service_model.metadata.get(
        "xmlNamespace", "http://s3.amazonaws.com/doc/2006-03-01/"
    )
    if isinstance(namespace, dict):
        namespace = namespace.get("uri", "")
    return f'{_XML}<{root} xmlns="{namespace}">{_xml_members(shape, value)}</{root}>'.encode()


# S3's answers carry root names that its model does not state; strict clients look for them.
_ROOTS = {
    "ListObjectsOutput": "ListBucketResult",
    "ListObjectsV2Output": "ListBucketResult",
    "ListBucketsOutput": "ListAllMyBucketsResult",
    "CreateMultipartUploadOutput": "InitiateMultipartUploadResult",
    "CompleteMultipartUploadOutput": "CompleteMultipartUploadResult",
    "ListPartsOutput": "ListPartsResult",
    "ListMultipartUploadsOutput": "ListMultipartUploadsResult",
    "DeleteObjectsOutput": "DeleteResult",
    "GetObjectTaggingOutput": "Tagging",
    "GetBucketLocationOutput": "LocationConstraint",
    "GetBucketVersioningOutput": "VersioningConfiguration",
    "GetObjectAttributesOutput": "GetObjectAttributesResponse",
}


def _xml_members(shape: Shape, value: Mapping[str, Any]) -> str:
    pieces = []
    for name, member in members(shape).items():
        item = value.get(name)
        if item is not None and not member.serialization.get("location"):
            pieces.append(_xml(member, item, member.serialization.get("name", name)))
    return "".join(pieces)


def _xml(shape: Shape, value: Any, label: str) -> str:
    kind = shape.type_name
    if kind == "structure":
        return f"<{label}>{_xml_members(shape, value)}</{label}>"
    if kind == "list":
        if shape.serialization.get("flattened"):
            inner = shape.member.serialization.get("name", label)
            return "".join(_xml(shape.member, item, inner) for item in value)
        inner = shape.member.serialization.get("name", "member")
        return f"<{label}>" + "".join(_xml(shape.member, item, inner) for item in value) + f"</{label}>"
    if kind == "map":
        entries = (
            f"<entry><key>{_xml_text(k)}</key>{_xml(shape.value, v, 'value')}</entry>"
            for k, v in value.items()
        )
        return f"<{label}>{''.join(entries)}</{label}>"
    return f"<{label}>{_xml_scalar(kind, value)}</{label}>"


def _xml_scalar(kind: str, value: Any) -> str:
    if kind == "timestamp":
        return _aware(value).strftime("%Y-%m-%dT%H:%M:%S.") + f"{_aware(value).microsecond // 1000:03d}Z"
    if kind == "boolean":
        return "true" if value else "false"
    return base64.b64encode(value).decode() if kind == "blob" else _xml_text(value)


def _xml_text(value: Any) -> str:
    """Control characters that XML 1.0 cannot hold are written as character references, as S3 does."""
    text = escape(str(value))
    return "".join(c if c >= " " or c in "\t\n" else f"&#x{ord(c):x};" for c in text)


def _header_value(member: Shape, value: Any) -> str:
    if member.type_name == "timestamp":
        if member.serialization.get("timestampFormat") == "iso8601":
            return _xml_scalar("timestamp", value)
        return format_datetime(_aware(value).replace(microsecond=0), usegmt=True)
    if member.type_name == "boolean":
        return "true" if value else "false"
    if member.type_name == "list":
        return ",".join(str(item) for item in value)
    return _header(value)


def _header(value: Any) -> str:
    text = "".join(" " if c < " " or c == "\x7f" else c for c in str(value))
    # What a client sent in its headers comes back byte by byte; what no header can hold is escaped.
    return text if all(ord(c) < 256 for c in text) else quote(text, safe=" /;=,.:@\"'()<>[]{}?*+-_~!$&")


def _aware(value: datetime) -> datetime:
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
