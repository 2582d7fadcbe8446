"""A SeaweedFS that runs: the outer S3 of the tests, on loopback and ports of its own."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

WEED = Path(__file__).parents[1] / ".venvs" / "seaweedfs" / "bin" / "weed"
KEY, SECRET = "outer-key", "outer/secret+"
START_SECONDS = 30


@dataclass
class SeaweedFS:
    """All of it in one process; its data stays over `kill` and `start`."""

    folder: Path
    ports: list[int] = field(default_factory=lambda: free_ports(5))
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    def url(self, path: str = "clary") -> str:
        """As Clary's setting `objects` has it."""
        return f"http://{KEY}:outer%2Fsecret%2B@127.0.0.1:{self.ports[0]}/{path}"

    def start(self) -> None:
        assert WEED.exists(), "make test makes .venvs/seaweedfs"
        self.folder.mkdir(exist_ok=True)
        names = ("s3", "master", "volume", "filer", "admin")
        ports = [f"-{name}.port={port}" for name, port in zip(names, self.ports, strict=True)]
        off = ["-admin.ui=false", "-webdav=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        loopback = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"]
        keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "GOMEMLIMIT": "256MiB"}
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [WEED, "mini", f"-dir={self.folder}", *loopback, *ports, *off],
                env={**os.environ, **keys},
                stdout=log,
                stderr=log,
            )
        self._wait()

    def _wait(self) -> None:
        """Until it takes an object, which is some seconds after it listens."""
        s3, end = self.client(), time.monotonic() + START_SECONDS
        while True:
            try:
                if "ready" not in [b["Name"] for b in s3.list_buckets()["Buckets"]]:
                    s3.create_bucket(Bucket="ready")
                s3.put_object(Bucket="ready", Key="ready", Body=b"!")
                return
            except (BotoCoreError, ClientError):
                assert time.monotonic() < end, "SeaweedFS did not start"
                time.sleep(0.1)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        for port in self.ports:
            for number in (port, port + 10000):
                for left in Path(tempfile.gettempdir()).glob(f"seaweedfs-*-{number}.sock"):
                    left.unlink()

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
        )


def free_ports(count: int) -> list[int]:
    """Below 22768, for SeaweedFS listens on each port plus 10,000 as well, and above are clients' own."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(12000, 22000)
        if port not in found and _free(port) and _free(port + 10000):
            found.append(port)
    return found


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
