"""Reads an operation's input from a request, in each of AWS's protocols, as its shape says."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from clary.wire.body import Body
from clary.wire.errors import AwsError, validation
from clary.wire.model import Shape, StructureShape, members
from clary.wire.request import Matched, Request

Params = dict[str, Any]


def parse(matched: Matched, request: Request, body: bytes | Body) -> Params:
    """The input's members by name; types as the shape says, constraints not yet checked."""
    shape = matched.operation.input_shape
    protocol = matched.operation.service_model.metadata["protocol"]
    if shape is None:
        return {}
    if protocol.startswith("rest"):
        return _parse_rest(matched, request, body)
    assert isinstance(body, bytes)
    if protocol == "query":
        return _from_query(shape, dict(parse_form(body)), "")
    return _from_json_object(shape, _load_json(body))


def parse_form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True)
    except UnicodeDecodeError as error:
        raise AwsError("MalformedQueryString", "The form is not UTF-8") from error


def streams(matched: Matched) -> bool:
    """Whether the input's payload is a blob, to be handed on as it comes."""
    shape = matched.operation.input_shape
    payload = shape.serialization.get("payload") if shape is not None else None
    return bool(payload) and shape.members[payload].type_name == "blob"


def _parse_rest(matched: Matched, request: Request, body: bytes | Body) -> Params:
    shape = matched.operation.input_shape
    found: Params = {}
    query = dict(request.query)
    for name, member in members(shape).items():
        where = member.serialization
        location = where.get("location")
        label = where.get("name", name)
        if location == "uri":
            found[name] = matched.uri.get(label)
        elif location == "querystring" and label in query:
            found[name] = _from_text(member, query[label], name)
        elif location == "header" and label.lower() in request.headers:
            found[name] = _from_text(member, request.headers[label.lower()], name, header=True)
        elif location == "headers":
            prefix = label.lower()
            prefixed = {h[len(prefix) :]: v for h, v in request.headers.items() if h.startswith(prefix)}
            if prefixed:
                found[name] = prefixed
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name == "blob":
        found[payload] = body
        return found
    assert isinstance(body, bytes)
    if body:
        xml = matched.operation.service_model.metadata["protocol"] == "rest-xml"
        target = shape.members[payload] if payload else shape
        value = _from_xml(target, _load_xml(body)) if xml else _from_json_object(target, _load_json(body))
        found.update({payload: value} if payload else value)
    return found


def _load_json(body: bytes) -> Any:
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise AwsError("SerializationException", f"The body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise AwsError("SerializationException", "The body must be a JSON object")
    return value


def _load_xml(body: bytes) -> ET.Element:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise AwsError("MalformedXML", "Document type declarations are not allowed")
    try:
        return ET.fromstring(body)  # noqa: S314 - entities are refused above
    except ET.ParseError as error:
        raise AwsError("MalformedXML", f"The XML you provided was not well-formed: {error}") from error


def _from_json_object(shape: StructureShape, value: dict[str, Any]) -> Params:
    """Members by name; null means absent. Unknown members stay, for `validate` to name them."""
    found = {}
    for name, item in value.items():
        if item is None:
            continue
        member = shape.members.get(name)
        found[name] = _from_json(member, item) if member is not None else item
    return found


def _from_json(shape: Shape, value: Any) -> Any:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return _from_json_object(shape, value)
    if kind == "list" and isinstance(value, list):
        return [_from_json(shape.member, item) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: _from_json(shape.value, item) for key, item in value.items()}
    if kind == "timestamp":
        return _timestamp(value)
    if kind == "blob" and isinstance(value, str):
        return _blob(value)
    return value


def _from_query(shape: StructureShape, form: Mapping[str, str], prefix: str) -> Params:
    found = {}
    for name, member in members(shape).items():
        value = _query_value(member, form, prefix + member.serialization.get("name", name))
        if value is not None:
            found[name] = value
    return found


def _query_value(shape: Shape, form: Mapping[str, str], name: str) -> Any:
    if shape.type_name == "structure":
        inner = _from_query(shape, form, name + ".")
        return inner or None
    if shape.type_name == "list":
        stem = name if shape.serialization.get("flattened") else f"{name}.member"
        items: list[Any] = []
        while (value := _query_value(shape.member, form, f"{stem}.{len(items) + 1}")) is not None:
            items.append(value)
        return items or None
    return _from_text(shape, form[name], name) if name in form else None


def _from_text(shape: Shape, text: str, name: str, header: bool = False) -> Any:
    kind = shape.type_name
    if kind == "list":
        return [_from_text(shape.member, item.strip(), name, header) for item in text.split(",")]
    if header and shape.metadata.get("enum"):
        # AWS's own C++ SDK writes `enabled` where the model says ENABLED, and S3 takes it.
        return next((value for value in shape.metadata["enum"] if value.lower() == text.lower()), text)
    if header and kind == "timestamp" and not text[:4].isdigit():
        read: Callable[[str], Any] = parsedate_to_datetime
    else:
        read = _READERS.get(kind, str)
    try:
        return read(text)
    except (ValueError, TypeError) as error:
        raise AwsError("InvalidArgument", f"{name}: {text!r} is not a {kind}") from error


def _from_xml(shape: Shape, node: ET.Element) -> Any:
    kind = shape.type_name
    if kind == "structure":
        found = {}
        for name, member in members(shape).items():
            label = member.serialization.get("name", name)
            if member.type_name == "list" and member.serialization.get("flattened"):
                label = member.member.serialization.get("name", label)
                items = [_from_xml(member.member, child) for child in node if _local(child) == label]
                found.update({name: items} if items else {})
            else:
                child = next((child for child in node if _local(child) == label), None)
                found.update({name: _from_xml(member, child)} if child is not None else {})
        return found
    if kind == "list":
        return [_from_xml(shape.member, child) for child in node]
    return _from_text(shape, node.text or "", _local(node))


def _local(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]


def _timestamp(value: Any) -> datetime:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise validation(f"{value!r} is not a timestamp: send epoch seconds or ISO 8601") from error


def _blob(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise AwsError("SerializationException", "A blob must be base64") from error


_READERS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": lambda text: text.lower() == "true",
    "timestamp": _timestamp,
    "blob": _blob,
}
