"""Other S3 clients, unchanged: the AWS CLI, pyarrow, Polars, obstore, and s3fs in its own environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.fs
import pytest

ROOT = Path(__file__).parents[2]
S3FS = ROOT / ".venvs" / "s3fs" / "bin" / "python"


@pytest.fixture(scope="module")
def table(clary: Any) -> str:
    s3 = clary.client("s3")
    s3.create_bucket(Bucket="clients")
    frame = pl.DataFrame({"a": list(range(1000)), "b": [f"row {n}" for n in range(1000)]})
    path = clary.home / "t.parquet"
    frame.write_parquet(path)
    frame.write_csv(clary.home / "t.csv")
    s3.upload_file(str(path), "clients", "set/t.parquet")
    s3.upload_file(str(clary.home / "t.csv"), "clients", "set/t.csv")
    return "clients/set"


def test_polars_reads_a_training_set(clary: Any, table: str) -> None:
    keys = clary.credentials()
    options = {
        "aws_access_key_id": keys["access_key_id"],
        "aws_secret_access_key": keys["secret_access_key"],
        "aws_endpoint_url": clary.url,
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    frame = (
        pl.scan_parquet(f"s3://{table}/*.parquet", storage_options=options).filter(pl.col("a") < 10).collect()
    )
    assert frame["b"].to_list() == [f"row {n}" for n in range(10)]
    assert pl.read_csv(f"s3://{table}/t.csv", storage_options=options).height == 1000


def test_pyarrow(clary: Any, table: str) -> None:
    keys = clary.credentials()
    files = pyarrow.fs.S3FileSystem(
        access_key=keys["access_key_id"],
        secret_key=keys["secret_access_key"],
        endpoint_override=clary.url,
        region="us-east-1",
    )
    with files.open_output_stream("clients/arrow/x.bin") as out:
        out.write(b"x" * 1_000_000)
    info = files.get_file_info("clients/arrow/x.bin")
    assert info.size == 1_000_000
    found = files.get_file_info(pyarrow.fs.FileSelector(table))
    assert sorted(item.base_name for item in found) == ["t.csv", "t.parquet"]
    files.copy_file("clients/arrow/x.bin", "clients/arrow/y.bin")
    files.delete_file("clients/arrow/x.bin")
    assert files.open_input_file("clients/arrow/y.bin").read(3) == b"xxx"


def test_obstore(clary: Any, table: str) -> None:
    import obstore
    from obstore.store import S3Store

    keys = clary.credentials()
    store = S3Store(
        "clients",
        endpoint=clary.url,
        access_key_id=keys["access_key_id"],
        secret_access_key=keys["secret_access_key"],
        region="us-east-1",
        client_options={"allow_http": True},
    )
    obstore.put(store, "ob/ü", b"y" * 12_000_000)
    assert bytes(obstore.get_range(store, "ob/ü", start=5, length=3)) == b"yyy"
    assert [item["path"] for page in obstore.list(store, "ob") for item in page] == ["ob/ü"]
    obstore.rename(store, "ob/ü", "ob/z")
    obstore.delete(store, "ob/z")


def cli(clary: Any, *arguments: str) -> str:
    command = [str(Path(sys.executable).parent / "aws"), *arguments]
    environment = clary.environment | {"AWS_PROFILE": "clary", "AWS_PAGER": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_aws_cli_by_the_profile_alone(clary: Any, table: str, tmp_path: Path) -> None:
    for name in ("one", "two/three"):
        (tmp_path / "up" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "up" / name).write_text(name)
    cli(clary, "s3", "sync", str(tmp_path / "up"), "s3://clients/cli")
    assert "three" in cli(clary, "s3", "ls", "--recursive", "s3://clients/cli/")
    cli(clary, "s3", "cp", "--recursive", "s3://clients/cli", str(tmp_path / "down"))
    assert (tmp_path / "down" / "two" / "three").read_text() == "two/three"
    cli(clary, "s3", "rm", "--recursive", "s3://clients/cli")
    assert clary.account in cli(clary, "sts", "get-caller-identity")


S3FS_SCRIPT = """
import s3fs, polars as pl
fs = s3fs.S3FileSystem()
assert sorted(p.rpartition("/")[2] for p in fs.ls("clients/set")) == ["t.csv", "t.parquet"]
with fs.open("clients/set/t.csv", "rb") as f:
    assert pl.read_csv(f).height == 1000
with fs.open("clients/s3fs/big", "wb") as f:
    f.write(b"z" * 12_000_000)
assert fs.info("clients/s3fs/big")["size"] == 12_000_000
assert fs.cat_file("clients/s3fs/big", start=5, end=8) == b"zzz"
fs.mv("clients/s3fs/big", "clients/s3fs/moved")
fs.rm("clients/s3fs", recursive=True)
assert not fs.exists("clients/s3fs/moved")
"""


def test_s3fs_by_the_profile_alone(clary: Any, table: str) -> None:
    assert S3FS.exists(), "make test makes .venvs/s3fs"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    environment |= clary.environment | {"AWS_PROFILE": "clary"}
    done = subprocess.run(
        [str(S3FS), "-c", S3FS_SCRIPT], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
