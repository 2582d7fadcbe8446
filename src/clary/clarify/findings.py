"""What an analysis found, before it is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clary.clarify.config.analysis import AnalysisConfig
from clary.clarify.data.roles import Roles
from clary.clarify.fairness.analysis import BiasFindings
from clary.clarify.images.explanation import ImageExplanation
from clary.clarify.monitoring.drift import Drift
from clary.clarify.partial_dependence import Dependence
from clary.clarify.segments import SegmentedBy
from clary.clarify.shap.explanation import Explanation
from clary.clarify.shap.interactions import InteractionExplanation
from clary.clarify.shap.kernel import output_names
from clary.clarify.text.explanation import TextExplanation
from clary.clarify.time_series.explanation import ForecastExplanation


@dataclass(frozen=True)
class Findings:
    """All that an analysis found: what analysis.json and the report are written from."""

    config: AnalysisConfig
    asked: Mapping[str, Any]
    roles: Roles
    rows: int
    bias: BiasFindings | None = None
    explanation: Explanation | None = None
    text: TextExplanation | None = None
    interactions: InteractionExplanation | None = None
    dependence: Sequence[Dependence] = ()
    forecasts: ForecastExplanation | None = None
    output_uri: str = ""
    """Where the output will lie, if not where it is written."""
    images: Sequence[ImageExplanation] = ()
    drift: Drift | None = None
    segments: Sequence[SegmentedBy] = ()

    @property
    def outputs(self) -> list[str]:
        """The names of the model's outputs."""
        headers = self.config.predictor.label_headers
        number = len(self.dependence[0].predictions) if self.dependence else 0
        explained = self.explanation or self.text
        return output_names(number, headers) if explained is None else explained.outputs

    def in_json(self) -> dict[str, Any]:
        """analysis.json as Clarify lays it out."""
        bias = {} if self.bias is None else self.bias.in_json()
        mitigation = bias.pop("mitigation", None)
        document: dict[str, Any] = {"version": "1.0", **bias}
        explanations: dict[str, Any] = {}
        if self.explanation is not None:
            explanations["kernel_shap"] = self.explanation.in_json()
            explanations["shap_method"] = self.explanation.method
        if self.text is not None:
            explanations["kernel_shap"] = self.text.in_json()
        if self.interactions is not None:
            explanations["kernel_shap_interactions"] = self.interactions.in_json()
        if self.dependence:
            explanations["pdp"] = [item.in_json(self.outputs) for item in self.dependence]
        if self.forecasts is not None:
            explanations["asymmetric_shapley_value"] = self.forecasts.in_json(self.output_uri)
        if self.images:
            explanations["images"] = [image.in_json() for image in self.images]
        if explanations:
            document["explanations"] = explanations
        if self.segments:
            document["segments"] = {item.name: item.in_json() for item in self.segments}
        return document if mitigation is None else {**document, "mitigation": mitigation}
