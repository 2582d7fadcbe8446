"""Reads an operation's input from a request, in each of AWS's protocols, as its shape says."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from clary.wire.body import Body
from clary.wire.errors import AwsError
from clary.wire.model import Shape, StructureShape, members
from clary.wire.request import Matched, Request

Params = dict[str, Any]
MAX_FORM_FIELDS = 10_000


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
        return _from_form(shape, dict(request.query) | dict(parse_form(body)))
    return _from_json_object(shape, _load_json(body))


def parse_form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS
        )
    except ValueError as error:
        message = f"The form is not UTF-8, or has more than {MAX_FORM_FIELDS} parameters"
        raise AwsError("MalformedQueryString", message) from error


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
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no character
    except UnicodeEncodeError as error:
        raise AwsError("SerializationException", "The body holds half of a surrogate pair") from error
    except (ValueError, RecursionError) as error:
        raise AwsError("SerializationException", f"The body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise AwsError("SerializationException", "The body must be a JSON object")
    return value


class _NoDoctype(ET.TreeBuilder):
    """Refuses what could name or multiply other text."""

    def doctype(self, *_: Any) -> None:
        raise AwsError("MalformedXML", "Document type declarations are not allowed")


def _load_xml(body: bytes) -> ET.Element:
    try:
        return ET.fromstring(body, ET.XMLParser(target=_NoDoctype()))  # noqa: S314 - no entities, see above
    except (ET.ParseError, ValueError, LookupError) as error:
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


def _from_form(shape: StructureShape, form: dict[str, str]) -> Params:
    """The input. What is left over stays under its own name, for `validate` to name it."""
    found = _from_query(shape, form, "")
    known = ("Action", "Version")
    return {n: v for n, v in form.items() if n not in known and not n.startswith("X-Amz-")} | found


def _from_query(shape: StructureShape, form: dict[str, str], prefix: str) -> Params:
    found = {}
    for name, member in members(shape).items():
        value = _query_value(member, form, prefix + member.serialization.get("name", name))
        if value is not None:
            found[name] = value
    return found


def _query_value(shape: Shape, form: dict[str, str], name: str) -> Any:
    """The value, taken out of the form; None where there is none."""
    if shape.type_name == "structure":
        inner = _from_query(shape, form, name + ".")
        return inner or None
    if shape.type_name == "list":
        stem = name if shape.serialization.get("flattened") else f"{name}.member"
        items: list[Any] = []
        while (value := _query_value(shape.member, form, f"{stem}.{len(items) + 1}")) is not None:
            items.append(value)
        return items or None
    return _from_text(shape, form.pop(name), name) if name in form else None


def _from_text(shape: Shape, text: str, name: str, header: bool = False) -> Any:
    kind = shape.type_name
    if kind == "list":
        return [_from_text(shape.member, item.strip(), name, header) for item in text.split(",")]
    if header and shape.metadata.get("enum"):
        # AWS's own C++ SDK writes `enabled` where the model says ENABLED, and S3 takes it.
        return next((value for value in shape.metadata["enum"] if value.lower() == text.lower()), text)
    if kind == "timestamp" and not text[:4].isdigit():
        read: Callable[[str], Any] = parsedate_to_datetime
    else:
        read = _READERS.get(kind, str)
    try:
        return read(text)
    except (ValueError, TypeError, OverflowError) as error:
        raise AwsError("SerializationException", f"{name}: {text[:128]!r} is not a {kind}") from error


def _from_xml(shape: Shape, node: ET.Element) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _from_xml_structure(shape, node)
    if kind == "list":
        return [_from_xml(shape.member, child) for child in node]
    return _from_text(shape, node.text or "", _local(node))


def _from_xml_structure(shape: Shape, node: ET.Element) -> Params:
    found: Params = {}
    labels = set()
    for name, member in members(shape).items():
        flattened = member.type_name == "list" and member.serialization.get("flattened")
        label = member.serialization.get("name", name)
        if flattened:
            label = member.member.serialization.get("name", label)
        labels.add(label)
        items = [child for child in node if _local(child) == label]
        if items:
            inner = member.member if flattened else member
            values = [_from_xml(inner, item) for item in items]
            found[name] = values if flattened else values[0]
    strange = next((_local(child) for child in node if _local(child) not in labels), None)
    if strange is not None:
        raise AwsError(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema: "
            f"{shape.name} has no {strange[:128]}",
        )
    return found


def _local(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]


def _timestamp(value: Any) -> Any:
    """What is no timestamp (epoch seconds or ISO 8601) stays as it is, for `validate` to name it."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return value


def _blob(text: str) -> bytes | str:
    """What is not base64 stays as it is, for `validate` to name it."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return text


def _whole_number(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,20}", text):
        raise ValueError(text)
    return int(text)


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


_READERS: dict[str, Callable[[str], Any]] = {
    "integer": _whole_number,
    "long": _whole_number,
    "float": float,
    "double": float,
    "boolean": _truth,
    "timestamp": _timestamp,
    "blob": _blob,
}
