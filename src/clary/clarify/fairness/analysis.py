"""The bias part of an analysis: from its configuration and data to everything that is told about bias."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from clary.clarify.config.analysis import AnalysisConfig
from clary.clarify.data.columns import Column
from clary.clarify.data.roles import Roles, cast, complete
from clary.clarify.data.sources import source
from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.beyond.reweighing import FROM as REWEIGHING_FROM
from clary.clarify.fairness.beyond.reweighing import Reweighing, reweighing
from clary.clarify.fairness.beyond.stage import StageBeyond, stage_beyond
from clary.clarify.fairness.beyond.thresholds import FROM as THRESHOLDS_FROM
from clary.clarify.fairness.beyond.thresholds import Scores, thresholds_of
from clary.clarify.fairness.contrast import Flags
from clary.clarify.fairness.counting.files import Source
from clary.clarify.fairness.measure import Asked, StageBias, stage_bias
from clary.clarify.fairness.metrics import POST_TRAINING, PRE_TRAINING, Stage
from clary.clarify.fairness.streaming import MOST_FLIPPED, flips_are_asked, tabulate_source
from clary.clarify.fairness.tabulation import Tabulation, Target, tabulate

Log = Callable[[str], None]

MANY = 20
"""Integers with more values than this may have been meant as a quantity."""


@dataclass(frozen=True)
class BiasFindings:
    """What was found of bias: Clarify's two stages, what lies beyond them, and remedies."""

    pre_training: StageBias | None = None
    post_training: StageBias | None = None
    pre_beyond: StageBeyond = field(default_factory=StageBeyond)
    post_beyond: StageBeyond = field(default_factory=StageBeyond)
    reweighing: dict[str, list[Reweighing]] = field(default_factory=dict)
    thresholds: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def in_json(self) -> dict[str, Any]:
        """The sections of analysis.json: Clarify's two, and `mitigation`."""
        document: dict[str, Any] = {}
        if self.pre_training is not None:
            section = {**self.pre_training.in_json(), **self.pre_beyond.in_json()}
            document["pre_training_bias_metrics"] = section
        if self.post_training is not None:
            section = {**self.post_training.in_json(), **self.post_beyond.in_json()}
            document["post_training_bias_metrics"] = section
        mitigation: dict[str, Any] = {}
        if self.reweighing:
            facets = {name: [r.in_json() for r in found] for name, found in self.reweighing.items()}
            mitigation["reweighing"] = {"method": REWEIGHING_FROM, "facets": facets}
        if self.thresholds:
            mitigation["thresholds"] = {"method": THRESHOLDS_FROM, "facets": self.thresholds}
        return {**document, "mitigation": mitigation} if mitigation else document


def streamed(config: AnalysisConfig, data: pd.DataFrame | str | Path) -> Source | None:
    """The files to count where the analysis needs no row in memory and there are many; None otherwise."""
    separate = config.predicted_label_dataset_uri or config.facet_dataset_uri
    if isinstance(data, pd.DataFrame) or config.needs_model or separate or config.segment_config:
        return None
    found = source(Path(data), config)
    if found is None or found.rows_about <= MOST_FLIPPED:
        return None
    methods = config.post_training_bias
    named = methods is not None and flips_are_asked(methods, found.rows_about)
    return None if named else found


def from_files(config: AnalysisConfig, files: Source) -> tuple[Roles, Tabulation]:
    """The columns' roles (without rows) and the counted rows of files."""
    roles = cast(pd.DataFrame(columns=list(files.names)), config)
    if roles.label is None:
        raise ClarifyError("The bias metrics need label: add it to analysis_config.json.")
    columns = (roles.predicted, roles.group, roles.weights)
    predicted, group, weights = (None if column is None else str(column.name) for column in columns)
    label, positive = str(roles.label.name), config.label_values_or_threshold
    return roles, tabulate_source(
        files, roles.facets, label, positive, predicted, group, weights, config.bias.quantities
    )


def from_rows(config: AnalysisConfig, roles: Roles, predicted: Column | Flags | None) -> Tabulation:
    """The counted rows of a table in memory, with predictions where there are some."""
    if roles.label is None:
        raise ClarifyError("The bias metrics need label: add it to analysis_config.json.")
    target = Target(roles.label, config.label_values_or_threshold, predicted)
    return tabulate(roles.table, roles.facets, target, roles.group, roles.weights, config.bias.quantities)


def find_bias(
    config: AnalysisConfig, tabulation: Tabulation, scores: Scores | None, log: Log
) -> BiasFindings:
    """Everything that the configuration asks of bias, from rows that are counted already.

    `scores` are the model's scores of the positive label, for thresholds; None where there are none.
    """
    label = tabulation.table.axes[tabulation.label_axis]
    complete(label.name, int(label.missing), tabulation.table.rows)
    _warn(tabulation, log)
    pre, pre_beyond = _stage(config, tabulation, PRE_TRAINING, config.pre_training_bias, log)
    post, post_beyond = _stage(config, tabulation, POST_TRAINING, config.post_training_bias, log)
    remedy = config.bias.mitigation
    return BiasFindings(
        pre,
        post,
        pre_beyond,
        post_beyond,
        reweighing(tabulation) if remedy and pre is not None else {},
        thresholds_of(tabulation, scores) if remedy and post is not None and scores is not None else {},
    )


def _stage(
    config: AnalysisConfig, tabulation: Tabulation, stage: Stage, methods: str | list[str] | None, log: Log
) -> tuple[StageBias | None, StageBeyond]:
    if methods is None:
        return None, StageBeyond()
    settings = config.bias
    asked = Asked(methods, settings.intervals, settings.minimum_group_size)
    beyond = stage_beyond(tabulation, stage, asked, config.label_values_or_threshold, settings.intersections)
    for error in beyond.errors:
        log(error)
    measured = stage_bias(tabulation, stage, asked)
    log(f"Measured {'pre' if stage == PRE_TRAINING else 'post'}-training bias.")
    return measured, beyond


def _warn(tabulation: Tabulation, log: Log) -> None:
    """Tell what a facet's values are taken for, where that may surprise."""
    for axis, selections in zip(tabulation.table.axes, tabulation.facets.values(), strict=False):
        single = len(selections) == 1 and selections[0].threshold is None
        if single and axis.kind == "integer" and axis.distinct > MANY:
            log(
                f"The facet {axis.name!r} has categories, as Clarify reads it (fewer than 5 % of its values "
                f"differ), so it is exactly {selections[0].text}: methods.bias.quantities gives a threshold."
            )
        if axis.missing:
            rows = f"{axis.missing:,.0f} rows"
            log(f"The facet {axis.name!r} is missing in {rows}: they count as not in the facet.")
