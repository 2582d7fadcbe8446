"""What a request may not ask for, because nothing here does it: refused by name, never passed over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.wire.errors import validation

_INSTEAD = {
    "ShadowProductionVariants": "deploy a second endpoint and send it a copy of the requests",
    "ServerlessConfig": "give InstanceType and InitialInstanceCount; a worker here starts in about a second",
    "AsyncInferenceConfig": "invoke the endpoint and wait for the answer",
    "DataCaptureConfig": "log the requests in the client or in the inference script",
    "VpcConfig": "the endpoint is reached through Clary's own port only",
    "KmsKeyId": "encrypt the disk that Clary's home lies on",
    "DeploymentConfig": "an update starts the new workers beside the old ones and moves all traffic at once",
    "ModelPackageName": "give Image and ModelDataUrl",
    "InferenceExecutionConfig": "give one container",
    "MultiModelConfig": "deploy a model for each archive",
    "ManagedInstanceScaling": "set the number of instances by UpdateEndpointWeightsAndCapacities",
    "InstancePools": "give InstanceType",
}


def members(what: str, asked: Mapping[str, Any], *names: str) -> None:
    """AwsError for the first of `names` that is asked for (and is not empty or False)."""
    for name in names:
        if asked.get(name):
            instead = _INSTEAD.get(name)
            raise validation(
                f"{what}: {name} is not built in Clary; leave it out" + (f" and {instead}" if instead else "")
            )
