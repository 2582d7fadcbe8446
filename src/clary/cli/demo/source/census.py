"""A scikit-learn script as people write them for SageMaker: trains on the census and serves the model."""

import argparse
import io
import os
from pathlib import Path

import joblib
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

LABEL = "Target"


def model_fn(model_dir):
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(body, content_type):
    if content_type.partition(";")[0] != "text/csv":
        raise ValueError(f"This model reads text/csv, not {content_type}")
    text = body.decode() if isinstance(body, bytes) else body
    return pd.read_csv(io.StringIO(text), header=None, skipinitialspace=True)


def predict_fn(data, model):
    data.columns = model.feature_names_in_
    return model.predict_proba(data)[:, 1]


def output_fn(prediction, accept):
    return "\n".join(f"{p:.6f}" for p in prediction) + "\n", "text/csv"


def train(options):
    train = pd.read_csv(Path(options.train) / "train.csv")
    test = pd.read_csv(Path(options.test) / "test.csv")
    features = train.drop(columns=LABEL)
    words = features.select_dtypes(exclude="number").columns.tolist()
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    model = make_pipeline(
        make_column_transformer((encoder, words), remainder="passthrough", verbose_feature_names_out=False),
        HistGradientBoostingClassifier(
            max_iter=options.max_iter, learning_rate=options.learning_rate, random_state=0
        ),
    )
    print(f"training on {len(train):,} people, {len(features.columns)} features")
    model.fit(features, train[LABEL] == ">50K")
    probability = model.predict_proba(test.drop(columns=LABEL))[:, 1]
    actual = test[LABEL] == ">50K"
    print(f"test_accuracy={accuracy_score(actual, probability > 0.5):.4f};")
    print(f"test_auc={roc_auc_score(actual, probability):.4f};")
    joblib.dump(model, Path(options.model_dir) / "model.joblib")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--max-iter", type=int, default=100)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--test", default=os.environ.get("SM_CHANNEL_TEST"))
    train(parser.parse_args())
