"""Which Clary the demo talks to: one that runs, or one that it starts for itself (`--serve`)."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from clary.cli.client import variables
from clary.cli.demo.jobs import Clients, DemoError
from clary.settings import load

START_SECONDS = 60


@contextmanager
def served(options: argparse.Namespace) -> Iterator[None]:
    """With `--serve`, a `clary up` of our own for as long as the demo lasts."""
    if not options.serve:
        yield
        return
    command = [sys.executable, "-m", "clary.cli", "up"]
    for name in ("home", "host", "port"):
        value = getattr(options, name)
        command += [f"--{name}", str(value)] if value is not None else []
    process = subprocess.Popen(command)
    try:
        _wait(options, process)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _wait(options: argparse.Namespace, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise DemoError("Clary did not start; it says why above")
        try:
            connect(options)
        except Exception:
            time.sleep(0.1)
        else:
            return
    raise DemoError(f"Clary did not answer within {START_SECONDS} s")


def connect(options: argparse.Namespace) -> Clients:
    """Clients of the Clary on this home; DemoError where none answers."""
    found = variables(load({"home": options.home}))
    session = boto3.Session(
        aws_access_key_id=found["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=found["AWS_SECRET_ACCESS_KEY"],
        region_name=found["AWS_REGION"],
    )
    url = found["AWS_ENDPOINT_URL"]
    config = Config(signature_version="v4")
    s3_config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    try:
        account = session.client("sts", endpoint_url=url).get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise DemoError(f"no Clary answers at {url} ({error}). Start one: clary up") from error
    return Clients(
        sagemaker=session.client("sagemaker", endpoint_url=url, config=config),
        runtime=session.client("sagemaker-runtime", endpoint_url=url, config=config),
        s3=session.client("s3", endpoint_url=url, config=s3_config),
        logs=session.client("logs", endpoint_url=url, config=config),
        role=f"arn:aws:iam::{account}:role/ClaryExecutionRole",
        bucket=f"sagemaker-{found['AWS_REGION']}-{account}",
        prefix="clary-demo",
        url=url,
        home=f" --home {shlex.quote(str(options.home))}" if options.home else "",
    )
