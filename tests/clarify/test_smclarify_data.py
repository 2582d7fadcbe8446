"""The data sets that fairness is taught with, measured by Clary and by smclarify: equal to 1e-12."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clary.hub import datasets, packages

sys.path.insert(0, str(Path(__file__).parent))
from test_smclarify_live import Ask, compare, measured, smclarify

__all__ = ["smclarify"]


def columns(table: pd.DataFrame) -> dict[str, Any]:
    """Columns as smclarify's peer is told them."""

    def kind(column: pd.Series[Any]) -> str:
        if pd.api.types.is_integer_dtype(column):
            return "integer"
        return "float" if pd.api.types.is_float_dtype(column) else "category"

    def plain(column: pd.Series[Any]) -> list[Any]:
        return column.astype(object).where(column.notna(), None).tolist()

    return {str(n): {"kind": kind(table[n]), "values": plain(table[n])} for n in table}


def german() -> pd.DataFrame:
    """A guess as of a model: good where duration and amount are small, so that both errors occur."""
    table = pd.read_csv(datasets.german_credit(packages.default_cache()))
    small = (table["Months"] < 30) & (table["Amount"] < 5000)
    sex = table["Personal"].map(lambda code: "female" if code in ("A92", "A95") else "male")
    return table.assign(Sex=sex, Guess=np.where(small, 1, 2))


def compas() -> pd.DataFrame:
    table = pd.read_csv(datasets.compas(packages.default_cache()))
    used = ["sex", "race", "age", "age_cat", "juv_fel_count", "priors_count", "c_charge_degree"]
    guess = (table["decile_score"] > 4).astype(int)
    return table[used].assign(two_year_recid=table["two_year_recid"], guess=guess)


def adult() -> pd.DataFrame:
    path = datasets.adult(packages.default_cache())
    table = pd.read_csv(path, na_values="?", nrows=datasets.ADULT_TRAIN_ROWS).drop(columns="fnlwgt")
    rich = (table["Education-Num"] > 12) & (table["Hours per week"] > 35)
    return table.assign(Guess=np.where(rich, ">50K", "<=50K"))


ASKED: list[tuple[Any, list[Any]]] = [
    (german, ["Target", [1], "Guess", "Job", {"Sex": ["female"], "Foreign": None, "Age": [25]}]),
    (german, ["Target", [1], "Guess", "Housing", {"Personal": ["A91", "A94"], "Purpose": None}]),
    (
        compas,
        ["two_year_recid", [0], "guess", "age_cat", {"race": None, "sex": None, "age_cat": ["25 - 45"]}],
    ),
    (compas, ["two_year_recid", [0], "guess", "c_charge_degree", {"race": ["African-American"]}]),
    (adult, ["Target", [">50K"], "Guess", "Education", {"Sex": ["Female"], "Workclass": ["Private"]}]),
    (adult, ["Target", [">50K"], "Guess", "Occupation", {"Ethnic group": None}]),
]
CASES = [
    pytest.param(data, facet, values, *rest, id=f"{data.__name__} {facet}")
    for data, (*rest, facets) in ASKED
    for facet, values in facets.items()
]


@pytest.mark.parametrize("stage", ["before", "after"])
@pytest.mark.parametrize(("data", "facet", "values", "label", "positive", "predicted", "group"), CASES)
def test_every_metric_is_smclarifys(
    smclarify: Ask,
    data: Any,
    facet: str,
    values: Any,
    label: str,
    positive: list[Any],
    predicted: str,
    group: str,
    stage: str,
) -> None:
    table = data()
    if stage == "before":
        table = table.drop(columns=predicted)
    case = {
        "columns": columns(table),
        "facet": facet,
        "values": values,
        "label": label,
        "positive": positive,
        "predicted": predicted if stage == "after" else None,
        "group": group,
    }
    ours, theirs = measured(case), smclarify(case)
    assert not isinstance(ours, str), ours
    assert not isinstance(theirs, str), theirs
    assert {m["name"] for f in ours for m in f["metrics"]} >= ({"DPL"} if stage == "before" else {"DI", "TE"})
    compare(ours, theirs, gaps=table[group].hasnans)
