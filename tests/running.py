"""A Clary that runs: started as a user starts it, on a home and a port of its own."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

START_SECONDS = 30


@dataclass
class Clary:
    """One server process; `restart` and `kill` are what a test may do to it."""

    home: Path
    port: int
    arguments: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    """A command that runs the server, such as strace."""
    process: subprocess.Popen[str] | None = None
    printed: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The caller's environment with AWS's files inside the home, so that nobody's profile is touched."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "SAGEMAKER_", "CLARY_H"))}
        files = {
            "AWS_CONFIG_FILE": str(self.home / "aws" / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "aws" / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return clean | files

    def start(self) -> None:
        self.launch()
        self._wait()

    def launch(self) -> None:
        """Start it without waiting for its first answer."""
        command = [
            *self.before,
            sys.executable,
            "-m",
            "clary.cli",
            "up",
            "--home",
            str(self.home),
            "--port",
            str(self.port),
        ]
        log = (self.home.parent / f"{self.home.name}.log").open("a")
        self.process = subprocess.Popen(
            [*command, *self.arguments], env=self.environment, stdout=log, stderr=subprocess.STDOUT, text=True
        )

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0 and self._answers():
                    return
            time.sleep(0.05)
        raise AssertionError("Clary did not start:\n" + self.log())

    def _answers(self) -> bool:
        try:
            self.client("sts", retries=0).get_caller_identity()
        except Exception:
            return False
        return True

    def log(self) -> str:
        return (self.home.parent / f"{self.home.name}.log").read_text()

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def credentials(self) -> dict[str, str]:
        return dict(json.loads((self.home / "credentials.json").read_text()))

    @property
    def account(self) -> str:
        return self.credentials()["account"]

    @property
    def role(self) -> str:
        return f"arn:aws:iam::{self.account}:role/ClaryExecutionRole"

    def client(self, service: str, retries: int = 2, **config: Any) -> Any:
        found = self.credentials()
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=found["access_key_id"],
            aws_secret_access_key=found["secret_access_key"],
            config=Config(retries={"max_attempts": retries}, signature_version="s3v4", **config)
            if service == "s3"
            else Config(retries={"max_attempts": retries}, **config),
        )


PORTS = range(8_200, 12_000)
"""Below the ports that outgoing connections take: a server that is killed must find its own again."""


def free_port() -> int:
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True)
class Story:
    """What `clary demo` printed, and the names that it gave to its jobs."""

    printed: str
    sklearn: str
    xgboost: str
    clarify: str
    report_url: str

    @staticmethod
    def told(clary: Clary) -> Story:
        command = [sys.executable, "-m", "clary.cli", "demo", "--home", str(clary.home)]
        done = subprocess.run(
            command, env=clary.environment, capture_output=True, text=True, check=False, timeout=280
        )
        assert done.returncode == 0, done.stdout + done.stderr
        sagemaker = clary.client("sagemaker")
        training = sagemaker.list_training_jobs(NameContains="demo-")["TrainingJobSummaries"]
        processing = sagemaker.list_processing_jobs(NameContains="demo-clarify-")["ProcessingJobSummaries"]
        names = {job["TrainingJobName"].split("-")[1]: job["TrainingJobName"] for job in training}
        (url,) = [word for word in done.stdout.split() if "X-Amz-Signature" in word]
        return Story(done.stdout, names["sklearn"], names["xgboost"], processing[0]["ProcessingJobName"], url)
