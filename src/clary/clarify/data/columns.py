"""Values of columns as people write them: compared across types."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

Value = int | float | str | bool
Column = pd.Series  # one column of any type


def as_number(value: Any) -> float | None:
    """The value as a number if it is or says one."""
    if isinstance(value, int | float):
        return value
    try:
        return float(value)
    except (ValueError, TypeError):
        return None


def canonical(value: Any) -> Any:
    """One form for 1, 1.0, "1" and "1.0", for True, "true" and "True", and for a day and its midnight."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ").removesuffix(" 00:00:00")
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    number = as_number(text)
    return number if number is not None else (text.lower() if text.lower() in ("true", "false") else text)
