"""A model archive as a model in this process: no server, no endpoint."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from clary.clarify.config.analysis import AnalysisConfig
from clary.clarify.data.predictions import Prediction, together
from clary.clarify.errors import ClarifyError
from clary.containers.clarify import inputs, trees
from clary.containers.clarify.payload import Codec
from clary.containers.inference import find
from clary.containers.inference.invocation import CannotServe, ClientError, Invocation, Served


@dataclass(frozen=True)
class Archive:
    """A loaded model, asked in the bodies that its endpoint would get."""

    served: Served
    codec: Codec
    trees: Any
    """The model's trees where it is nothing but trees (see clarify.explain_trees), else None."""
    requests: int = 1
    """Bodies that it answers at a time."""

    def __call__(self, features: pd.DataFrame) -> Prediction:
        if self.codec.one_row_each and len(features) > 1:
            return together([self._ask(features.iloc[i : i + 1]) for i in range(len(features))])
        return self._ask(features)

    def _ask(self, features: pd.DataFrame) -> Prediction:
        rows = len(features)
        return self.codec.decode(self.send(self.codec.encode(features), f"{rows} rows"), rows)

    def send(self, body: bytes, what: str) -> bytes:
        """The answer to one body; `what` it asks about is named where it fails."""
        try:
            answer = self.served.answer(Invocation(body, self.codec.content_type, self.codec.accept))
        except ClientError as error:
            raise ClarifyError(f"The model refused {what}: {error.message}") from error
        except Exception as error:
            raise ClarifyError(f"The model failed on {what}: {type(error).__name__}: {error}") from error
        return answer.body


def load(model: Path, config: AnalysisConfig, folder: Path) -> Archive:
    """A model.tar.gz, or a folder with what would be in one. `folder` is an empty place to unpack to.

    Raises ClarifyError where there is no model, or one that cannot be served.
    """
    root = folder / "model"
    if model.is_dir():
        root.symlink_to(model.resolve(), target_is_directory=True)
    elif model.is_file():
        inputs.unpack(model, root)
    else:
        raise ClarifyError(
            f"There is no model at {model}: give a model.tar.gz, or the folder with its content."
        )
    try:
        served = find.load(folder, os.environ)
    except CannotServe as error:
        raise ClarifyError(f"The model {model} cannot be served: {error}") from error
    return Archive(served, Codec.of(config), trees.below(root) or trees.of_estimator(root))
