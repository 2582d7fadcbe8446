"""The container on time series: what is wrong is told before a model starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quarters import FINE, asked, records


def run(root: Path, config: dict[str, Any], data: Any) -> tuple[int, str]:
    (root / "processing/input/config").mkdir(parents=True)
    (root / "processing/input/data").mkdir()
    (root / "processing/input/data/turns.json").write_text(json.dumps(data))
    (root / "processing/input/config/analysis_config.json").write_text(json.dumps(config))
    # Nobody listens there: a model that was started would be another error.
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1", "CLARY_ML_ROOT": str(root)}
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(
        [sys.executable, "-m", "clary.containers.clarify"],
        env={**os.environ, **nowhere, **keys},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, (root / "output/message").read_text()


BASELINE = FINE["baseline"]


@pytest.mark.parametrize(
    ("shapley", "predictor", "says"),
    [
        (
            FINE | {"baseline": BASELINE | {"static_covariates": {"1981": [1], "1990": [1], "2009": [0]}}},
            {},
            "names items that are not in the data: 2009",
        ),
        (FINE, {"record_template": '{"target": $target_time_series}'}, "has no $related_time_series"),
    ],
)
def test_nothing_is_started_for_what_cannot_be(
    tmp_path: Path, shapley: dict[str, Any], predictor: dict[str, Any], says: str
) -> None:
    config = asked(
        shapley, model_name="m", instance_type="ml.m5.large", initial_instance_count=1, **predictor
    )
    code, message = run(tmp_path, config, records())
    assert code == 1
    assert says in message
