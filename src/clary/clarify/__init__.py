"""Bias, SHAP and reports: a library that needs no server."""

from __future__ import annotations

from clary.clarify.analysis import analyze
from clary.clarify.config.analysis import Interactions, Shap
from clary.clarify.config.images import ImageConfig
from clary.clarify.data.predictions import Prediction
from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.beyond.reweighing import reweigh
from clary.clarify.fairness.beyond.thresholds import group_thresholds
from clary.clarify.fairness.intervals import Intervals
from clary.clarify.fairness.measure import bias
from clary.clarify.fairness.tabulation import Target
from clary.clarify.images.attribution import explain_image
from clary.clarify.monitoring.drift import compare
from clary.clarify.monitoring.monitor import monitor
from clary.clarify.shap.interactions import interactions
from clary.clarify.shap.kernel import explain
from clary.clarify.shap.trees import explain_trees
from clary.clarify.text.settings import TextConfig
from clary.clarify.text.shap import explain_text
from clary.clarify.time_series.explain import explain_forecasts
from clary.clarify.time_series.panel import Panel, Series
from clary.clarify.time_series.settings import AsymmetricShapley, SeriesBaseline

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
