"""Model folders and their archives: the same files give the same bytes, and a name appears when complete."""

from __future__ import annotations

import gzip
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from clary.hub.textmodel import GRAPH, MANIFEST, TOKENIZER


def write_folder(folder: Path, graph: onnx.ModelProto, tokenizer: Path, manifest: Mapping[str, Any]) -> None:
    """The three files that `clary.hub.textmodel.load` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph, folder / GRAPH)
    (folder / TOKENIZER).write_bytes(tokenizer.read_bytes())
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def pack(folder: Path, archive: Path) -> Path:
    """The folder's files, without the folder, in a gzipped tar archive."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    part = archive.with_name(f".{archive.name}.{os.getpid()}")
    # Weights hardly shrink, so the fastest level it is.
    with (
        part.open("wb") as raw,
        gzip.GzipFile("", "wb", 1, raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name, filter=_anonymous)
    return part.replace(archive)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nothing of who packed it or when."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime, member.mode = 0, 0o644
    return member
