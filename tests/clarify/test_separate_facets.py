"""Facets from a file of their own: joined by an identifier or row by row, and never shown to the model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clary import clarify

N = 60
PEOPLE = pd.DataFrame({"id": range(100, 100 + N), "age": [20 + i for i in range(N)], "y": [1, 0, 0] * 20})
FACETS = pd.DataFrame({"id": PEOPLE["id"], "sex": ["f", "m", "m", "f"] * 15})
TOGETHER = PEOPLE.assign(sex=FACETS["sex"])


def analysed(folder: Path, facets: pd.DataFrame | None = FACETS, **more: Any) -> Any:
    """analysis.json, the columns that the model saw, and the log."""
    data = more.pop("data", PEOPLE)
    if facets is not None:
        facets.to_csv(folder / "facets.csv", index=False)
    config = {
        "dataset_type": "text/csv",
        "label": "y",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "sex", "value_or_threshold": ["f"]}],
        "facet_dataset_uri": str(folder / "facets.csv"),
        "joinsource_name_or_index": "id",
        "methods": {m: {"methods": "all"} for m in ("pre_training_bias", "post_training_bias")},
        **more,
    }
    seen: list[str] = []
    told: list[str] = []

    def model(features: pd.DataFrame) -> Any:
        seen[:] = list(features.columns)
        return features["age"].to_numpy() / 100

    asked = {key: value for key, value in config.items() if value is not None}
    return clarify.analyze(asked, data, model, log=told.append), seen, told


def values(found: dict[str, Any]) -> dict[str, Any]:
    stages = ("pre_training_bias_metrics", "post_training_bias_metrics")
    return {m["name"]: m["value"] for s in stages for m in found[s]["facets"]["sex"][0]["metrics"]}


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, Any]:
    config = {
        "dataset_type": "text/csv",
        "label": "y",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "sex", "value_or_threshold": ["f"]}],
        "joinsource_name_or_index": "id",
        "excluded_columns": ["sex"],
        "methods": {m: {"methods": "all"} for m in ("pre_training_bias", "post_training_bias")},
    }
    return values(clarify.analyze(config, TOGETHER, lambda f: f["age"].to_numpy() / 100))


def test_facets_are_joined_whatever_their_order(tmp_path: Path, expected: dict[str, Any]) -> None:
    found, seen, _ = analysed(tmp_path, FACETS.sample(frac=1, random_state=1))
    assert values(found) == pytest.approx(expected)
    assert seen == ["age"], "neither the identifier nor a facet"


def test_identifiers_are_the_same_as_text_and_as_number(tmp_path: Path, expected: dict[str, Any]) -> None:
    found, _, _ = analysed(tmp_path, None, facet_dataset_uri=str(text_keys(tmp_path)))
    assert values(found) == pytest.approx(expected)


def text_keys(folder: Path) -> Path:
    path = folder / "text.csv"
    more = pd.DataFrame({"id": ["x"], "sex": ["f"]})
    pd.concat([FACETS.astype({"id": str}), more]).to_csv(path, index=False)
    return path


def test_without_an_identifier_rows_stand_beside_rows(tmp_path: Path, expected: dict[str, Any]) -> None:
    facets = FACETS[["sex"]]
    found, seen, _ = analysed(tmp_path, facets, excluded_columns=["id"], joinsource_name_or_index=None)
    assert values(found)["CI"] == expected["CI"]
    assert seen == ["age"]
    facet = [{"name_or_index": 0, "value_or_threshold": ["f"]}]
    found, _, _ = analysed(
        tmp_path, facets, facet=facet, facet_headers=["sex"], joinsource_name_or_index=None
    )
    assert values(found)["DPL"] == expected["DPL"], "a position counts in the facet data set"


def test_headers_name_the_columns_of_a_file_without_names(tmp_path: Path, expected: dict[str, Any]) -> None:
    FACETS.to_csv(tmp_path / "bare.csv", index=False, header=False)
    found, _, _ = analysed(
        tmp_path, facet_dataset_uri=str(tmp_path / "bare.csv"), facet_headers=["id", "sex"]
    )
    assert values(found) == pytest.approx(expected)


def test_a_column_of_the_facet_data_set_is_kept_from_the_model(tmp_path: Path) -> None:
    found, seen, _ = analysed(tmp_path, data=TOGETHER.assign(sex="old"))
    assert seen == ["age"]
    assert values(found)["CI"] == 0


def test_rows_without_a_partner_are_left_out_and_told(tmp_path: Path) -> None:
    found, _, told = analysed(tmp_path, FACETS[:40])
    assert "20 rows have no partner in the other data set and are left out." in told
    sizes = FACETS["sex"][:40].value_counts()
    assert values(found)["CI"] == pytest.approx((sizes["m"] - sizes["f"]) / 40)


@pytest.mark.parametrize(
    ("facets", "more", "says"),
    [
        (FACETS[["sex"]][:50], {}, "50 facets for 60 rows"),
        (pd.concat([FACETS, FACETS[:1]]), {}, "join key twice"),
        (FACETS.assign(id=FACETS["id"] + 1000), {}, "No row has a partner"),
        (FACETS, {"facet": [{"name_or_index": "sx"}]}, "Did you mean 'sex'"),
        (FACETS, {"facet_headers": ["a"]}, "the data set has 2 columns"),
        (FACETS, {"facet_dataset_uri": "/nowhere"}, "there is no file at /nowhere"),
        (FACETS, {"dataset_type": "application/x-parquet"}, "facet_dataset_uri goes with text/csv"),
        (FACETS, {"facet_dataset_uri": None, "facet_headers": ["sex"]}, "facet_headers names the columns of"),
    ],
)
def test_what_cannot_be_joined_is_said(
    tmp_path: Path, facets: pd.DataFrame, more: dict[str, Any], says: str
) -> None:
    with pytest.raises(clarify.ClarifyError, match=re.escape(says)):
        analysed(tmp_path, facets, **more)


def test_several_files_need_an_identifier(tmp_path: Path) -> None:
    for name in ("facets", "people"):
        (tmp_path / name).mkdir()
    for i, half in enumerate((slice(0, 30), slice(30, 60))):
        FACETS[half].to_csv(tmp_path / "facets" / f"{i}.csv", index=False)
        PEOPLE[half].to_csv(tmp_path / "people" / f"{i}.csv", index=False)
    uri = str(tmp_path / "facets")
    found, _, _ = analysed(tmp_path, facet_dataset_uri=uri, data=tmp_path / "people")
    assert values(found)["CI"] == 0
    for data, facets in ((PEOPLE, uri), (tmp_path / "people", str(tmp_path / "facets.csv"))):
        with pytest.raises(clarify.ClarifyError, match="set joinsource_name_or_index"):
            analysed(tmp_path, facet_dataset_uri=facets, data=data, joinsource_name_or_index=None)


def test_predictions_beside_facets_from_two_files(tmp_path: Path, expected: dict[str, Any]) -> None:
    guesses = pd.DataFrame({"id": PEOPLE["id"], "other": 0, "predicted_label": PEOPLE["age"] > 50})
    guesses["predicted_label"] = guesses["predicted_label"].astype(int)
    guesses[::-1].to_csv(tmp_path / "guesses.csv", index=False)
    found, seen, _ = analysed(tmp_path, predicted_label_dataset_uri=str(tmp_path / "guesses.csv"))
    assert seen == [], "the model is not asked"
    assert values(found) == pytest.approx(expected)
