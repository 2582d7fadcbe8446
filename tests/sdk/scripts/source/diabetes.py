"""A scikit-learn script as people write them for SageMaker: who will have a bad year of diabetes?"""

import argparse
import json
import os
import sys
from pathlib import Path

import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def model_fn(model_dir):
    return joblib.load(Path(model_dir) / "model.joblib")


def predict_fn(rows, model):
    return model.predict_proba(rows)[:, 1]


def train(options):
    table = pd.read_csv(Path(options.train) / "train.csv")
    print(f"the user's script: {len(table)} people, note={options.note!r}", flush=True)
    print("hyperparameters " + json.dumps(json.loads(os.environ["SM_HPS"]), sort_keys=True))
    if options.inverse_penalty <= 0:
        raise ValueError(f"the user's own check: {options.inverse_penalty} is not above 0")
    features, label = table.drop(columns="target").to_numpy(), table["target"]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=options.inverse_penalty))
    model.fit(features, label)
    print(f"train_accuracy={model.score(features, label):.4f};")
    print("done, on standard error", file=sys.stderr)
    joblib.dump(model, Path(options.model_dir) / "model.joblib")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--inverse-penalty", type=float, default=1.0)
    parser.add_argument("--note", default="")
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    train(parser.parse_args())
