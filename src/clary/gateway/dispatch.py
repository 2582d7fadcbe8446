"""The dispatch table: finds every operation in a package of services by its name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from clary.ports.world import Call
from clary.resources.resource import Resource
from clary.wire import model

Function = Callable[[Call, dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """How one operation is answered; `streaming` functions run on the event loop."""

    function: Function
    streaming: bool
    where: str


Table = Mapping[tuple[str, str], Entry]
"""(service, operation) -> Entry; services by botocore's client name."""

_FOLDERS = {"runtime": "sagemaker-runtime"}


def discover(package: ModuleType) -> Table:
    """Walk `package`: its folders are services; functions named as operations and Resource rows count."""
    table: dict[tuple[str, str], Entry] = {}
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        folder = info.name.removeprefix(package.__name__ + ".").partition(".")[0]
        service = _FOLDERS.get(folder, folder)
        module = importlib.import_module(info.name)
        for name, function in _operations(service, module).items():
            if (service, name) in table:
                raise RuntimeError(f"{service}:{name} is in {table[service, name].where} and in {info.name}")
            table[service, name] = Entry(function, inspect.iscoroutinefunction(function), info.name)
    return table


def _operations(service: str, module: ModuleType) -> dict[str, Function]:
    names = model.operation_names(service)
    found: dict[str, Function] = {}
    for name, value in vars(module).items():
        if isinstance(value, Resource):
            found.update(value.built())
        elif name in names and inspect.isfunction(value) and value.__module__ == module.__name__:
            found[names[name]] = value
    return found
