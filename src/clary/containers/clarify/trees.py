"""The trees of a built-in XGBoost model, where SHAP values can be read from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from clary.clarify.config.analysis import Shap
from clary.clarify.errors import ClarifyError
from clary.containers.clarify import inputs
from clary.containers.clarify.endpoint import Log
from clary.containers.inference import names
from clary.containers.inference.invocation import CannotServe

LOGISTIC = ("binary:logistic", "reg:logistic")
PLAIN = (
    "reg:squarederror", "reg:squaredlogerror", "reg:absoluteerror", "reg:pseudohubererror",
    "reg:quantileerror", "binary:logitraw", "rank:pairwise", "rank:ndcg", "rank:map",
)  # fmt: skip
"""Objectives whose score is the sum of the trees itself."""

ESTIMATORS = ("sklearn.ensemble.", "sklearn.tree.", "lightgbm.")


def below(root: Path) -> Any:
    """Built-in XGBoost's model in an unpacked archive, unless a script stands before it; else None."""
    if not (root / names.XGBOOST).is_file() or (root / "code" / names.SCRIPT).is_file():
        return None
    from clary.containers.inference import booster

    return booster.load(root / names.XGBOOST)


def of_estimator(root: Path) -> Any:
    """A tree model of scikit-learn or LightGBM in an unpacked archive without a script; else None.

    Loading it runs its pickle, so this is for an archive that is served in this process anyway.
    """
    for name in names.SKLEARN:
        if (root / name).is_file() and not (root / "code" / names.SCRIPT).is_file():
            from clary.containers.inference import estimator

            found = estimator.load(root / name)
            return found if type(found).__module__.startswith(ESTIMATORS) else None
    return None


def of_model(name: str, shap: Shap, folder: Path, log: Log) -> Any:
    """The trees in a SageMaker model's archive; None, and a word in the log, where they are of no use."""
    try:
        uri = _archive(name)
        trees = None if uri is None else below(_fetched(uri, folder))
    except (ClientError, BotoCoreError, ClarifyError, CannotServe, OSError) as error:
        log(f"The archive of {name} cannot be read for its trees: {error}")
        return None
    return None if trees is None or not _useful(trees, shap, log) else trees


def _archive(name: str) -> str | None:
    """Where the one archive of a model without a script lies."""
    model = boto3.client("sagemaker").describe_model(ModelName=name)
    containers = [model["PrimaryContainer"]] if "PrimaryContainer" in model else model.get("Containers", [])
    if len(containers) != 1 or containers[0].get("Environment", {}).get("SAGEMAKER_PROGRAM"):
        return None
    uri: str | None = containers[0].get("ModelDataUrl")
    return uri if uri is not None and uri.endswith(".tar.gz") else None


def _fetched(uri: str, folder: Path) -> Path:
    root = folder / "trees"
    inputs.unpack(inputs.download(uri, "ModelDataUrl", folder / "archive"), root)
    return root


def _useful(trees: Any, shap: Shap, log: Log) -> bool:
    """Whether the trees add up to the score that is explained, by the model's objective."""
    objective = json.loads(trees.save_config())["learner"]["objective"]["name"]
    if objective in (LOGISTIC if shap.use_logit else PLAIN):
        return True
    hint = "; with methods.shap.use_logit they would" if objective in LOGISTIC else ""
    log(
        f"The model's trees ({objective}) do not add up to the explained score{hint}: Kernel SHAP asks the "
        "model."
    )
    return False
