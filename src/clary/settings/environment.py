"""What a client's environment needs, so that AWS code reaches Clary and nothing leaves the house."""

from __future__ import annotations

import os
from pathlib import Path

SDK_FOLDER = Path(__file__).parent / "sdk"
_SDK_CONFIG = """\
# Made by Clary: the SageMaker SDK shall not report its use to AWS.
SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""


def sdk_environment(home: Path, url: str) -> dict[str, str]:
    """Variables that disarm the SageMaker SDKs' two traps (an explicit STS endpoint, telemetry).

    Writes the SDK's configuration file into the home if it is not there.
    """
    config = home / "sagemaker-sdk.yaml"
    if not config.exists():
        fresh = config.with_suffix(".new")
        fresh.write_text(_SDK_CONFIG)
        fresh.replace(config)
    path = os.pathsep.join(filter(None, (str(SDK_FOLDER), os.environ.get("PYTHONPATH", ""))))
    return {
        "AWS_ENDPOINT_URL": url,
        "PYTHONPATH": path,
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(config),
        "SAGEMAKER_TELEMETRY_OPT_OUT": "true",
        "SAGEMAKER_VALIDATE_ROLE": "false",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
