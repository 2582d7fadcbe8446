"""Bias, SHAP and reports: a library that needs no server."""

from __future__ import annotations

from clary.clarify.analysis import analyze
from clary.clarify.beyond.reweighing import reweigh
from clary.clarify.beyond.thresholds import group_thresholds
from clary.clarify.bias_metrics import bias
from clary.clarify.config import Interactions, Shap
from clary.clarify.config_images import ImageConfig
from clary.clarify.errors import ClarifyError
from clary.clarify.faith_shap import interactions
from clary.clarify.images.attribution import explain_image
from clary.clarify.intervals import Intervals
from clary.clarify.kernel_shap import explain
from clary.clarify.monitoring.drift import compare
from clary.clarify.monitoring.monitor import monitor
from clary.clarify.predictions import Prediction
from clary.clarify.tabulation import Target
from clary.clarify.text.settings import TextConfig
from clary.clarify.text.shap import explain_text
from clary.clarify.time_series.explain import explain_forecasts
from clary.clarify.time_series.panel import Panel, Series
from clary.clarify.time_series.settings import AsymmetricShapley, SeriesBaseline
from clary.clarify.tree_shap import explain_trees

__all__ = [
    "AsymmetricShapley",
    "ClarifyError",
    "ImageConfig",
    "Interactions",
    "Intervals",
    "Panel",
    "Prediction",
    "Series",
    "SeriesBaseline",
    "Shap",
    "Target",
    "TextConfig",
    "analyze",
    "bias",
    "compare",
    "explain",
    "explain_forecasts",
    "explain_image",
    "explain_text",
    "explain_trees",
    "group_thresholds",
    "interactions",
    "monitor",
    "reweigh",
]
