"""Which columns are text, and what stands for a part of them that is not known."""

from __future__ import annotations

from typing import Any

import pandas as pd
import regex

from clary.clarify.config.analysis import Shap
from clary.clarify.data.columns import Column
from clary.clarify.errors import ClarifyError, known
from clary.clarify.shap.baseline import clustered, given, typical
from clary.clarify.text.settings import TextConfig

WORDS = 2
"""A column whose values have more words than this, on the average, is text rather than categories."""
DISTINCT = 0.2
"""The least share of different values among a text column's rows: categories repeat themselves."""

_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]|[^\s\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]+"
)
_HALF_PAIR = regex.compile("[\ud800-\udfff]")


def text_columns(features: pd.DataFrame, config: TextConfig) -> list[str]:
    """The names of the text columns: the configured ones, or those that look like text."""
    names = list(map(str, features.columns))
    if config.columns is not None:
        for name in config.columns:
            if name not in names:
                options = known(name, names, "features")
                raise ClarifyError(f"methods.shap.text_config.columns: {options}")
        return [name for name in names if name in config.columns]
    written = [name for name in names if _is_written(features[name])]
    found = written if len(names) == 1 else [name for name in written if _is_text(features[name])]
    if not found:
        raise ClarifyError(
            "methods.shap.text_config: no feature looks like text (more than "
            f"{WORDS} words a row, and not the same few values again and again): "
            "name the text columns in methods.shap.text_config.columns."
        )
    return found


def _is_written(column: Column) -> bool:
    kind = pd.api.types
    return not (
        kind.is_numeric_dtype(column.dtype)
        or kind.is_datetime64_any_dtype(column.dtype)
        or isinstance(column.dtype, pd.CategoricalDtype)
    )


def _is_text(column: Column) -> bool:
    present = column.dropna()
    if present.empty or present.nunique() < DISTINCT * len(present):
        return False
    words = present.head(1000).map(lambda value: len(_WORD.findall(str(value))))
    return bool(words.mean() > WORDS)


def readable(features: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The features with every text as one that can be sent: a missing one is empty."""
    return features.assign(**{name: features[name].map(_text).astype(object) for name in columns})


def _text(value: Any) -> str:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    return str(_HALF_PAIR.sub("\N{REPLACEMENT CHARACTER}", str(value)))


def text_baseline(features: pd.DataFrame, columns: list[str], settings: Shap) -> pd.DataFrame:
    """The baseline's rows: a text column holds what replaces a unit, nothing where nothing is configured."""
    others = features.drop(columns=columns)
    if isinstance(settings.baseline, pd.DataFrame):
        rows = settings.baseline[list(features.columns)].reset_index(drop=True)
    elif settings.baseline is not None:
        rows = given(settings.baseline, features)
    elif settings.num_clusters is not None:
        if others.empty:
            raise ClarifyError(
                "methods.shap.num_clusters finds rows for features that are not text, and there are none: "
                'leave it out, or give baseline, for example [["[MASK]"]].'
            )
        rows = clustered(others, settings.num_clusters, settings.seed)
    else:
        rows = typical(others) if others.shape[1] else pd.DataFrame(index=range(1))
    for name in columns:
        if name not in rows:
            rows[name] = ""
    return readable(rows[list(features.columns)], columns)
