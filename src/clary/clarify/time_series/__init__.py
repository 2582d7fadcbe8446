"""Forecasts explained by asymmetric Shapley values."""
