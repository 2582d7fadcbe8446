"""FinalMetricDataList: the last value of each metric in a job's log."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).resolve().parent.parent / "containers" / "metrics.py"
SECONDS = 30
log = logging.getLogger("clary.lifecycle")


def final_metrics(file: Path, definitions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Last value and time of each MetricDefinition that its Regex finds.

    A user's regular expression may take for ever, so it runs in a process of its own with a time limit.
    """
    if not definitions or not file.exists():
        return []
    try:
        found = subprocess.run(
            [sys.executable, "-I", "-S", str(SCRIPT), str(file)],
            input=json.dumps([[item["Name"], item["Regex"]] for item in definitions]),
            capture_output=True, text=True, timeout=SECONDS, check=True,
        )  # fmt: skip
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        log.warning("The metrics of %s could not be read: %s", file.name, error)
        return []
    return [
        {"MetricName": name, "Value": value, "Timestamp": datetime.fromtimestamp(time_ms / 1000, UTC)}
        for name, value, time_ms in json.loads(found.stdout)
    ]
