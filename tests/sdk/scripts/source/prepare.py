"""A processing script as people write them: splits a table into train and test."""

import argparse
from pathlib import Path

import pandas as pd

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--test-part", type=float, required=True)
    options = parser.parse_args()
    table = pd.read_csv("/opt/ml/processing/input/train.csv")
    test = table.sample(frac=options.test_part, random_state=0)
    print(f"{len(table)} rows in, {len(test)} of them for the test", flush=True)
    for name, part in {"train": table.drop(test.index), "test": test}.items():
        folder = Path("/opt/ml/processing") / name
        folder.mkdir(parents=True, exist_ok=True)
        part.to_csv(folder / f"{name}.csv", index=False)
