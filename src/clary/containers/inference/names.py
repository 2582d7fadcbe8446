"""The file names by which a model archive says what it holds."""

XGBOOST = "xgboost-model"
SKLEARN = ("model.joblib", "model.pkl")
TEXT = "clary-model.json"
SCRIPT = "inference.py"
EXPLAINER = "input/explainer/config.json"
"""Below the worker's root; written by the server where predictions are to be explained."""
