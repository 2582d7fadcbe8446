"""Pictures and pages from their templates; every text in them is escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from clary.clarify.report import words

FOLDER = Path(__file__).parent


@cache
def environment() -> jinja2.Environment:
    """The report's templates, with the filters that they use."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    found.filters.update(number=words.number, plain=words.plain, percent=words.percent, change=words.change)
    return found


def picture(macro: str, *geometry: Any) -> str:
    """A picture as SVG, by the macro of charts.jinja that draws it."""
    drawn = getattr(environment().get_template("charts.jinja").module, macro)(*geometry)
    return "".join(line.strip() for line in str(drawn).splitlines())
