"""The model of a job: an endpoint asked in large batches, made for the job where there is none."""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any

import boto3
import pandas as pd
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from clary.clarify.config.analysis import AnalysisConfig, Predictor
from clary.clarify.data.predictions import Prediction, together
from clary.clarify.errors import ClarifyError
from clary.containers.clarify.payload import Codec

Log = Callable[[str], None]

LARGEST_BODY = 4_500_000
"""Bytes of one request: InvokeEndpoint takes at most 6 MB, Clarify documents 5 MB."""
MAX_BODY = 1_500_000
"""Bytes of one request about rows: with smaller bodies nobody waits for the last one."""
PARALLEL = 6
SAMPLED_ROWS = 200
SMALL_REQUEST = 1000
"""Rows that are not worth dividing between requests."""
START_SECONDS = 1800
DELETE_SECONDS = 60


class Endpoint:
    """A model behind InvokeEndpoint; the first call waits until it is in service."""

    parallel = 3
    """Calls that are worth having under way: one is asked while the next is being prepared."""
    requests = PARALLEL
    """Requests that it answers at a time."""
    trees: Any = None
    """The model's own trees, where they are known."""

    def __init__(self, name: str, config: AnalysisConfig, log: Log) -> None:
        self.name, self.predictor, self.log = name, config.predictor, log
        self.codec = Codec.of(config)
        self.ready, self.starting = False, Lock()
        self.pool = ThreadPoolExecutor(PARALLEL)
        retries = Config(
            retries={"mode": "standard", "max_attempts": 6},
            read_timeout=120,
            max_pool_connections=PARALLEL,
        )
        self.runtime = boto3.client("sagemaker-runtime", config=retries)

    def __call__(self, features: pd.DataFrame) -> Prediction:
        self._start()
        size = 1 if self.codec.one_row_each else self._rows_that_fit(features)
        parts = [features.iloc[start : start + size] for start in range(0, len(features), size)]
        return together(list(self.pool.map(self._ask, parts)))

    def _start(self) -> None:
        with self.starting:
            if not self.ready:
                wait(self.name)
                self.ready = True
                self.log(f"The endpoint {self.name} is in service.")

    def _rows_that_fit(self, features: pd.DataFrame) -> int:
        sample = features.iloc[:: max(1, len(features) // SAMPLED_ROWS)]
        fit = int(0.9 * MAX_BODY / max(1, len(self.codec.encode(sample))) * len(sample))
        # Several requests at a time keep all of the endpoint's workers busy.
        return max(1, min(fit, max(SMALL_REQUEST, -(-len(features) // PARALLEL))))

    def _ask(self, features: pd.DataFrame) -> Prediction:
        """The answer to one request; to two of half the rows where its body is too large."""
        body = self.codec.encode(features)
        rows = len(features)
        if len(body) > MAX_BODY and rows > 1:
            return together([self._ask(features.iloc[: rows // 2]), self._ask(features.iloc[rows // 2 :])])
        return self.codec.decode(self.send(body, f"{rows} rows"), rows)

    def send(self, body: bytes, what: str) -> bytes:
        """The answer to one request; `what` it asks about is named where it fails."""
        self._start()
        more: dict[str, Any] = {
            "CustomAttributes": self.predictor.custom_attributes,
            "TargetModel": self.predictor.target_model,
        }
        try:
            answer = self.runtime.invoke_endpoint(
                EndpointName=self.name,
                Body=body,
                ContentType=self.codec.content_type,
                Accept=self.codec.accept,
                **{key: value for key, value in more.items() if value is not None},
            )
            return bytes(answer["Body"].read())
        except (ClientError, BotoCoreError) as error:
            raise ClarifyError(f"The endpoint {self.name} failed on {what}: {error}") from error


def existing(name: str) -> str:
    """The name of an endpoint that must be there."""
    try:
        boto3.client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as error:
        raise ClarifyError(
            f"predictor.endpoint_name: the endpoint {name!r} cannot be used: {error}"
        ) from error
    return name


@contextmanager
def temporary(predictor: Predictor, log: Log) -> Iterator[str]:
    """An endpoint of the model for the while; it and its configuration are deleted whatever happens."""
    sagemaker = boto3.client("sagemaker")
    tail = f"{int(time.time())}-{secrets.token_hex(2)}"
    prefix = predictor.endpoint_name_prefix or f"sm-clarify-{predictor.model_name}"
    endpoint = f"{prefix[: 62 - len(tail)].rstrip('-')}-{tail}"
    config = f"sm-clarify-config-{tail}"
    try:
        sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[_variant(predictor)])
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        log(f"Starting the temporary endpoint {endpoint} for the model {predictor.model_name}.")
        yield endpoint
    finally:
        # A second SIGTERM must not leave the endpoint behind.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _delete(partial(sagemaker.delete_endpoint, EndpointName=endpoint), endpoint, log)
        _delete(partial(sagemaker.delete_endpoint_config, EndpointConfigName=config), config, log)


def _variant(predictor: Predictor) -> dict[str, Any]:
    return {
        "VariantName": "AllTraffic",
        "ModelName": predictor.model_name,
        "InstanceType": predictor.instance_type or "ml.m5.xlarge",
        "InitialInstanceCount": predictor.initial_instance_count or 1,
    }


def _delete(delete: Callable[[], Any], name: str, log: Log) -> None:
    """Delete until it is gone or the time is over: an endpoint in creation may refuse for a moment."""
    deadline = time.monotonic() + DELETE_SECONDS
    while True:
        try:
            delete()
            log(f"Deleted {name}.")
            return
        except ClientError as error:
            if "Could not find" in str(error):
                return
            if time.monotonic() > deadline:
                log(f"Could not delete {name}: {error}. Delete it by hand.")
                return
            time.sleep(1)


def wait(name: str) -> None:
    """Until the endpoint is in service; ClarifyError with its FailureReason if it fails."""
    sagemaker = boto3.client("sagemaker")
    deadline = time.monotonic() + START_SECONDS
    pause = 0.1
    while True:
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
        status = endpoint["EndpointStatus"]
        if status in ("InService", "Updating"):
            return
        if status in ("Failed", "OutOfService", "Deleting"):
            raise ClarifyError(
                f"The endpoint {name} is {status}: {endpoint.get('FailureReason', 'no reason given')}"
            )
        if time.monotonic() > deadline:
            raise ClarifyError(f"The endpoint {name} was not in service after {START_SECONDS} s.")
        time.sleep(pause)
        pause = min(pause * 1.5, 5.0)
