"""A client that deploys, updates, invokes and deletes an endpoint, and remembers what it was told."""

from __future__ import annotations

import io
import random
import tarfile
import time
from typing import Any

from botocore.exceptions import ClientError

from survival.ledger import Ledger, client, lost_if_dead
from survival.record_client import IMAGE

CODE = """
def model_fn(model_dir):
    return {factor}
def predict_fn(rows, model):
    return rows * model
"""
CONFIGS = {"deploy-2": 2, "deploy-3": 3}


class EndpointClient:
    """One endpoint at a time, whose model multiplies by the factor of its configuration."""

    def __init__(self, clary: Any, bucket: str, prefix: str) -> None:
        self._sagemaker, self._runtime = client(clary, "sagemaker"), client(clary, "sagemaker-runtime")
        self._prefix = prefix
        self._ledger: Ledger[str] = Ledger()
        """Endpoint name -> the configuration that it was last told to serve."""
        self._number = 0
        for name, factor in CONFIGS.items():
            self._prepare(clary, bucket, name, factor)

    def _prepare(self, clary: Any, bucket: str, name: str, factor: int) -> None:
        code = CODE.format(factor=factor).encode()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            member = tarfile.TarInfo("code/inference.py")
            member.size = len(code)
            tar.addfile(member, io.BytesIO(code))
        clary.client("s3").put_object(Bucket=bucket, Key=f"{name}/model.tar.gz", Body=packed.getvalue())
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{name}/model.tar.gz"}
        self._sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=clary.role)
        variant = {"VariantName": "v", "ModelName": name, "InstanceType": "ml.m5.large"}
        self._sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant | {"InitialInstanceCount": 1}]
        )

    def step(self, chance: random.Random) -> None:
        there = self._ledger.there()
        if not there:
            self._create(chance)
            return
        (name,) = there
        with lost_if_dead():
            found = self._describe(name)
        assert found is not None, f"{name} is gone"
        if found["EndpointStatus"] != "InService":
            assert found["EndpointStatus"] in ("Creating", "Updating"), found
            if chance.random() < 0.05:
                self._delete(name)
            time.sleep(0.05)
        else:
            chance.choices([self._invoke, self._update, self._delete], [8, 2, 1])[0](name)

    def _create(self, chance: random.Random) -> None:
        self._number += 1
        name, config = f"{self._prefix}-{self._number}", chance.choice(list(CONFIGS))
        with self._ledger.write({name: config}):
            self._sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)

    def _update(self, name: str) -> None:
        (config,) = CONFIGS.keys() - {self._ledger.there()[name]}
        with self._ledger.write({name: config}):
            self._sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)

    def _delete(self, name: str) -> None:
        with self._ledger.write({name: None}):
            self._sagemaker.delete_endpoint(EndpointName=name)

    def _invoke(self, name: str) -> None:
        """In service and with nothing under way: the answer is of the configuration last acknowledged."""
        with lost_if_dead():
            found = self._runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body="1,2")
            answer = found["Body"].read().decode()
        factor = CONFIGS[self._ledger.there()[name]]
        assert answer == f"[[{factor:.1f}, {2 * factor:.1f}]]"

    def _describe(self, name: str) -> Any:
        try:
            found = self._sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as error:
            assert "Could not find" in str(error)
            return None
        assert "FailureReason" not in found, found["FailureReason"]
        return found

    # After a restart.

    def check(self, everything: bool = False) -> None:
        for name in [*self._ledger.known, *self._ledger.wished]:
            self._ledger.settle(name, self._config(name))
        if everything:
            self._end()

    def _config(self, name: str) -> str | None:
        found = self._describe(name)
        if found is None or found["EndpointStatus"] == "Deleting":
            return None
        pending = found.get("PendingDeploymentSummary", found)
        return str(pending["EndpointConfigName"])

    def _end(self) -> None:
        """What is there comes into service and answers; then it is deleted, and nothing is left."""
        for name in list(self._ledger.there()):
            self._wait(lambda: self._describe(name)["EndpointStatus"] == "InService")  # noqa: B023
            self._invoke(name)
            self._delete(name)
        for name in self._ledger.known:
            self._wait(lambda: self._describe(name) is None)  # noqa: B023
        assert not self._sagemaker.list_endpoints(NameContains=self._prefix)["Endpoints"]

    def _wait(self, look: Any) -> None:
        end = time.monotonic() + 60
        while not look():
            assert time.monotonic() < end, "nothing after a minute"
            time.sleep(0.05)
