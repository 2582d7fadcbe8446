"""A client of training and processing jobs: each runs once, ends as it should, and leaves all its output."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from survival.ledger import Ledger, client, lost_if_dead

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
KINDS = ("Training", "Processing")
FINAL = ("Completed", "Failed", "Stopped")
MOST_AT_ONCE = 5
SCRIPT = (
    "echo up; : > {out}/run-$(cat /proc/sys/kernel/random/uuid);"
    " head -c {size} /dev/urandom > {out}/data; sha256sum < {out}/data > {out}/sum;"
    " sleep {seconds}; echo done; exit {code}"
)


@dataclass
class Job:
    ends: str
    """How it ends by itself."""
    stop: str = ""
    """"", or "maybe" or "acknowledged" where it was to be stopped."""
    status: str = ""
    """Its final status, once a client has seen it."""


class JobClient:
    """Jobs with names of their own, some of which are stopped or deleted."""

    def __init__(self, clary: Any, bucket: str, prefix: str) -> None:
        self._sagemaker, self._s3 = client(clary, "sagemaker"), client(clary, "s3")
        self._logs = client(clary, "logs")
        self._role, self._bucket, self._prefix = clary.role, bucket, prefix
        self._ledger: Ledger[str] = Ledger()
        """Job name -> its kind."""
        self._jobs: dict[str, Job] = {}
        self._number = 0

    def step(self, chance: random.Random) -> None:
        active = [name for name in self._ledger.there() if not self._jobs[name].status]
        if len(active) < MOST_AT_ONCE and chance.random() < 0.4:
            self._create(chance)
        elif active and chance.random() < 0.15:
            self._stop(chance.choice(active))
        elif active:
            time.sleep(0.03)
            with lost_if_dead():
                self._look(chance.choice(active))
        elif chance.random() < 0.2:
            self._delete(chance)

    def _create(self, chance: random.Random) -> None:
        self._number += 1
        name = f"{self._prefix}-{self._number}"
        kind = chance.choice(["Training", "Training", "Processing"])
        code = chance.choice([0, 0, 0, 0, 3])
        self._jobs[name] = Job("Failed" if code else "Completed")
        out = "/opt/ml/model" if kind == "Training" else "/opt/ml/processing/out"
        seconds = chance.choice([0, 0, 0.2, 0.6])
        text = SCRIPT.format(out=out, size=chance.choice([10, 1_500_000]), seconds=seconds, code=code)
        with self._ledger.write({name: kind}):
            self._begin(kind, name, ["/bin/sh", "-c", text])

    def _begin(self, kind: str, name: str, argv: list[str]) -> None:
        cluster = {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
        if kind == "Training":
            self._sagemaker.create_training_job(
                TrainingJobName=name,
                RoleArn=self._role,
                AlgorithmSpecification={
                    "TrainingImage": IMAGE,
                    "TrainingInputMode": "File",
                    "ContainerEntrypoint": argv,
                },
                OutputDataConfig={"S3OutputPath": f"s3://{self._bucket}/jobs"},
                ResourceConfig=cluster,
                StoppingCondition={"MaxRuntimeInSeconds": 300},
            )
            return
        place = {
            "S3Uri": f"s3://{self._bucket}/jobs/{name}/out",
            "LocalPath": "/opt/ml/processing/out",
            "S3UploadMode": "EndOfJob",
        }
        self._sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=self._role,
            AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": argv},
            ProcessingResources={"ClusterConfig": cluster},
            ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": place}]},
        )

    def _stop(self, name: str) -> None:
        kind, job = self._ledger.there()[name], self._jobs[name]
        job.stop = job.stop or "maybe"
        with lost_if_dead():
            try:
                if kind == "Training":
                    self._sagemaker.stop_training_job(TrainingJobName=name)
                else:
                    self._sagemaker.stop_processing_job(ProcessingJobName=name)
            except ClientError as error:
                assert "is in status" in str(error)
                return
        job.stop = "acknowledged"

    def _delete(self, chance: random.Random) -> None:
        ended = [name for name in self._ledger.there() if self._jobs[name].status]
        if not ended:
            return
        name = chance.choice(ended)
        kind = self._ledger.there()[name]
        with self._ledger.write({name: None}):
            if kind == "Training":
                self._sagemaker.delete_training_job(TrainingJobName=name)
            else:
                self._sagemaker.delete_processing_job(ProcessingJobName=name)

    def _look(self, name: str) -> str:
        """Its status; a job at rest must have ended as it should, and never changes again."""
        found = self._describe(self._ledger.there()[name], name)
        assert found is not None, f"{name} is gone"
        status, job = found[f"{self._ledger.there()[name]}JobStatus"], self._jobs[name]
        if job.status:
            assert status == job.status, f"{name} was {job.status} and is {status}"
        elif status in FINAL:
            allowed = {job.ends, "Stopped"} if job.stop else {job.ends}
            assert status in allowed, f"{name}: {status}: {found.get('FailureReason')}"
            job.status = status
        return str(status)

    def _describe(self, kind: str, name: str) -> Any:
        try:
            if kind == "Training":
                return self._sagemaker.describe_training_job(TrainingJobName=name)
            return self._sagemaker.describe_processing_job(ProcessingJobName=name)
        except ClientError as error:
            assert "not found" in str(error) or "Could not find" in str(error)
            return None

    # After a restart.

    def check(self, everything: bool = False) -> None:
        open_ = {name for name in self._ledger.known if everything or not self._jobs[name].status}
        for name in open_ | self._ledger.wished.keys():
            found = [kind for kind in KINDS if self._describe(kind, name)]
            self._ledger.settle(name, found[0] if found else None)
            if found:
                self._look(name)
        if everything:
            self._check_end()

    def _check_end(self) -> None:
        end = time.monotonic() + 60
        for name in self._ledger.there():
            while self._look(name) not in FINAL:
                assert time.monotonic() < end, f"{name} never ended"
                time.sleep(0.05)
        for kind in KINDS:
            listed = {item[f"{kind}JobName"]: item[f"{kind}JobStatus"] for item in self._listed(kind)}
            there = {n: self._jobs[n].status for n, k in self._ledger.there().items() if k == kind}
            assert listed == there
        for name, kind in self._ledger.there().items():
            self._check_output(name, kind, self._jobs[name])

    def _listed(self, kind: str) -> list[Any]:
        paginator = self._sagemaker.get_paginator(f"list_{kind.lower()}_jobs")
        pages = paginator.paginate(NameContains=self._prefix, PaginationConfig={"PageSize": 7})
        return [item for page in pages for item in page[f"{kind}JobSummaries"]]

    def _check_output(self, name: str, kind: str, job: Job) -> None:
        """Whole, and of one run."""
        lines = self._log(kind, name)
        assert lines.count("up") <= 1, f"{name} ran {lines.count('up')} times"
        files = self._model(name) if kind == "Training" else self._outputs(name)
        if job.status == "Completed":
            assert lines == ["up", "done"], f"{name}: {lines}"
            assert len([file for file in files if file.startswith("run-")]) == 1
            assert files["sum"].split()[0].decode() == hashlib.sha256(files["data"]).hexdigest()

    def _model(self, name: str) -> dict[str, bytes]:
        found = self._describe("Training", name)["ModelArtifacts"]["S3ModelArtifacts"]
        if not found:
            return {}
        bucket, _, key = found.removeprefix("s3://").partition("/")
        data = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            return {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}  # type: ignore[union-attr]

    def _outputs(self, name: str) -> dict[str, bytes]:
        prefix = f"jobs/{name}/out/"
        found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix).get("Contents", ())
        return {
            item["Key"].removeprefix(prefix): self._s3.get_object(Bucket=self._bucket, Key=item["Key"])[
                "Body"
            ].read()
            for item in found
        }

    def _log(self, kind: str, name: str) -> list[str]:
        group = f"/aws/sagemaker/{kind}Jobs"
        try:
            streams = self._logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")
        except ClientError:
            return []
        if not streams["logStreams"]:
            return []
        stream = streams["logStreams"][0]["logStreamName"]
        found = self._logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
        return [event["message"] for event in found["events"]]
