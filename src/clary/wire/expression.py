"""JMESPath expressions that a request carries: whether they are any."""

from __future__ import annotations

import jmespath


def problem(expression: str) -> str | None:
    """Why it is no JMESPath, in one line; None for a good one."""
    try:
        jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        return " ".join(str(error).split())
    return None
