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
    literals: tuple[tuple[str, str | None], ...]
    """Query parameters of the path's template."""
    query: tuple[str, ...]
    """Query parameters that are required members."""
    headers: tuple[str, ...]
    deprecated: bool

    @property
    def weight(self) -> tuple[int, bool]:
        needed = 2 * (len(self.literals) + len(self.query)) + len(self.headers)
        return needed + self.path.groups, not self.deprecated


def is_rest(service_name: str) -> bool:
    model = service(service_name)
    return model is not None and str(model.metadata["protocol"]).startswith("rest")


@lru_cache(64)
def rest_rules(service_name: str) -> tuple[RestRule, ...]:
    """The rules of a REST service, the most particular first."""
    model = service(service_name)
    assert model is not None
    rules = [_rest_rule(model.operation_model(name)) for name in model.operation_names]
    return tuple(sorted(rules, key=lambda rule: rule.weight, reverse=True))


def _rest_rule(model: OperationModel) -> RestRule:
    path, _, literal = model.http["requestUri"].partition("?")
    literals: list[tuple[str, str | None]] = []
    for item in filter(None, literal.split("&")):
        name, equals, value = item.partition("=")
        literals.append((name, value if equals else None))
    query, headers = [], []
    members = model.input_shape.members if model.input_shape else {}
    for name in model.input_shape.required_members if model.input_shape else ():
        where = members[name].serialization
        if where.get("location") == "querystring":
            query.append(where.get("name", name))
        elif where.get("location") == "header":
            headers.append(where.get("name", name).lower())
    return RestRule(
        operation=model.name,
        method=model.http["method"],
        path=_path_pattern(path),
        literals=tuple(literals),
        query=tuple(query),
        headers=tuple(headers),
        deprecated=model.deprecated,
    )


def _path_pattern(template: str) -> re.Pattern[str]:
    pattern = ""
    for piece in re.split(r"(\{[^}]+\})", template):
        if piece.startswith("{"):
            # Some services' labels have a hyphen, which the name of a group cannot have.
            name = re.sub(r"\W", "_", piece[1:-1].rstrip("+"))
            pattern += f"(?P<{name}>.+)" if piece.endswith("+}") else f"(?P<{name}>[^/]+)"
        else:
            pattern += re.escape(piece)
    return re.compile(pattern + ("/?" if template.count("/") == 1 and template != "/" else ""), re.DOTALL)


def members(shape: Any) -> dict[str, Shape]:
    return dict(shape.members) if shape is not None else {}
