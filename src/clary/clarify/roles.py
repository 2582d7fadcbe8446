"""Which column of the data set plays which part: label, facets, model features, predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from clary.clarify.columns import Column, Value
from clary.clarify.config import AnalysisConfig, Key
from clary.clarify.dataset import read_csv
from clary.clarify.errors import ClarifyError, known


@dataclass(frozen=True)
class Roles:
    """A data set taken apart; all parts have the same rows in the same order."""

    table: pd.DataFrame
    """What the bias metrics see: all columns but label, prediction, join source and weights."""
    features: pd.DataFrame
    """What the model gets: `table` without the excluded columns."""
    facets: dict[str, list[Value] | None]
    label: Column | None
    predicted: Column | None
    group: Column | None
    joinsource: Column | None
    weights: Column | None


NO_ROLES = Roles(pd.DataFrame(), pd.DataFrame(), {}, None, None, None, None, None)
"""Of an analysis without a table."""


def cast(frame: pd.DataFrame, config: AnalysisConfig) -> Roles:
    """Find every configured column; ClarifyError names a missing one, the existing ones and the nearest."""
    columns = list(map(str, frame.columns))
    frame = frame.set_axis(columns, axis=1)

    def name(key: Key | None, role: str) -> str | None:
        return None if key is None else column_name(key, columns, role)

    label = name(config.label, "label")
    separate = config.predicted_label_dataset_uri is not None
    predicted = None if separate else name(config.predicted_label, "predicted_label")
    joinsource = name(config.joinsource_name_or_index, "joinsource_name_or_index")
    weights = name(config.bias.weights, "methods.bias.weights")
    table = frame.drop(columns=[c for c in {label, predicted, joinsource, weights} if c is not None])
    excluded = [name(key, "excluded_columns") for key in config.excluded_columns]
    features = table.drop(columns=[c for c in excluded if c in table.columns])
    if features.shape[1] == 0:
        raise ClarifyError("No feature is left for the model: name fewer excluded_columns.")
    if label is not None:
        complete(label, int(frame[label].isna().sum()), len(frame))
    group = name(config.group_variable, "group_variable")
    return Roles(
        table,
        features,
        {str(name(f.name_or_index, "facet")): f.value_or_threshold for f in config.facet},
        frame[label] if label else None,
        _separate_predictions(frame, joinsource, config)
        if separate
        else frame[predicted]
        if predicted
        else None,
        frame[group] if group else None,
        frame[joinsource] if joinsource else None,
        frame[weights] if weights else None,
    )


def column_name(key: Key, columns: Sequence[str], role: str) -> str:
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


def complete(label: str, missing: int, rows: int) -> None:
    """ClarifyError where a label is missing: it would count as negative."""
    if missing:
        raise ClarifyError(
            f"The label {label!r} is missing in {missing} of {rows} rows: remove these rows or fill them."
        )


def _separate_predictions(frame: pd.DataFrame, joinsource: str | None, config: AnalysisConfig) -> Column:
    """Predictions from their own CSV file: joined by the join source where both have it, else row by row."""
    path = Path(str(config.predicted_label_dataset_uri))
    if not path.exists():
        raise ClarifyError(f"predicted_label_dataset_uri: there is no file at {path}.")
    other = read_csv(path, config.predicted_label_headers, isinstance(config.predicted_label, str))
    columns = list(map(str, other.columns))
    if config.predicted_label is not None:
        name = column_name(config.predicted_label, columns, "predicted_label")
    else:
        left = [c for c in columns if c != joinsource]
        if len(left) != 1:
            raise ClarifyError(
                "The predicted label data set has several columns: name one in predicted_label."
            )
        name = left[0]
    if joinsource in columns:
        return _joined(frame[joinsource], other.set_index(joinsource)[name])
    if len(other) != len(frame):
        raise ClarifyError(
            f"There are {len(other)} predicted labels for {len(frame)} rows: "
            "give one for each row, or a joinsource_name_or_index that both data sets have."
        )
    return other[name]


def _joined(keys: Column, predictions: Column) -> Column:
    if predictions.index.has_duplicates:
        raise ClarifyError("The predicted label data set has a join key twice: keys must be unique.")
    absent = ~keys.isin(predictions.index)
    if absent.any():
        raise ClarifyError(
            f"{int(absent.sum())} rows have no predicted label: "
            f"the join key {keys[absent].iloc[0]!r} is not there."
        )
    return predictions.loc[keys].reset_index(drop=True)
