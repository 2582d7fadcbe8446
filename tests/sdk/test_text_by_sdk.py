"""Clarify's text explanations as the SDK asks for them: a real model on real reviews, in three formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from running import Clary
from sdk.script import Script
from sdk.test_clarify_by_sdk import results

pytestmark = pytest.mark.timeout(600)
Scripts = dict[str, Script]


def explained(clary: Clary, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """analysis.json's values of "positive", and the lines of out.jsonl."""
    found = results(clary, f"v2/text/{name}")
    shap = json.loads(found["analysis.json"])["explanations"]["kernel_shap"]
    assert list(shap) == ["negative", "positive"]
    lines = found["explanations_shap/out.jsonl"].decode().splitlines()
    return shap["positive"], [json.loads(line) for line in lines]


def attributions(record: dict[str, Any]) -> list[dict[str, Any]]:
    (feature,) = record["explanations"]
    assert (feature["feature_name"], feature["data_type"]) == ("text", "free_text")
    return feature["attributions"]


@pytest.mark.parametrize("name", ["csv", "lines", "json"])
def test_every_review_is_explained(scripts: Scripts, watched: Clary, tables: Path, name: str) -> None:
    assert scripts["v2_text"].told(name) == "Completed"
    overall, records = explained(watched, name)
    texts = pd.read_csv(tables / "reviews.csv", keep_default_na=False)["text"].tolist()
    assert len(records) == len(texts)
    for text, record in zip(texts, records, strict=True):
        units = [
            (a["description"]["partial_text"], a["description"]["start_idx"]) for a in attributions(record)
        ]
        assert all(text[start : start + len(unit)] == unit for unit, start in units)
        assert "".join(unit for unit, _ in units).replace(" ", "") == "".join(text.split())
        values = np.array([a["attribution"] for a in attributions(record)]).reshape(-1, 2)
        sums = np.array(record["expected_value"]) + values.sum(axis=0)
        assert sums == pytest.approx(record["score"], abs=1e-6)
        assert sum(record["score"]) == pytest.approx(1, abs=1e-6)
    assert overall["expected_value"] == pytest.approx(records[0]["expected_value"][1])


def test_words_have_the_effect_that_a_reader_expects(scripts: Scripts, watched: Clary) -> None:
    scripts["v2_text"].end()
    overall, records = explained(watched, "csv")
    effects = {
        a["description"]["partial_text"]: a["attribution"][1]
        for record in records
        for a in attributions(record)
    }
    assert effects["love"] > 0.05
    assert effects["broke"] < -0.05 and effects["waste"] < 0
    assert {"love", "broke"} <= overall["global_top_shap_text"]["text"].keys()
    assert attributions(records[-1]) == []


def test_the_three_formats_say_the_same(scripts: Scripts, watched: Clary) -> None:
    scripts["v2_text"].end()
    (_, csv), (_, lines), (_, sentences) = (explained(watched, name) for name in ("csv", "lines", "json"))
    for one, other, third in zip(csv, lines, sentences, strict=True):
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)
        assert one["score"] == pytest.approx(third["score"], abs=1e-5)
        assert [a["attribution"] for a in attributions(one)] == [
            pytest.approx(a["attribution"], abs=1e-4) for a in attributions(other)
        ]
    assert [a["description"]["start_idx"] for a in attributions(sentences[-2])] == [0, 27]


def test_the_report_shows_the_reviews_with_their_words_in_colour(scripts: Scripts, watched: Clary) -> None:
    assert "'report.html'" in scripts["v2_text"].told("files")
    page = results(watched, "v2/text/csv")["report.html"].decode()
    assert 'class="unit up"' in page and ">love</mark>" in page
    assert ">&#34;</mark>" in page
