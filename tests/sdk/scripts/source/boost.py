"""An XGBoost script as people write them for SageMaker's framework image; it takes its time."""

import argparse
import os
import time
from pathlib import Path

import pandas as pd
import xgboost

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--num_round", type=int)
    parser.add_argument("--seconds", type=float)
    options = parser.parse_args()
    table = pd.read_csv(Path(os.environ["SM_CHANNEL_TRAIN"]) / "label-first.csv", header=None)
    train = xgboost.DMatrix(table.drop(columns=0).to_numpy(), table[0])
    booster = xgboost.train({"objective": "binary:logistic"}, train, options.num_round)
    print(f"boosted {booster.num_boosted_rounds()} rounds of {train.num_row()} rows", flush=True)
    time.sleep(options.seconds)
    booster.save_model(Path(os.environ["SM_MODEL_DIR"]) / "xgboost-model")
