"""Captured requests of an endpoint and their ground truth, as files that SageMaker writes, as a data set."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clary.clarify import ClarifyError, analyze
from clary.clarify.monitoring.captured_table import opened

ROWS = [(39, "Female", 0.2), (52, "Male", 0.7), (28, "Female", 0.6), (41, "Male", 0.1)]
LABELS = [0, 1, 1, 0]
CONFIG: dict[str, Any] = {
    "dataset_type": "application/sagemakercapturejson",
    "headers": ["age", "sex", "income"],
    "label": "income",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "sex", "value_or_threshold": ["Female"]}],
    "methods": {"pre_training_bias": {"methods": ["DPL"]}, "post_training_bias": {"methods": ["DPPL"]}},
}


def part(data: str, encoding: str = "CSV", kind: str = "text/csv", mode: str = "INPUT") -> dict[str, str]:
    return {"observedContentType": kind, "mode": mode, "data": data, "encoding": encoding}


def request(number: int, asked: Any, answered: Any, **metadata: Any) -> dict[str, Any]:
    return {
        "captureData": {"endpointInput": asked, "endpointOutput": answered},
        "eventMetadata": {
            "eventId": f"e{number}",
            "inferenceTime": f"2026-11-24T10:0{number}:00Z",
            **metadata,
        },
        "eventVersion": "0",
    }


def truth(name: str, label: Any) -> dict[str, Any]:
    return {
        "groundTruthData": {"data": str(label), "encoding": "CSV"},
        "eventMetadata": {"eventId": name},
        "eventVersion": "0",
    }


def lines(path: Path, records: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


CSVS = [
    request(i, part(f"{age},{sex}\n"), part(f"{score}", kind="text/csv; charset=utf-8", mode="OUTPUT"))
    for i, (age, sex, score) in enumerate(ROWS)
]
TRUTHS = [truth(f"e{i}", label) for i, label in enumerate(LABELS)]


def table(folder: Path, records: list[dict[str, Any]], truths: Any = TRUTHS, **config: Any) -> pd.DataFrame:
    captured = lines(folder / "capture/AllTraffic/2026/11/24/10/00-a.jsonl", records).parents[4]
    asked = None if truths is None else lines(folder / "truth/2026/11/25/00/labels.jsonl", truths).parents[4]
    here, found = opened({**CONFIG, **config}, captured, asked)
    assert isinstance(found, pd.DataFrame)
    assert here["headers"] == list(found.columns)
    return found


EXPECTED = pd.DataFrame(
    {
        "age": [39, 52, 28, 41],
        "sex": ["Female", "Male", "Female", "Male"],
        "income": LABELS,
        "predicted_label": [0, 1, 1, 0],
    }
)


def same(found: pd.DataFrame, expected: pd.DataFrame = EXPECTED) -> bool:
    return found.astype(str).equals(expected.astype(str))


def test_requests_and_their_truth_become_a_table(tmp_path: Path) -> None:
    assert same(table(tmp_path, CSVS))


def test_base64_holds_the_same(tmp_path: Path) -> None:
    def encoded(data: str) -> dict[str, str]:
        return part(base64.b64encode(data.encode()).decode(), "BASE64")

    records = [request(i, encoded(f"{a},{s}\n"), encoded(f"{p}")) for i, (a, s, p) in enumerate(ROWS)]
    assert same(table(tmp_path, records))


def test_json_lines_by_their_paths(tmp_path: Path) -> None:
    kind = "application/jsonlines"
    records = [
        request(
            i,
            part(json.dumps({"features": [a, s]}), "JSON", kind),
            part(json.dumps({"score": p}), "JSON", kind),
        )
        for i, (a, s, p) in enumerate(ROWS)
    ]
    assert same(table(tmp_path, records, features="features", predictor={"probability": "score"}))


def test_one_request_may_hold_many_rows(tmp_path: Path) -> None:
    asked = part("".join(f"{age},{sex}\n" for age, sex, _ in ROWS))
    answered = part(",".join(str(score) for *_, score in ROWS), mode="OUTPUT")
    truths = [truth("e0", "\n".join(map(str, LABELS)))]
    assert same(table(tmp_path, [request(0, asked, answered)], truths))


def test_one_json_request_may_hold_many_rows(tmp_path: Path) -> None:
    kind = "application/json"
    asked = part(json.dumps({"instances": [[a, s] for a, s, _ in ROWS]}), "JSON", kind)
    answered = part(json.dumps({"predictions": [p for *_, p in ROWS]}), "JSON", kind, "OUTPUT")
    truths = [truth("e0", "\n".join(map(str, LABELS)))]
    predictor = {"probability": "predictions"}
    found = table(tmp_path, [request(0, asked, answered)], truths, features="instances", predictor=predictor)
    assert same(found)


def test_a_label_and_a_threshold_of_ones_own(tmp_path: Path) -> None:
    records = [request(i, part(f"{a},{s}"), part(f"{int(p > 0.65)},{p}")) for i, (a, s, p) in enumerate(ROWS)]
    labelled = table(tmp_path / "a", records, predictor={"label": 0})
    assert labelled["predicted_label"].astype(int).tolist() == [0, 1, 0, 0]
    scored = table(tmp_path / "b", records, predictor={"probability": 1}, probability_threshold=0.15)
    assert scored["predicted_label"].tolist() == [1, 1, 1, 0]


def test_positions_are_those_of_the_headers(tmp_path: Path) -> None:
    """The training set has an id and the label first; the requests hold neither."""
    captured, truths = lines(tmp_path / "c.jsonl", CSVS), lines(tmp_path / "t.jsonl", TRUTHS)
    config = CONFIG | {
        "headers": ["id", "income", "age", "sex"],
        "label": 1,
        "facet": [{"name_or_index": 3, "value_or_threshold": ["Female"]}],
        "excluded_columns": [0],
    }
    here, found = opened(config, captured, truths)
    assert isinstance(found, pd.DataFrame)
    assert same(found)
    assert (here["label"], here["excluded_columns"]) == ("income", [])
    (facet,) = analyze(here, found)["post_training_bias_metrics"]["facets"]["sex"]
    assert facet["metrics"][0]["value"] == pytest.approx(0)


def test_the_callers_own_id_comes_first(tmp_path: Path) -> None:
    records = [
        record | {"eventMetadata": {"eventId": "x", "inferenceId": f"e{i}"}} for i, record in enumerate(CSVS)
    ]
    assert same(table(tmp_path, records))


def test_requests_without_truth_are_left_out_and_the_last_truth_counts(tmp_path: Path) -> None:
    truths = [truth("e1", 0), truth("elsewhere", 1), truth("e1", 1), truth("e0", 0)]
    captured = lines(tmp_path / "c.jsonl", CSVS)
    told: list[str] = []
    _, found = opened(CONFIG, captured, lines(tmp_path / "t.jsonl", truths), log=told.append)
    assert isinstance(found, pd.DataFrame)
    assert found["income"].tolist() == [0, 1]
    assert told == [
        "Merged 2 captured requests with ground truth; left out 2 requests without one and 1 ground truth "
        "records without a request."
    ]


def test_merged_files_as_model_monitor_writes_them(tmp_path: Path) -> None:
    merged = [CSVS[i] | {"groundTruthData": TRUTHS[i]["groundTruthData"]} for i in range(len(ROWS))]
    assert same(table(tmp_path, merged, None))


def test_only_the_window_is_read(tmp_path: Path) -> None:
    captured, truths = lines(tmp_path / "c.jsonl", CSVS), lines(tmp_path / "t.jsonl", TRUTHS)
    window = ("2026-11-24T10:01:00Z", "2026-11-24T10:03:00Z")
    _, found = opened(CONFIG, captured, truths, window)
    assert isinstance(found, pd.DataFrame)
    assert found["age"].tolist() == [52, 28]
    with pytest.raises(ClarifyError, match="No request was captured"):
        opened(CONFIG, captured, truths, (window[1].replace("24T", "25T"), window[1].replace("24T", "26T")))


def test_an_analysis_reads_captured_requests_as_any_data_set(tmp_path: Path) -> None:
    merged = [CSVS[i] | {"groundTruthData": TRUTHS[i]["groundTruthData"]} for i in range(len(ROWS))]
    found = analyze(CONFIG, lines(tmp_path / "c.jsonl", merged))
    (facet,) = found["post_training_bias_metrics"]["facets"]["sex"]
    assert facet["metrics"][0]["value"] == pytest.approx(1 / 2 - 1 / 2)


def test_explaining_needs_no_labels_and_speaks_as_was_captured(tmp_path: Path) -> None:
    config = {
        "dataset_type": "application/sagemakercapturejson",
        "headers": ["age", "sex"],
        "methods": {"shap": {"baseline": [[40, "Male"]]}},
        "predictor": {"model_name": "m", "content_template": '{"f": $features}'},
    }
    kind = "application/jsonlines"
    records = [
        request(i, part(json.dumps([a, s]), "JSON", kind), part(f"{p}")) for i, (a, s, p) in enumerate(ROWS)
    ]
    records = [record | {"groundTruthData": TRUTHS[0]["groundTruthData"]} for record in records]
    here, found = opened(config, lines(tmp_path / "c.jsonl", records))
    assert isinstance(found, pd.DataFrame)
    assert list(found.columns) == ["age", "sex"]
    assert here["predictor"]["content_type"] == kind
    assert here["predictor"]["accept_type"] == "text/csv"


BROKEN = [
    ("not json\n", "line 1 is not JSON; perhaps the file was cut off"),
    (json.dumps(CSVS[0]) + "\n" + json.dumps(CSVS[1])[:60], "line 2 is not JSON"),
    ("é".encode()[:1], "line 1 is not JSON"),
    ("", "No request was captured"),
    ("[]\n", "no eventMetadata"),
    ('{"eventMetadata": {"eventId": "e"}}\n', "no captureData, but eventMetadata"),
    ('{"eventMetadata": {}, "captureData": {}}\n', "neither inferenceId nor eventId"),
    (json.dumps(request(0, None, None)), "endpointInput was not captured"),
    (json.dumps(request(0, part("1,Male"), None)), "endpointOutput was not captured"),
    (json.dumps(request(0, part("1,Male", "XML"), part("1"))), "encoding 'XML'"),
    (json.dumps(request(0, part("%%", "BASE64"), part("1"))), "BASE64 data is not text"),
    (json.dumps(request(0, part("{", "JSON"), part("1"))), "is not application/json"),
    (json.dumps(request(0, part("1,Male"), part("1\n2"))), "has 2 rows for the 1 of the request"),
    (json.dumps(request(0, part("1,Male\n1,2,3"), part("1\n2"))), "2, 3 values a row"),
    (json.dumps(request(0, part("1,2,3,4,5"), part("1"))), "headers has 3 names"),
    (json.dumps(request(0, part('{"f": [1, 2]}', "JSON"), part("1"))), "set features"),
]


@pytest.mark.parametrize(("content", "says"), BROKEN)
def test_broken_captures_are_told_with_their_place(tmp_path: Path, content: str | bytes, says: str) -> None:
    file = tmp_path / "c.jsonl"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ClarifyError, match=says):
        opened(CONFIG, file, lines(tmp_path / "t.jsonl", TRUTHS))


def test_truth_that_belongs_to_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClarifyError, match=r"None of the 1 ground truth .* 'x1' there, 'e0' here"):
        table(tmp_path, CSVS, [truth("x1", 1)])
    with pytest.raises(ClarifyError, match="give the ground truth"):
        table(tmp_path, CSVS, None)
    with pytest.raises(ClarifyError, match="dataset_type is not application/sagemakercapturejson"):
        opened({**CONFIG, "dataset_type": "text/csv"}, tmp_path, tmp_path)
