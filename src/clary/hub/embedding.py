"""Recipe: MiniLM itself as a sentence-embedding model."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from clary.hub import archive, bert, minilm
from clary.hub.packages import Say
from clary.hub.textmodel import EMBEDDING


def build(identity: str, folder: Path, cache: Path, say: Say = print) -> None:
    """Write the model folder: mean-pooled vectors of 384 numbers and length 1. Raises PackageError."""
    base = minilm.checkpoint(cache, say)
    manifest = {
        "format": 1,
        "id": identity,
        "task": EMBEDDING,
        "languages": ["en"],
        "max_length": minilm.MAX_LENGTH,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "base_model": f"all-MiniLM-L6-v2 ({minilm.PACKAGE.name} {minilm.PACKAGE.version})",
        "licence": minilm.PACKAGE.licence,
    }
    archive.write_folder(folder, bert.encoder(base.weights, base.config), base.tokenizer, manifest)
