"""Which runtime of Clary an image URI stands for. No image is pulled: all run in Clary's own Python."""

from __future__ import annotations

import re
from enum import Enum

from clary.lifecycle.job_state import JobFailure


class Runtime(Enum):
    """What runs in place of an image."""

    PYTHON = "python"
    """A framework's or a plain image: the user's script or entry point, in Clary's Python."""
    XGBOOST = "xgboost"
    """The built-in algorithm; with a script, a framework image."""
    CLARIFY = "clarify"


_RUNTIMES: tuple[tuple[str, Runtime], ...] = (
    (r"sagemaker-clarify-processing", Runtime.CLARIFY),
    (r"(sagemaker-)?xgboost", Runtime.XGBOOST),
    (r"(sagemaker-)?scikit-learn(-.*)?", Runtime.PYTHON),
    (r"(huggingface-)?(pytorch|tensorflow)(-.*)?(-(training|inference))?(-.*)?", Runtime.PYTHON),
    (r"sagemaker-base-python.*|sagemaker-data-science.*|sagemaker-distribution.*", Runtime.PYTHON),
    (r"python|clary.*", Runtime.PYTHON),
)
SUPPORTED = (
    "sagemaker-xgboost, sagemaker-scikit-learn, pytorch-*, tensorflow-*, huggingface-*, "
    "sagemaker-clarify-processing, python"
)


def repository(image: str) -> str:
    """`1234.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1` -> `sagemaker-xgboost`."""
    return re.split(r"[:@]", image.rpartition("/")[2])[0]


def runtime(image: str) -> Runtime:
    """JobFailure, naming what is supported, for an image that no runtime here stands for."""
    name = repository(image)
    for pattern, found in _RUNTIMES:
        if re.fullmatch(pattern, name):
            return found
    raise JobFailure(
        f"No runtime in Clary stands for the image {image!r}: it pulls no images, but runs the program of"
        f" known ones in its own Python. Known repositories: {SUPPORTED}"
    )
