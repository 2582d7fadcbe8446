"""The bodies of requests about series, and forecasts in answers, as AWS's developer guide shows both."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from clary.clarify import ClarifyError, Panel, Series
from clary.clarify.config.analysis import parse
from clary.containers.clarify.forecaster import Forecaster, asked_about, template
from quarters import asked

TIMEWISE = {"direction": "chronological", "granularity": "timewise"}
SIMPLE = '{"start": $start_time, "target": $target_time_series}'
FULL = SIMPLE[:-1] + ', "dynamic_feat": $related_time_series, "cat": $static_covariates}'
ONE = Series("a", ["2024-01-01 01:00:00", "x", "y"], np.array([1.0, 2, 3]), np.ones((2, 3)), [0, 1])
TWO = Series("b", ["2024-01-01 02:00:00", "x", "y"], np.array([1.0, 2, 3]), np.ones((2, 3)), [1, 1])


class Model:
    """Answers what it is told to, and keeps what it was asked."""

    requests = 1

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []

    def send(self, body: bytes, what: str) -> bytes:
        self.asked.append(json.loads(body))
        return json.dumps(self.answers.pop(0)).encode()


def forecaster(model: Model, content: str, record: str, forecast: str) -> Forecaster:
    config = asked(
        TIMEWISE,
        content_template=content,
        record_template=record,
        time_series_predictor_config={"forecast": forecast},
    )
    return Forecaster(model, template(parse(config)))


def test_a_single_record_at_a_time() -> None:
    model = Model({"prediction": {"mean": [1, 2, 3]}}, {"prediction": {"mean": [4, 5, 6]}})
    found = forecaster(model, "$record", SIMPLE, "prediction.mean")([ONE, TWO])
    assert found == [[1, 2, 3], [4, 5, 6]]
    assert model.asked == [
        {"target": [1, 2, 3], "start": "2024-01-01 01:00:00"},
        {"target": [1, 2, 3], "start": "2024-01-01 02:00:00"},
    ]


def test_several_records_with_everything() -> None:
    model = Model({"predictions": [{"mean": [13.4, 3.6, 1.0]}, {"mean": [23.0, 4.7, 3.0]}]})
    found = forecaster(model, '{"instances": $records}', FULL, "predictions[*].mean[:2]")([ONE, TWO])
    assert found == [[13.4, 3.6], [23.0, 4.7]]
    (body,) = model.asked
    assert body["instances"][0] == {
        "target": [1, 2, 3],
        "start": "2024-01-01 01:00:00",
        "dynamic_feat": [[1, 1, 1], [1, 1, 1]],
        "cat": [0, 1],
    }


def test_many_series_are_divided_among_requests_in_order() -> None:
    def answer(first: int, count: int) -> Any:
        return {"f": [[float(first + i)] for i in range(count)]}

    model = Model(*(answer(25 * i, 25) for i in range(4)))
    found = forecaster(model, "$records", SIMPLE, "f")([ONE] * 100)
    assert [len(body) for body in model.asked] == [25] * 4
    assert found == [[float(i)] for i in range(100)]


@pytest.mark.parametrize("answer", [[[7, 8]], [7, 8]])
def test_one_forecast_with_or_without_a_list_around_it(answer: Any) -> None:
    assert forecaster(Model({"f": answer}), "$records", SIMPLE, "f")([ONE]) == [[7, 8]]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"f": [[1.0]]}, "answered 1 forecasts for 2 series"),
        ({"g": []}, "finds nothing"),
    ],
)
def test_wrong_answers(answer: Any, says: str) -> None:
    with pytest.raises(ClarifyError, match=says):
        forecaster(Model(answer), "$records", SIMPLE, "f")([ONE, TWO])


@pytest.mark.parametrize(
    ("content", "record", "says"),
    [
        ("$recs", SIMPLE, "content_template must hold"),
        ("$records", '{"start": $start_time}', "must hold .target_time_series"),
        ("$records", '{"t": $target_timeseries}', "Did you mean '.target_time_series'"),
        ("$records", "", "must hold .target_time_series"),
    ],
)
def test_wrong_templates(content: str, record: str, says: str) -> None:
    with pytest.raises(ClarifyError, match=says):
        forecaster(Model(), content, record, "f")


def test_what_a_request_does_not_hold() -> None:
    found = forecaster(Model(), "$records", SIMPLE, "f").template
    panel = Panel([ONE], "y", ["r", "s"], ["u", "v"])
    with pytest.raises(ClarifyError, match=r"has no \$related_time_series"):
        asked_about(panel, found)
    alone = Panel([Series("a", [1], np.ones(1), np.ones((0, 1)), [0, 1])], "y", [], ["u", "v"])
    assert asked_about(alone, found).items[0].static == (), "its values are not explained"
