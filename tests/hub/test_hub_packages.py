"""Fetching files out of packages: pip's own configuration, hashes, caches, and no network."""

from __future__ import annotations

import hashlib
import io
import tarfile
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from clary.hub.packages import PackageError, PackageFile, default_cache, fetch

WHEEL = "fruit_facts-1.0-py3-none-any.whl"


def fruit_wheel() -> bytes:
    """A wheel with one data file and one archive that holds another."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as tar:
        text = b"bananas are berries\n"
        member = tarfile.TarInfo("facts/berries.txt")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        info = "fruit_facts-1.0.dist-info"
        archive.writestr("fruit_facts/prices.csv", "banana,0.2\n")
        archive.writestr("fruit_facts/more.tar.gz", inner.getvalue())
        archive.writestr("../escaped.txt", "out")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: fruit-facts\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel.getvalue()


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without a network, whose pip is configured to take packages from a folder."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def package(mirror: Path) -> PackageFile:
    data = fruit_wheel()
    (mirror / WHEEL).write_bytes(data)
    return PackageFile(
        name="fruit-facts",
        version="1.0",
        filename=WHEEL,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        members=("fruit_facts/prices.csv", "fruit_facts/more.tar.gz!facts/berries.txt"),
        licence="MIT",
    )


def test_files_come_through_the_users_pip_configuration(package: PackageFile, tmp_path: Path) -> None:
    said: list[str] = []
    folder = fetch(package, tmp_path / "cache", said.append)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "prices.csv": "banana,0.2\n",
        "berries.txt": "bananas are berries\n",
    }
    assert said == ["Downloading fruit-facts 1.0 (0.0 MB) from your package index"]
    assert not list((tmp_path / "cache").rglob("*.whl")), "the archive itself is not kept"


def test_what_is_cached_is_not_downloaded_again(package: PackageFile, mirror: Path, tmp_path: Path) -> None:
    folder = fetch(package, tmp_path, lambda _: None)
    (mirror / WHEEL).unlink()
    said: list[str] = []
    assert fetch(package, tmp_path, said.append) == folder
    assert said == []
    (folder / "prices.csv").unlink()
    with pytest.raises(PackageError):
        fetch(package, tmp_path, said.append)


def test_without_the_package_the_message_says_which_file_to_put_where(
    package: PackageFile, mirror: Path, tmp_path: Path
) -> None:
    wheel = (mirror / WHEEL).rename(tmp_path / "carried-on-a-stick")
    begin = time.monotonic()
    with pytest.raises(PackageError) as caught:
        fetch(package, tmp_path / "cache", lambda _: None)
    assert time.monotonic() - begin < 20
    downloads = tmp_path / "cache" / "downloads"
    for word in ("fruit-facts==1.0", WHEEL, package.sha256, str(downloads), "No matching distribution"):
        assert word in str(caught.value)
    downloads.mkdir()
    wheel.rename(downloads / WHEEL)
    assert (fetch(package, tmp_path / "cache") / "prices.csv").is_file()
    assert (downloads / WHEEL).is_file(), "what a person put there stays"


def test_an_index_that_cannot_be_reached_fails_at_once(
    package: PackageFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    begin = time.monotonic()
    with pytest.raises(PackageError, match=r"could not be downloaded from your package index"):
        fetch(package, tmp_path, lambda _: None)
    assert time.monotonic() - begin < 20


def test_a_package_with_another_hash_is_refused(package: PackageFile, mirror: Path, tmp_path: Path) -> None:
    (mirror / WHEEL).write_bytes(fruit_wheel() + b"tampered")
    with pytest.raises(PackageError, match=r"(?i)hash"):
        fetch(package, tmp_path, lambda _: None)
    given = tmp_path / "downloads" / WHEEL
    given.parent.mkdir()
    given.write_bytes(b"half a downl")
    with pytest.raises(PackageError, match=r"Delete it and download it again"):
        fetch(package, tmp_path, lambda _: None)
    assert not list(tmp_path.rglob("prices.csv"))


def test_a_source_archive_runs_nothing_before_its_hash_is_checked(mirror: Path, tmp_path: Path) -> None:
    """pip runs a source archive's build backend for its metadata; this one leaves a mark when it is run."""
    mark = tmp_path / "backend-was-run"
    backend = f"""
import os, pathlib
def prepare_metadata_for_build_wheel(folder, settings=None):
    pathlib.Path({str(mark)!r}).touch()
    os.mkdir(os.path.join(folder, "nuts-1.0.dist-info"))
    metadata = pathlib.Path(folder, "nuts-1.0.dist-info", "METADATA")
    metadata.write_text("Metadata-Version: 2.1\\nName: nuts\\nVersion: 1.0\\n")
    return "nuts-1.0.dist-info"
"""
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    with tarfile.open(mirror / "nuts-1.0.tar.gz", "w:gz") as tar:
        for name, text in (("pyproject.toml", project), ("backend.py", backend), ("data.txt", "walnut")):
            member = tarfile.TarInfo(f"nuts-1.0/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    data = (mirror / "nuts-1.0.tar.gz").read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    nuts = PackageFile("nuts", "1.0", "nuts-1.0.tar.gz", sha256, len(data), ("nuts-1.0/data.txt",), "MIT")
    with pytest.raises(PackageError, match=r"(?i)hash"):
        fetch(replace(nuts, sha256="0" * 64), tmp_path / "cache", lambda _: None)
    assert not mark.exists()
    assert (fetch(nuts, tmp_path / "cache", lambda _: None) / "data.txt").read_text() == "walnut"
    assert mark.exists()


@pytest.mark.parametrize("member", ["fruit_facts/absent.csv", "fruit_facts/prices.csv!x", "nothing.tar.gz!x"])
def test_a_member_that_is_not_there_is_named(package: PackageFile, tmp_path: Path, member: str) -> None:
    with pytest.raises(PackageError, match="holds no file"):
        fetch(replace(package, members=(member,)), tmp_path, lambda _: None)


def test_a_hostile_member_name_stays_inside_the_cache(package: PackageFile, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    fetch(replace(package, members=("../escaped.txt",)), cache, lambda _: None)
    assert [path.relative_to(cache).as_posix() for path in cache.rglob("escaped.txt")] == [
        "packages/fruit-facts-1.0/escaped.txt"
    ]
    assert not (tmp_path / "escaped.txt").exists()


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLARY_CACHE", str(tmp_path / "here"))
    assert default_cache() == tmp_path / "here"
    monkeypatch.delenv("CLARY_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "clary"
