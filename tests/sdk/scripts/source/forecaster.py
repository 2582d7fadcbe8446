"""A forecasting script as people write them for SageMaker: unemployment, by a ridge on lags."""

import argparse
import json
import os
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge

LAGS, AHEAD = 8, 4
SERIES = ["unemp", "infl", "tbilrate"]


def features(table, era):
    """The last two years of each series, and the era."""
    return np.concatenate([np.asarray(table)[-LAGS:].T.ravel(), era])


def model_fn(model_dir):
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(body, content_type):
    assert content_type == "application/json", content_type
    return json.loads(body)["instances"]


def predict_fn(instances, model):
    rows = [features(np.array([i["target"], *i["dynamic_feat"]]).T, i["cat"]) for i in instances]
    return model.predict(np.array(rows))


def output_fn(forecasts, accept):
    return json.dumps({"predictions": [{"mean": forecast} for forecast in forecasts.tolist()]}), accept


def fitted(table):
    ends = range(LAGS, len(table) - AHEAD + 1)
    x = [features(table[SERIES].iloc[:end], [int(table["year"].iloc[end - 1] >= 1984)]) for end in ends]
    y = [table["unemp"].iloc[end : end + AHEAD] for end in ends]
    return Ridge(alpha=1.0).fit(np.array(x), np.array(y))


def train(options):
    table = pd.read_csv(Path(options.train) / "quarters.csv")
    model = fitted(table)
    print(f"the user's script: {len(table)} quarters")
    joblib.dump(model, Path(options.model_dir) / "model.joblib")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    train(parser.parse_args())
