"""The bias metrics of SageMaker Clarify: each one small function, registered where it is written."""

from __future__ import annotations

from clary.clarify.fairness.metrics import fliptest, posttraining, pretraining
from clary.clarify.fairness.metrics.registry import (
    POST_TRAINING,
    PRE_TRAINING,
    Metric,
    Stage,
    metrics_of,
    result,
)

__all__ = [
    "POST_TRAINING",
    "PRE_TRAINING",
    "Metric",
    "Stage",
    "fliptest",
    "metrics_of",
    "posttraining",
    "pretraining",
    "result",
]
