"""A forecasting model behind an endpoint or in an archive, asked in the bodies that Clarify composes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol

from clary.clarify.config.analysis import AnalysisConfig
from clary.clarify.data.dataset import find
from clary.clarify.errors import ClarifyError, known
from clary.clarify.time_series.panel import Floats, Panel, Series
from clary.containers.clarify.endpoint import LARGEST_BODY

FEWEST_RECORDS = 20
"""Series that are not worth dividing between requests."""
PARALLEL = 4
TOKENS = ("$start_time", "$target_time_series", "$related_time_series", "$static_covariates")

Batch = tuple[int, bytes]
"""How many series, and the body that asks about them."""


class Sender(Protocol):
    """A model that answers bodies: an Endpoint or an Archive."""

    @property
    def requests(self) -> int: ...

    def send(self, body: bytes, what: str) -> bytes: ...


@dataclass(frozen=True)
class Template:
    """How series become the body of a request, and where the forecasts are in its answer."""

    content: str
    record: str
    forecast: str

    @property
    def single(self) -> bool:
        return "$records" not in self.content

    def encode(self, records: Sequence[str]) -> bytes:
        text = self.content.replace("$records", f"[{', '.join(records)}]")
        return text.replace("$record", records[0]).encode()

    def fill(self, series: Series) -> str:
        """The record of one series."""
        values = {
            "$start_time": json.dumps(series.timestamps[0]),
            "$target_time_series": _numbers(series.target),
            "$related_time_series": f"[{', '.join(map(_numbers, series.related))}]",
            "$static_covariates": json.dumps(list(series.static)),
        }
        return re.sub(r"\$[a-z_]+", lambda match: values[match.group()], self.record)

    def decode(self, body: bytes, count: int) -> list[Any]:
        """A forecast for each series that was asked about; ClarifyError if there are more or fewer."""
        try:
            answer = json.loads(body)
        except ValueError as error:
            shown = body[:80].decode(errors="replace")
            raise ClarifyError(f"The model's answer is not application/json: {shown!r}.") from error
        found = find(self.forecast, answer)
        listed = found if isinstance(found, list) else [found]
        if count == 1 and not any(isinstance(part, list) for part in listed):
            return [listed]
        if len(listed) != count:
            raise ClarifyError(f"The model answered {len(listed)} forecasts for {count} series.")
        return listed


_number = lru_cache(100_000)(float.__repr__)
"""The questions about a series repeat its few numbers: writing one takes longer than remembering it."""


def _numbers(values: Floats) -> str:
    return f"[{', '.join(map(_number, values.tolist()))}]"


def template(config: AnalysisConfig) -> Template:
    """Raises ClarifyError where the templates cannot hold the series."""
    predictor = config.predictor
    content, record = predictor.content_template or "", predictor.record_template or ""
    if "$record" not in content:
        raise ClarifyError(
            'predictor.content_template must hold $records or $record, for example {"instances": $records}.'
        )
    for token in re.findall(r"\$[a-z_]+", record):
        if token not in TOKENS:
            raise ClarifyError(f"predictor.record_template: {token}. {known(token, TOKENS, 'placeholders')}")
    if "$target_time_series" not in record:
        raise ClarifyError(
            "predictor.record_template must hold $target_time_series, for example "
            '{"start": $start_time, "target": $target_time_series}.'
        )
    return Template(content, record, dict(predictor.time_series_predictor_config or {})["forecast"])


def asked_about(panel: Panel, found: Template) -> Panel:
    """The panel without the static covariates that a request does not hold."""
    if panel.related and "$related_time_series" not in found.record:
        raise ClarifyError(
            "predictor.record_template has no $related_time_series, so that the model would never see them: "
            "add it, or remove related_time_series."
        )
    if panel.static and "$static_covariates" not in found.record:
        return replace(panel, static=(), items=[replace(series, static=()) for series in panel.items])
    return panel


@dataclass(frozen=True)
class Forecaster:
    """The model as a function of series."""

    sender: Sender
    template: Template

    def __call__(self, items: Sequence[Series]) -> list[Any]:
        with ThreadPoolExecutor(self.sender.requests) as pool:
            return [found for answer in pool.map(self._ask, self._batches(items)) for found in answer]

    def _ask(self, batch: Batch) -> list[Any]:
        count, body = batch
        return self.template.decode(self.sender.send(body, f"{count} series"), count)

    def _batches(self, items: Sequence[Series]) -> Iterator[Batch]:
        """As many series at a time as fit into a body; many are divided among parallel requests."""
        most = 1 if self.template.single else max(FEWEST_RECORDS, -(-len(items) // PARALLEL))
        records: list[str] = []
        size = 0
        for series in items:
            record = self.template.fill(series)
            if records and (len(records) == most or size + len(record) > LARGEST_BODY):
                yield len(records), self.template.encode(records)
                records, size = [], 0
            records.append(record)
            size += len(record)
        if records:
            yield len(records), self.template.encode(records)
