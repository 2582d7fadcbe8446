"""A user's inference script: model_fn, input_fn, predict_fn, output_fn (or transform_fn), with defaults."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from clary.containers.inference import content, names
from clary.containers.inference.invocation import (
    Answer,
    CannotServe,
    ClientError,
    Invocation,
    Served,
    choose_accept,
    media_type,
)

TEXT = (content.CSV, content.JSON)
_FUNCTIONS = ("input_fn", "predict_fn", "output_fn")


def serve(path: Path, model_dir: Path) -> Served:
    """The script's model, loaded; CannotServe where the script breaks the contract."""
    module = load_script(path)
    model = _model(module, model_dir)
    transform = getattr(module, "transform_fn", None)
    if transform is not None and any(hasattr(module, name) for name in _FUNCTIONS):
        raise CannotServe(
            f"{path.name} defines transform_fn and also one of {', '.join(_FUNCTIONS)}; "
            "transform_fn stands for all three: keep it, or them"
        )

    def answer(call: Invocation) -> Answer:
        data = call.text if call.content_type in TEXT else call.body
        accept = _accept(call)
        if transform is not None:
            return _answer(transform(model, data, call.content_type, accept), accept)
        return _answer(_run(module, model, call, data, accept), accept)

    # A script may keep state between its functions, as it may in SageMaker: one call at a time.
    return Served(answer, f"script {path.name}", int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS", "1")))


def load_script(path: Path) -> ModuleType:
    if not path.is_file():
        raise CannotServe(f"SAGEMAKER_PROGRAM names {path.name}, which is not in {path.parent}")
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise CannotServe(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _model(module: ModuleType, model_dir: Path) -> Any:
    model_fn: Callable[..., Any] | None = getattr(module, "model_fn", None)
    if model_fn is not None:
        return model_fn(str(model_dir))
    if (model_dir / names.XGBOOST).is_file():
        from clary.containers.inference import booster

        return booster.load(model_dir / names.XGBOOST)
    for name in names.SKLEARN:
        if (model_dir / name).is_file():
            from clary.containers.inference import estimator

            return estimator.load(model_dir / name)
    raise CannotServe(
        f"{module.__name__}.py has no model_fn(model_dir). Please provide a model_fn implementation; "
        f"without one the model must be {names.XGBOOST}, {' or '.join(names.SKLEARN)}"
    )


def _run(module: ModuleType, model: Any, call: Invocation, data: str | bytes, accept: str) -> Any:
    input_fn = getattr(module, "input_fn", None)
    rows = input_fn(data, call.content_type) if input_fn else _input(call, model)
    predict_fn = getattr(module, "predict_fn", None)
    prediction = predict_fn(rows, model) if predict_fn else _predict(rows, model)
    output_fn = getattr(module, "output_fn", None)
    if output_fn is not None:
        return output_fn(prediction, accept)
    accept = choose_accept(accept, content.WRITTEN, content.JSON)
    return content.encode(prediction, accept), accept


def _input(call: Invocation, model: Any) -> Any:
    if _is_booster(model):
        from clary.containers.inference import booster

        return booster.read(call, model.num_features())
    rows = content.decode(call)
    if call.content_type not in TEXT:
        return rows
    if rows.dtype.kind not in "fiub":
        raise ClientError(400, "The JSON values are not numbers; write an input_fn for other values")
    return rows.astype("float32")


def _predict(rows: Any, model: Any) -> Any:
    if _is_booster(model) and not _is_matrix(rows):
        from clary.containers.inference import booster

        return booster.predict(model, rows)
    if not hasattr(model, "predict"):
        raise TypeError(f"model_fn answered a {type(model).__name__} without predict(); write a predict_fn")
    return model.predict(rows)


def _answer(result: Any, accept: str) -> Answer:
    """What output_fn may return: bytes or text, a pair with the content type, or an object with both."""
    kind = media_type(accept) or content.JSON
    if isinstance(result, tuple) and len(result) == 2:
        result, kind = result
    elif hasattr(result, "response"):
        result, kind = result.response, getattr(result, "mimetype", None) or kind
    if isinstance(result, list) and all(isinstance(piece, bytes) for piece in result):
        result = b"".join(result)
    if isinstance(result, str):
        result = result.encode()
    if not isinstance(result, bytes | bytearray | memoryview):
        raise TypeError(
            f"output_fn must return str or bytes (or a pair of one and its content type), "
            f"not {type(result).__name__}"
        )
    return Answer(bytes(result), str(kind))


def _accept(call: Invocation) -> str:
    """SageMaker's rule: no Accept, or one that takes anything, means the container's default."""
    if not call.accept or "*/*" in call.accept:
        return os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", content.JSON)
    return call.accept


def _is_booster(model: Any) -> bool:
    return any(
        kind.__name__ == "Booster" and "xgboost" in kind.__module__ for kind in inspect.getmro(type(model))
    )


def _is_matrix(rows: Any) -> bool:
    return type(rows).__name__ in ("DMatrix", "QuantileDMatrix")
