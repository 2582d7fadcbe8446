"""methods.shap.text_config of analysis_config.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clary.clarify.config.schema import Types, check
from clary.clarify.errors import ClarifyError, known
from clary.clarify.text.languages import code
from clary.clarify.text.units import GRANULARITIES, cutter

KEYS: dict[str, Types] = {"granularity": str, "language": str, "max_top_tokens": int, "columns": list}


@dataclass(frozen=True)
class TextConfig:
    """How text columns are cut into units."""

    granularity: str
    language: str
    """A name or a code of Clarify's list."""
    max_top_tokens: int = 50
    """How many units `global_top_shap_text` lists for each output."""
    columns: tuple[str, ...] | None = None
    """The text columns; None looks for them. Clary's own."""

    def __post_init__(self) -> None:
        if self.granularity not in GRANULARITIES:
            options = known(self.granularity, GRANULARITIES, "granularities")
            raise ClarifyError(f"methods.shap.text_config.granularity: {options}")
        if self.max_top_tokens < 1:
            raise ClarifyError("methods.shap.text_config.max_top_tokens must be at least 1.")
        cutter(self.granularity, code(self.language))


def text_config(settings: Mapping[str, Any]) -> TextConfig:
    """Check the settings. Raises ClarifyError where the language cannot be cut so."""
    check(settings, KEYS, "methods.shap.text_config", ["granularity", "language"])
    columns = settings.get("columns")
    if columns is not None and (not columns or not all(isinstance(name, str) for name in columns)):
        raise ClarifyError("methods.shap.text_config.columns must be a list of column names.")
    return TextConfig(
        settings["granularity"].lower(),
        settings["language"],
        settings.get("max_top_tokens", 50),
        None if columns is None else tuple(columns),
    )
