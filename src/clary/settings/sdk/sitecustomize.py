"""Lets unchanged SageMaker SDK scripts reach Clary, and not wait for what they need not.

On PYTHONPATH by `clary env` and `clary run`. The SDKs give STS an explicit AWS endpoint, which would beat
AWS_ENDPOINT_URL: while that is set, it is dropped. And they check their configuration file, by which their
telemetry is off, dozens of times a call at 70 ms each: once is enough. Costs nothing where neither botocore
nor jsonschema is imported, and hands on to any other sitecustomize.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

_Change = Callable[[Any], None]
_HERE = os.path.dirname(os.path.abspath(__file__))


class _Finder(importlib.abc.MetaPathFinder):
    """Wraps the loaders of the modules to change, each once."""

    def __init__(self, changes: dict[str, _Change]) -> None:
        self._changes = changes

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        change = self._changes.pop(name, None)
        if change is None:
            return None
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                change(module)

            setattr(spec.loader, "exec_module", exec_module)  # noqa: B010 - mypy refuses the plain form
        return spec


def _drop_explicit_endpoints(module: Any) -> None:
    create = module.Session.create_client

    def create_client(self: Any, service_name: str, *args: Any, **kwargs: Any) -> Any:
        host = urlsplit(kwargs.get("endpoint_url") or "").hostname or ""
        if os.environ.get("AWS_ENDPOINT_URL") and host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            kwargs["endpoint_url"] = None
        return create(self, service_name, *args, **kwargs)

    module.Session.create_client = create_client


def _check_configuration_once(module: Any) -> None:
    validate = module.validate
    passed: dict[tuple[int, str], Any] = {}

    def validate_once(instance: Any, schema: Any, *args: Any, **kwargs: Any) -> None:
        if args or kwargs or not isinstance(instance, dict) or "SchemaVersion" not in instance:
            validate(instance, schema, *args, **kwargs)
        elif (key := (id(schema), repr(instance))) not in passed:
            validate(instance, schema)
            passed[key] = schema  # kept, so that no other schema gets its id

    module.validate = validate_once


def _chain() -> None:
    """Run the sitecustomize that this one stands before on the path, if there is one."""
    others = [p for p in sys.path if os.path.abspath(p or ".") != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if os.environ.get("AWS_ENDPOINT_URL"):
    sys.meta_path.insert(
        0, _Finder({"botocore.session": _drop_explicit_endpoints, "jsonschema": _check_configuration_once})
    )
_chain()
