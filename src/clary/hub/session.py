"""Texts through a tokenizer and an ONNX graph: the part that every text model here shares.

Imported by inference workers: it must stay light, so that an endpoint starts in well under a second.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Encoding, Tokenizer

Array = np.ndarray[Any, np.dtype[np.float32]]

_BATCH = 8
"""Texts at once: larger batches lose more to padding on a CPU than they gain."""
_LONGEST = 65_536
"""Characters of a text that are read at all; models cut at a few hundred tokens."""


@dataclass(frozen=True, slots=True)
class TextSession:
    """A tokenizer that cuts at the model's length, and a graph with one output row per text."""

    tokenizer: Any
    graph: Any

    def run(self, texts: Sequence[str]) -> Array:
        """One row of the graph's output per text, in the order of the texts: shape (len(texts), width)."""
        encodings = self.tokenizer.encode_batch([text[:_LONGEST] for text in texts])
        width = self.graph.get_outputs()[0].shape[1]
        rows: Array = np.empty((len(encodings), width), np.float32)
        for places in _batches(encodings):
            rows[places] = self.graph.run(None, _padded([encodings[place] for place in places]))[0]
        return rows


def open_session(
    graph: Path | bytes, tokenizer: Path, max_length: int, threads: int | None = None
) -> TextSession:
    """`threads` serve one request, None takes all cores. Raises what both libraries raise for bad files."""
    # Read when the library is loaded: without it, ONNX Runtime tells Microsoft about every session.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    cutter = Tokenizer.from_file(str(tokenizer))
    cutter.no_padding()
    cutter.enable_truncation(max_length)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    # A spinning pool keeps a whole core busy between requests.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = graph if isinstance(graph, bytes) else str(graph)
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    return TextSession(cutter, session)


def _batches(encodings: Sequence[Encoding]) -> Iterator[list[int]]:
    """Texts of like length together, so that little is spent on padding."""
    order = sorted(range(len(encodings)), key=lambda place: len(encodings[place].ids))
    return (order[start : start + _BATCH] for start in range(0, len(order), _BATCH))


def _padded(encodings: Sequence[Encoding]) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
    shape = (len(encodings), max(len(encoding.ids) for encoding in encodings))
    ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, encoding in enumerate(encodings):
        ids[row, : len(encoding.ids)] = encoding.ids
        mask[row, : len(encoding.ids)] = 1
    return {"input_ids": ids, "attention_mask": mask}
