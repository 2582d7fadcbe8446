"""What an explanation of text is, and how Clarify writes it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clary.clarify.shap.coalitions import Floats
from clary.clarify.shap.explanation import AGGREGATE
from clary.clarify.text.units import Unit

TEXT, NUMBER, CATEGORY = "free_text", "numerical", "categorical"


@dataclass(frozen=True)
class TextExplanation:
    """SHAP values of n rows and k outputs; each unit of a row's texts and each other feature has one.

    The values of all rows stand one after the other: those of row r's feature f from `starts[r, f]` to
    `starts[r, f + 1]`, one for each of its units, or one where it is no text.
    """

    features: pd.DataFrame
    """The rows as the model got them."""
    names: list[str]
    """The features, in the order of `starts`."""
    units: Mapping[str, Sequence[Sequence[Unit]]]
    """The units of each text column, row by row."""
    outputs: list[str]
    values: Floats
    """Shape (all players, k)."""
    errors: Floats
    """The standard errors by the coalitions that were drawn; 0 where exact, NaN where it cannot be told."""
    starts: np.ndarray[Any, np.dtype[np.int64]]
    scores: Floats
    """Shape (n, k): the rows' own scores."""
    bases: Floats
    """Shape (n, k): their scores with every unit replaced and every other feature as in the baseline. A
    row's values add up to the difference."""
    baseline: pd.DataFrame
    agg_method: str
    max_top_tokens: int
    evaluations: int
    """How many rows the model was asked."""

    @property
    def efficiency_gap(self) -> float:
        """The largest difference between a row's score and what its values add up to."""
        sums = _sums(self.values, self.starts[:, 0], self.starts[:, -1]) + self.bases
        return float(np.abs(sums - self.scores).max(initial=0.0))

    @property
    def expected(self) -> Floats:
        """Shape (k,): the mean score of what is left when nothing of a row is known."""
        return np.asarray(self.bases.mean(axis=0))

    def kind(self, name: str) -> str:
        """free_text, numerical or categorical."""
        if name in self.units:
            return TEXT
        numeric = name in self.features and pd.api.types.is_numeric_dtype(self.features[name].dtype)
        return NUMBER if numeric and not pd.api.types.is_bool_dtype(self.features[name].dtype) else CATEGORY

    def whole(self, name: str) -> Floats:
        """Shape (n, k): what a feature adds to each row's score; a text's units together."""
        f = self.names.index(name)
        return _sums(self.values, self.starts[:, f], self.starts[:, f + 1])

    def strongest(self) -> pd.DataFrame:
        """The features that are no text, the strongest first."""
        strength = {name: np.abs(self.whole(name)).mean(axis=0).max() for name in self.names}
        names = [name for name in self.names if name not in self.units and name in self.features]
        names.sort(key=lambda name: -float(strength[name]))
        return self.features[names]

    def occurrences(self, name: str) -> dict[str, Floats]:
        """The values of every different unit of a text column, shape (times it occurs, k)."""
        texts = [unit.text for of_row in self.units[name] for unit in of_row]
        if not texts:
            return {}
        f = self.names.index(name)
        spans = zip(self.starts[:, f], self.starts[:, f + 1], strict=True)
        values = np.concatenate([self.values[start:end] for start, end in spans])
        codes, different = np.unique(np.array(texts, dtype=object), return_inverse=True)[::-1]
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes))
        return dict(zip(different.tolist(), np.split(values[order], ends[:-1]), strict=True))

    def top(self, name: str, k: int) -> dict[str, float]:
        """The units with the largest global value for an output, aggregated over where they occur."""
        aggregate = AGGREGATE[self.agg_method]
        found = {text: float(aggregate(values[:, k])) for text, values in self.occurrences(name).items()}
        ranked = sorted(found.items(), key=lambda item: (-abs(item[1]), item[0]))
        return dict(ranked[: self.max_top_tokens])

    def in_json(self) -> dict[str, Any]:
        """The kernel_shap part of analysis.json."""
        aggregate = AGGREGATE[self.agg_method]
        overall = {name: aggregate(self.whole(name)) for name in self.names}
        return {
            output: {
                "global_shap_values": {name: float(value[k]) for name, value in overall.items()},
                "expected_value": float(self.expected[k]),
                "global_top_shap_text": {name: self.top(name, k) for name in self.units},
                "efficiency_gap": self.efficiency_gap,
            }
            for k, output in enumerate(self.outputs)
        }

    def records(self, joinsource: Sequence[Any] | None = None) -> Iterator[dict[str, Any]]:
        """The lines of explanations_shap/out.jsonl."""
        for r in range(len(self.scores)):
            record: dict[str, Any] = {"explanations": [self._feature(r, f) for f in range(len(self.names))]}
            if joinsource is not None:
                record["join_source_value"] = joinsource[r]
            yield {**record, "expected_value": self.bases[r].tolist(), "score": self.scores[r].tolist()}

    def _feature(self, r: int, f: int) -> dict[str, Any]:
        name = self.names[f]
        start, end = self.starts[r, f : f + 2]
        units = self.units[name][r] if name in self.units else [None]
        players = zip(self.values[start:end].tolist(), self.errors[start:end].tolist(), units, strict=True)
        attributions = [_attribution(value, error, unit) for value, error, unit in players]
        return {"feature_name": name, "data_type": self.kind(name), "attributions": attributions}


def _attribution(value: list[float], error: list[float], unit: Unit | None) -> dict[str, Any]:
    """What one player adds to each output."""
    found: dict[str, Any] = {
        "attribution": value,
        "standard_error": [one if math.isfinite(one) else None for one in error],
    }
    if unit is not None:
        found["description"] = {"partial_text": unit.text, "start_idx": unit.start}
    return found


def _sums(values: Floats, starts: Any, ends: Any) -> Floats:
    """The sums of spans; 0 where a span is empty."""
    running = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return np.asarray(running[ends] - running[starts])
