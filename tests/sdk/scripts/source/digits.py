"""A scikit-learn script for images: which digit is it? It reads arrays of many and single JPEG files."""

import io
import json
import os
from pathlib import Path

import joblib
import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis


def model_fn(model_dir):
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(body, content_type):
    if content_type == "application/x-npy":
        images = np.load(io.BytesIO(body))
    elif content_type == "image/jpeg":
        images = np.asarray(Image.open(io.BytesIO(body)))[None]
    else:
        raise ValueError(f"this model reads no {content_type}")
    grey = images.astype(float).mean(axis=-1)
    number, height, width = grey.shape
    blocks = grey.reshape(number, 8, height // 8, 8, width // 8).mean(axis=(2, 4))
    return ((255 - blocks) / 15).reshape(number, 64)


def predict_fn(rows, model):
    return model.predict_proba(rows)


def output_fn(scores, accept):
    return json.dumps({"predictions": scores.tolist()}), "application/json"


if __name__ == "__main__":
    digits = load_digits()
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1).fit(digits.data, digits.target)
    print(f"train_accuracy={model.score(digits.data, digits.target):.4f};")
    joblib.dump(model, Path(os.environ["SM_MODEL_DIR"]) / "model.joblib")
