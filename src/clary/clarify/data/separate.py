"""Facets and predicted labels from files of their own, brought to the rows of the data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.config.analysis import AnalysisConfig, Key
from clary.clarify.data.columns import Column, canonical
from clary.clarify.data.dataset import files_below, read_csv
from clary.clarify.errors import ClarifyError, known

PREDICTED_LABEL = "predicted_label"
"""What Clarify calls the column of a predicted label data set where nobody says."""


@dataclass(frozen=True)
class Separate:
    """The rows of the data set that have a partner in every other file, and what the partners say."""

    rows: NDArray[np.intp]
    facets: pd.DataFrame | None = None
    predicted: Column | None = None


def separate(frame: pd.DataFrame, joinsource: str | None, config: AnalysisConfig) -> Separate:
    """Read the other files: joined by the join source where both have it (an inner join), else row by row."""
    facets, predicted = _facets(config), _predictions(config)
    rows = np.arange(len(frame))
    places: dict[str, NDArray[np.intp]] = {}
    for what, other in (("facet", facets), ("predicted label", predicted)):
        if other is not None:
            places[what] = _partners(frame, other, joinsource, what)
            rows = rows[places[what][rows] >= 0]
    taken = None if facets is None else facets.iloc[places["facet"][rows]].reset_index(drop=True)
    labels = None
    if predicted is not None:
        name = _label_name(predicted, joinsource, config)
        labels = predicted[name].iloc[places["predicted label"][rows]].reset_index(drop=True)
    if taken is not None and joinsource in taken.columns:
        taken = taken.drop(columns=[joinsource])
    return Separate(rows, taken, labels)


def _facets(config: AnalysisConfig) -> pd.DataFrame | None:
    names = [f.name_or_index for f in config.facet]
    return _table(config, "facet_dataset_uri", config.facet_headers, names)


def _predictions(config: AnalysisConfig) -> pd.DataFrame | None:
    names = [config.predicted_label]
    return _table(config, "predicted_label_dataset_uri", config.predicted_label_headers, names)


def _table(
    config: AnalysisConfig, key: str, headers: list[str] | None, names: list[Key] | list[Key | None]
) -> pd.DataFrame | None:
    uri = getattr(config, key)
    if uri is None:
        return None
    path = Path(uri)
    if not path.exists():
        raise ClarifyError(f"{key}: there is no file at {path}.")
    if len(files_below(path)) > 1 and config.joinsource_name_or_index is None:
        raise ClarifyError(
            f"{key} is in several files, whose order says nothing: set joinsource_name_or_index to a column "
            "that both data sets have."
        )
    found = read_csv(path, headers, any(isinstance(name, str) for name in names))
    return found.set_axis(list(map(str, found.columns)), axis=1)


def _label_name(other: pd.DataFrame, joinsource: str | None, config: AnalysisConfig) -> str:
    columns = list(other.columns)
    if config.predicted_label is not None:
        return column_name(config.predicted_label, columns, PREDICTED_LABEL)
    left = [c for c in columns if c != joinsource]
    if PREDICTED_LABEL in left:
        return PREDICTED_LABEL
    if len(left) != 1:
        raise ClarifyError("The predicted label data set has several columns: name one in predicted_label.")
    return left[0]


def _partners(
    frame: pd.DataFrame, other: pd.DataFrame, joinsource: str | None, what: str
) -> NDArray[np.intp]:
    """For each row of the data set where its partner is; -1 where it has none."""
    if joinsource is None or joinsource not in other.columns:
        if len(other) != len(frame):
            raise ClarifyError(
                f"There are {len(other)} {what}s for {len(frame)} rows: give one for each row, or a "
                "joinsource_name_or_index that both data sets have."
            )
        return np.arange(len(frame))
    keys, theirs = _alike(frame[joinsource], other[joinsource])
    if theirs.dropna().duplicated().any():
        raise ClarifyError(f"The {what} data set has a join key twice: keys must be unique.")
    places = np.where(keys.isna(), -1, _among(keys, theirs))
    if (places < 0).all():
        raise ClarifyError(
            f"No row has a partner in the {what} data set: the join key {joinsource!r} is "
            f"{keys.iloc[0]!r} here and {theirs.iloc[0]!r} there."
        )
    return places


def _alike(keys: Column, theirs: Column) -> tuple[Column, Column]:
    """The keys of both sides in a form in which they can be compared."""
    if keys.dtype == theirs.dtype:
        return keys, theirs
    return keys.map(canonical, na_action="ignore"), theirs.map(canonical, na_action="ignore")


def _among(keys: Column, theirs: Column) -> NDArray[np.intp]:
    present = np.flatnonzero(theirs.notna())
    found = pd.Index(theirs.iloc[present]).get_indexer(pd.Index(keys))
    return np.where(found < 0, -1, present[found])


def column_name(key: Key, columns: list[str], role: str) -> str:
    """A column by name or by position from 0."""
    if isinstance(key, int):
        if not 0 <= key < len(columns):
            raise ClarifyError(
                f"{role} is column {key}, but there are {len(columns)} columns (0 to {len(columns) - 1})."
            )
        return columns[key]
    if key not in columns:
        raise ClarifyError(f"{role}: there is no column {key!r}. {known(key, columns, 'columns')}")
    return key
