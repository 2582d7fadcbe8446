"""Which column of the data set plays which part: label, facets, model features, predictions."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from clary.clarify.config.analysis import AnalysisConfig, Key
from clary.clarify.data.columns import Column, Value
from clary.clarify.data.separate import column_name, separate
from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.contrast import Flags


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
    segments: tuple[Column, ...] = ()
    """The columns of config.segment_config, in its order."""

    def part(self, rows: Flags) -> Roles:
        """The same of some rows."""

        def some(column: Column | None) -> Column | None:
            return None if column is None else column[rows].reset_index(drop=True)

        return Roles(
            self.table[rows].reset_index(drop=True),
            self.features[rows].reset_index(drop=True),
            self.facets,
            some(self.label),
            some(self.predicted),
            some(self.group),
            some(self.joinsource),
            some(self.weights),
        )


NO_ROLES = Roles(pd.DataFrame(), pd.DataFrame(), {}, None, None, None, None, None)
"""Of an analysis without a table."""


def cast(frame: pd.DataFrame, config: AnalysisConfig) -> Roles:
    """Find every configured column; ClarifyError names a missing one, the existing ones and the nearest."""
    columns = list(map(str, frame.columns))
    frame = frame.set_axis(columns, axis=1)
    doubled = frame.columns[frame.columns.duplicated()].tolist()
    if doubled:
        raise ClarifyError(f"The data has the column {doubled[0]!r} twice: rename one of them.")

    def name(key: Key | None, role: str) -> str | None:
        return None if key is None else column_name(key, columns, role)

    def column(key: Key | None, role: str) -> Column | None:
        found = name(key, role)
        return None if found is None else frame[found]

    joinsource = name(config.joinsource_name_or_index, "joinsource_name_or_index")
    other = separate(frame, joinsource, config)
    frame = frame if len(other.rows) == len(frame) else frame.iloc[other.rows].reset_index(drop=True)
    label = column(config.label, "label")
    own = config.predicted_label_dataset_uri is None
    predicted = column(config.predicted_label, "predicted_label") if own else other.predicted
    weights = name(config.bias.weights, "methods.bias.weights")
    no_feature = {config.label, joinsource, weights, config.predicted_label if own else None}
    table = frame.drop(columns=[str(name(key, "")) for key in no_feature if key is not None])
    excluded = [name(key, "excluded_columns") for key in config.excluded_columns]
    facets, table = _facets(table, other.facets, columns, config)
    elsewhere = [] if other.facets is None else list(other.facets.columns)
    features = table.drop(columns=[c for c in {*excluded, *elsewhere} if c in table.columns])
    if features.shape[1] == 0:
        raise ClarifyError("No feature is left for the model: name fewer excluded_columns.")
    if label is not None:
        complete(str(label.name), int(label.isna().sum()), len(frame))
    return Roles(
        table,
        features,
        facets,
        label,
        predicted,
        column(config.group_variable, "group_variable"),
        None if joinsource is None else frame[joinsource],
        None if weights is None else frame[weights],
        tuple(frame[str(name(s.name_or_index, "segment_config"))] for s in config.segment_config),
    )


def _facets(
    table: pd.DataFrame, other: pd.DataFrame | None, columns: list[str], config: AnalysisConfig
) -> tuple[dict[str, list[Value] | None], pd.DataFrame]:
    """The facets' columns and asked values, and the table with them; a facet data set has them all."""
    names = columns if other is None else list(other.columns)
    facets: dict[str, list[Value] | None] = {}
    for facet in config.facet:
        name = column_name(facet.name_or_index, names, "facet")
        if name in facets:
            raise ClarifyError(f"facet {name!r} is asked twice: put its values into one list.")
        if other is None and name not in table.columns:
            raise ClarifyError(f"facet {name!r} is the label, the prediction, the identifier or the weight.")
        facets[name] = facet.value_or_threshold
    return facets, table if other is None else table.assign(**{name: other[name] for name in facets})


def complete(label: str, missing: int, rows: int) -> None:
    """ClarifyError where a label is missing: it would count as negative."""
    if missing:
        raise ClarifyError(
            f"The label {label!r} is missing in {missing} of {rows} rows: remove these rows or fill them."
        )
