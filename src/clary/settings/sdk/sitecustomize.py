"""Lets unchanged SageMaker SDK scripts reach Clary: drops the AWS endpoint that they give STS explicitly.

On PYTHONPATH by `clary env` and `clary run`. While AWS_ENDPOINT_URL is set, an explicit `*.amazonaws.com`
endpoint would beat it. Costs nothing where botocore is not imported, and hands on to any other sitecustomize.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from typing import Any
from urllib.parse import urlsplit

_HERE = os.path.dirname(os.path.abspath(__file__))


class _Finder(importlib.abc.MetaPathFinder):
    """Wraps the loader of botocore.session, once."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "botocore.session":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                _wrap(module.Session)

            setattr(spec.loader, "exec_module", exec_module)  # noqa: B010 - mypy refuses the plain form
        return spec


def _wrap(session: Any) -> None:
    create = session.create_client

    def create_client(self: Any, service_name: str, *args: Any, **kwargs: Any) -> Any:
        host = urlsplit(kwargs.get("endpoint_url") or "").hostname or ""
        if os.environ.get("AWS_ENDPOINT_URL") and host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            kwargs["endpoint_url"] = None
        return create(self, service_name, *args, **kwargs)

    session.create_client = create_client


def _chain() -> None:
    """Run the sitecustomize that this one stands before on the path, if there is one."""
    others = [p for p in sys.path if os.path.abspath(p or ".") != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if os.environ.get("AWS_ENDPOINT_URL"):
    sys.meta_path.insert(0, _Finder())
_chain()
