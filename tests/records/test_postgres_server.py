"""A Clary whose records are in PostgreSQL: the same calls, and a database that goes away and comes back."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.backends.sql import SqlStore
from clary.settings import SettingsError
from jobs.conftest import Jobs, jobs_of
from records.conftest import ACCOUNT, url_of
from records.postgres import PASSWORD, USER, Postgres
from records.wire import Wire
from running import Clary, free_port
from survival import home
from survival.endpoint_client import EndpointClient

SMALL = {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
RUNS_ONCE = """
import os, time, uuid
open(os.environ["SM_MODEL_DIR"] + "/" + uuid.uuid4().hex, "w").write("run")
print("up", flush=True)
time.sleep({seconds})
print("done", flush=True)
"""


@pytest.fixture
def pg_jobs(own_postgres: Postgres, tmp_path: Path) -> Iterator[Jobs]:
    """A user's jobs on a Clary with a cluster of its own."""
    url = url_of(own_postgres, own_postgres.database(), "postgresql+psycopg")
    server = Clary(tmp_path / "home", free_port(), ("--database", url))
    server.start()
    yield jobs_of(server)
    server.stop()
    home.end_programs(server.home)


def code(call: Any, **arguments: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def test_the_records_lie_in_postgresql(pg_jobs: Jobs, own_postgres: Postgres) -> None:
    sagemaker = pg_jobs.sagemaker
    container = {"Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"}
    tags = [{"Key": "Straße", "Value": "süß"}]
    for number in range(12):
        made = sagemaker.create_model(
            ModelName=f"model-{number:02}",
            PrimaryContainer=container | {"Environment": {"A": "日本"}},
            ExecutionRoleArn=pg_jobs.clary.role,
            Tags=tags,
        )
    found = sagemaker.describe_model(ModelName="model-11")
    assert found["PrimaryContainer"]["Environment"] == {"A": "日本"}
    assert sagemaker.list_tags(ResourceArn=made["ModelArn"])["Tags"] == tags
    sagemaker.add_tags(ResourceArn=made["ModelArn"], Tags=[{"Key": "Straße", "Value": ""}])
    assert sagemaker.list_tags(ResourceArn=made["ModelArn"])["Tags"] == [{"Key": "Straße", "Value": ""}]
    again = code(
        sagemaker.create_model,
        ModelName="model-03",
        PrimaryContainer=container,
        ExecutionRoleArn=pg_jobs.clary.role,
    )
    assert again[:2] == ("ValidationException", 400)
    pages = sagemaker.get_paginator("list_models").paginate(
        SortBy="Name", SortOrder="Descending", PaginationConfig={"PageSize": 5}
    )
    names = [item["ModelName"] for page in pages for item in page["Models"]]
    assert names == [f"model-{number:02}" for number in reversed(range(12))]
    variant = {"VariantName": "v", "ModelName": "model-00", "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(
        EndpointConfigName="config", ProductionVariants=[variant | {"InitialInstanceCount": 1}]
    )
    sagemaker.delete_endpoint_config(EndpointConfigName="config")
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    sagemaker.delete_model(ModelName="model-00")
    assert code(sagemaker.describe_model, ModelName="model-00")[1] == 400
    assert own_postgres.ask("records1", "SELECT count(*) FROM records WHERE kind = 'Model'") == "11"
    assert not list(pg_jobs.clary.home.glob("clary.db*"))


def test_jobs_and_a_killed_server(pg_jobs: Jobs) -> None:
    names = [
        pg_jobs.train(pg_jobs.script(RUNS_ONCE.format(seconds=seconds), ResourceConfig=SMALL))
        for seconds in (1.0, 0.1, 0.1)
    ]
    pg_jobs.logged(names[0], "up")
    for _ in range(3):
        pg_jobs.clary.kill()
        pg_jobs.clary.start()
        time.sleep(0.2)
    for name in names:
        found = pg_jobs.end(name)
        assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
        assert len(pg_jobs.unpacked(found["ModelArtifacts"]["S3ModelArtifacts"])) == 1
        assert pg_jobs.log(name)[1:] == ["up", "done"]
    listed = pg_jobs.sagemaker.list_training_jobs(
        SortBy="Name", SortOrder="Ascending", StatusEquals="Completed"
    )
    assert [item["TrainingJobName"] for item in listed["TrainingJobSummaries"]] == sorted(names)


def test_a_database_that_is_killed_comes_back(pg_jobs: Jobs, own_postgres: Postgres) -> None:
    """Without a restart of Clary; what runs meanwhile goes on, and objects need no database."""
    sagemaker = pg_jobs.clary.client("sagemaker", retries=0)
    pg_jobs.put("kept", "object")
    runtime = pg_jobs.clary.client("sagemaker-runtime", retries=0)
    EndpointClient(pg_jobs.clary, pg_jobs.bucket, "unused")  # prepares a model and its configuration
    sagemaker.create_endpoint(EndpointName="doubles", EndpointConfigName="deploy-2")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="doubles", WaiterConfig={"Delay": 1})
    name = pg_jobs.train(pg_jobs.script(RUNS_ONCE.format(seconds=2), ResourceConfig=SMALL))
    waiting = pg_jobs.train(pg_jobs.script(RUNS_ONCE.format(seconds=0), ResourceConfig=SMALL))
    pg_jobs.logged(name, "up")
    own_postgres.kill()
    for _ in range(3):
        start = time.monotonic()
        error, status, message = code(sagemaker.describe_training_job, TrainingJobName=name)
        assert (error, status) == ("ServiceUnavailable", 503)
        assert "Clary's database cannot be used now" in message
        assert "Try again" in message
        assert PASSWORD not in message
        assert time.monotonic() - start < 8
    assert pg_jobs.s3.get_object(Bucket=pg_jobs.bucket, Key="kept")["Body"].read() == b"object"
    answer = runtime.invoke_endpoint(EndpointName="doubles", ContentType="text/csv", Body="1,2")
    assert answer["Body"].read() == b"[[2.0, 4.0]]"
    time.sleep(2)  # the job ends while nobody can write it down
    own_postgres.start()
    for job in (name, waiting):
        found = pg_jobs.end(job)
        assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
        assert pg_jobs.log(job)[1:] == ["up", "done"]
        assert len(pg_jobs.unpacked(found["ModelArtifacts"]["S3ModelArtifacts"])) == 1
    assert "Traceback" not in pg_jobs.clary.log()


def test_a_job_whose_acknowledgement_was_lost_runs_once(postgres: Postgres, tmp_path: Path) -> None:
    """The database took it, and the connection broke before it could say so."""
    name = postgres.database()
    with Wire(postgres.port) as wire:
        url = url_of(postgres, name).replace(f":{postgres.port}/", f":{wire.port}/")
        server = Clary(tmp_path / "home", free_port(), ("--database", url))
        server.start()
        user = jobs_of(server)
        user.sagemaker = server.client("sagemaker", retries=0)
        request = user.script(RUNS_ONCE.format(seconds=0), ResourceConfig=SMALL)
        wire.cut_at_commit()
        error, status, _ = code(user.sagemaker.create_training_job, **request)
        assert (error, status) == ("ServiceUnavailable", 503)
        found = user.end(request["TrainingJobName"])
        assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
        assert user.log(request["TrainingJobName"])[1:] == ["up", "done"]
        server.stop()


def test_a_start_without_its_database(own_postgres: Postgres, tmp_path: Path) -> None:
    url = url_of(own_postgres, own_postgres.database())
    own_postgres.kill()
    for place in (url, "postgresql://u@198.51.100.1/records?connect_timeout=2"):
        ended = up(tmp_path, place)
        assert ended.returncode == 1
        assert ended.stderr.startswith("clary: Clary's database cannot be used now: ")
        assert len(ended.stderr.splitlines()) == 1
        assert PASSWORD not in ended.stderr


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_urls_as_users_write_them(postgres: Postgres, scheme: str) -> None:
    name = postgres.database()
    SqlStore(url_of(postgres, name, scheme), ACCOUNT).close()
    quoted = url_of(postgres, name, scheme).partition("@")[0]
    SqlStore(f"{quoted}@/{name}?host={postgres.folder}&port={postgres.port}", ACCOUNT).close()
    assert postgres.ask(name, "SELECT account FROM owner") == ACCOUNT


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://u@h/d", "mysql is not built in Clary; use postgresql:// or sqlite:///"),
        ("postgresql+psycopg2://u@h/d", r"postgresql\+psycopg2 is not built in Clary"),
        ("records.db", "must be a URL such as postgresql://USER@HOST/NAME, not 'records.db'"),
        ("sqlite://", "sqlite needs a file"),
        ("postgresql://u@h:port/d", "must be a URL"),
    ],
)
def test_urls_that_cannot_be_used(url: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        SqlStore(url, ACCOUNT)


def test_wrong_password_and_missing_database(postgres: Postgres, tmp_path: Path) -> None:
    place = f"127.0.0.1:{postgres.port}/postgres"
    assert "password authentication failed" in up(tmp_path, f"postgresql://{USER}:wrong@{place}").stderr
    assert 'database "nowhere" does not exist' in up(tmp_path, url_of(postgres, "nowhere")).stderr


def test_a_second_home_on_one_database(postgres: Postgres, tmp_path: Path) -> None:
    url = url_of(postgres, postgres.database())
    SqlStore(url, ACCOUNT).close()
    ended = up(tmp_path, url)
    assert ended.returncode == 2
    assert "Give each home a database of its own" in ended.stderr


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    ended = up(tmp_path, "postgresql://u@h/d", "import sys; sys.modules['psycopg'] = None")
    assert (ended.returncode, ended.stdout) == (2, "")
    wanted = "clary: database: PostgreSQL needs the extra `postgres`: pip install 'clary[postgres]'\n"
    assert ended.stderr == wanted


def up(folder: Path, url: str, first: str = "") -> subprocess.CompletedProcess[str]:
    """`clary up` that does not come up."""
    server = Clary(folder / "home", free_port())
    arguments = ["up", "--home", str(server.home), "--port", str(server.port), "--database", url]
    code = f"{first}\nimport sys\nfrom clary.cli import main\nsys.exit(main({arguments!r}))"
    return subprocess.run(
        [sys.executable, "-c", code],
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
