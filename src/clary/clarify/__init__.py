"""Bias, SHAP and reports: a library that needs no server."""
