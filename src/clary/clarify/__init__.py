"""Bias, SHAP and reports: a library that needs no server."""

from __future__ import annotations

from clary.clarify.analysis import analyze
from clary.clarify.beyond.reweighing import reweigh
from clary.clarify.beyond.thresholds import group_thresholds
from clary.clarify.bias_metrics import bias
from clary.clarify.config import Shap
from clary.clarify.errors import ClarifyError
from clary.clarify.intervals import Intervals
from clary.clarify.kernel_shap import explain
from clary.clarify.predictions import Prediction
from clary.clarify.tabulation import Target
from clary.clarify.text.settings import TextConfig
from clary.clarify.text.shap import explain_text
from clary.clarify.tree_shap import explain_trees

__all__ = [
    "ClarifyError",
    "Intervals",
    "Prediction",
    "Shap",
    "Target",
    "TextConfig",
    "analyze",
    "bias",
    "explain",
    "explain_text",
    "explain_trees",
    "group_thresholds",
    "reweigh",
]
