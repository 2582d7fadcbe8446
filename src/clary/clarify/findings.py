"""What an analysis found, before it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clary.clarify.bias_metrics import StageBias
from clary.clarify.config import AnalysisConfig
from clary.clarify.explanation import Explanation
from clary.clarify.roles import Roles


@dataclass(frozen=True)
class Findings:
    """All that an analysis found: what analysis.json and the report are written from."""

    config: AnalysisConfig
    asked: Mapping[str, Any]
    roles: Roles
    pre_training: StageBias | None = None
    post_training: StageBias | None = None
    explanation: Explanation | None = None

    def in_json(self) -> dict[str, Any]:
        """analysis.json as Clarify lays it out."""
        document: dict[str, Any] = {"version": "1.0"}
        if self.pre_training is not None:
            document["pre_training_bias_metrics"] = self.pre_training.in_json()
        if self.post_training is not None:
            document["post_training_bias_metrics"] = self.post_training.in_json()
        if self.explanation is not None:
            document["explanations"] = {"kernel_shap": self.explanation.in_json()}
        return document
