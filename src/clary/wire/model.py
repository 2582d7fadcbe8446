"""The only reader of botocore's service models: which services and operations there are, and their shapes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape

__all__ = ["OperationModel", "Shape", "StructureShape", "function_name", "operation", "service"]

_loader = Loader()


def service(name: str) -> ServiceModel | None:
    """botocore's model of a service (its client name), None where there is no such service."""
    try:
        return _service(name)
    except UnknownServiceError:
        return None


@lru_cache(64)
def _service(name: str) -> ServiceModel:
    # An unknown name raises, so that names which callers make up are not kept.
    return ServiceModel(_loader.load_service_model(name, "service-2"), name)


def operation(service_name: str, name: str) -> OperationModel | None:
    return _operation(service_name, name) if name in _names(service_name) else None


@cache
def _operation(service_name: str, name: str) -> OperationModel:
    return _service(service_name).operation_model(name)


@lru_cache(64)
def _names(service_name: str) -> frozenset[str]:
    model = service(service_name)
    return frozenset(model.operation_names) if model is not None else frozenset()


@cache
def function_name(operation_name: str) -> str:
    """CreateTrainingJob -> create_training_job, as botocore's clients name it."""
    return str(xform_name(operation_name))


@lru_cache(64)
def operation_names(service_name: str) -> dict[str, str]:
    """Function name to operation name for a whole service."""
    return {function_name(name): name for name in sorted(_names(service_name))}


@dataclass(frozen=True, slots=True)
class RestRule:
    """How one REST operation is recognised: method, path, and what must stand in query and headers."""

    operation: str
    method: str
    path: re.Pattern[str]
    query: tuple[tuple[str, str | None], ...]
    headers: tuple[str, ...]

    @property
    def weight(self) -> int:
        return 2 * len(self.query) + len(self.headers) + self.path.groups


@lru_cache(64)
def rest_rules(service_name: str) -> tuple[RestRule, ...]:
    """The rules of a REST service, the most particular first."""
    model = service(service_name)
    assert model is not None
    rules = [_rest_rule(model.operation_model(name)) for name in model.operation_names]
    return tuple(sorted(rules, key=lambda rule: -rule.weight))


def _rest_rule(model: OperationModel) -> RestRule:
    path, _, literal = model.http["requestUri"].partition("?")
    query: list[tuple[str, str | None]] = []
    for item in filter(None, literal.split("&")):
        name, equals, value = item.partition("=")
        query.append((name, value if equals else None))
    headers = []
    members = model.input_shape.members if model.input_shape else {}
    for name in model.input_shape.required_members if model.input_shape else ():
        where = members[name].serialization
        if where.get("location") == "querystring":
            query.append((where.get("name", name), None))
        elif where.get("location") == "header":
            headers.append(where.get("name", name).lower())
    return RestRule(model.name, model.http["method"], _path_pattern(path), tuple(query), tuple(headers))


def _path_pattern(template: str) -> re.Pattern[str]:
    pattern = ""
    for piece in re.split(r"(\{[^}]+\})", template):
        if piece.startswith("{"):
            name = piece[1:-1]
            pattern += f"(?P<{name.rstrip('+')}>.+)" if name.endswith("+") else f"(?P<{name}>[^/]+)"
        else:
            pattern += re.escape(piece)
    return re.compile(pattern + ("/?" if template.count("/") == 1 and template != "/" else ""), re.DOTALL)


def members(shape: Any) -> dict[str, Shape]:
    return dict(shape.members) if shape is not None else {}
