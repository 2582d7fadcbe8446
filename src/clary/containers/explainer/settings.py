"""ClarifyExplainerConfig and its baseline, as the worker finds them in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clary.containers.explainer import records
from clary.containers.explainer.texts import TextSettings, text_settings
from clary.containers.inference import names
from clary.containers.inference.invocation import CannotServe, ClientError

BASELINE = "baseline"
"""Beside the configuration, where the server has brought it from S3."""
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Inference:
    """InferenceConfig: how the model is spoken to, and the names that the answer shows."""

    max_bytes: int
    max_records: int | None = None
    probability_index: int | None = None
    probability_attribute: str | None = None
    label_index: int | None = None
    label_attribute: str | None = None
    label_headers: Sequence[str] = ()
    feature_headers: Sequence[str] = ()


@dataclass(frozen=True)
class Settings:
    baseline: Sequence[Sequence[Any]]
    form: records.Form
    inference: Inference
    enable: str = "`true`"
    samples: int | None = None
    seed: int | None = None
    use_logit: bool = False
    text: TextSettings | None = None


def load(root: Path) -> Settings:
    """CannotServe where its parts do not fit together."""
    path = root / names.EXPLAINER
    config = json.loads(path.read_text("utf-8"))
    given = path.with_name(BASELINE)
    inline = config["ShapConfig"]["ShapBaselineConfig"].get("ShapBaseline")
    return of(config, given.read_bytes().decode("utf-8-sig", "replace") if inline is None else inline)


def of(config: Mapping[str, Any], baseline: str) -> Settings:
    asked = config.get("InferenceConfig") or {}
    shap = config["ShapConfig"]
    inference = Inference(
        max_bytes=asked.get("MaxPayloadInMB", 6) * MEGABYTE,
        max_records=asked.get("MaxRecordCount"),
        probability_index=asked.get("ProbabilityIndex"),
        probability_attribute=asked.get("ProbabilityAttribute"),
        label_index=asked.get("LabelIndex"),
        label_attribute=asked.get("LabelAttribute"),
        label_headers=asked.get("LabelHeaders", ()),
        feature_headers=asked.get("FeatureHeaders", ()),
    )
    form = records.Form(asked.get("FeaturesAttribute"), asked.get("ContentTemplate"))
    rows = _baseline(baseline, shap["ShapBaselineConfig"], form, inference)
    return Settings(
        baseline=rows,
        form=form,
        inference=inference,
        enable=config.get("EnableExplanations", "`true`"),
        samples=shap.get("NumberOfSamples"),
        seed=shap.get("Seed"),
        use_logit=shap.get("UseLogit", False),
        text=text_settings(shap.get("TextConfig"), asked.get("FeatureTypes"), rows),
    )


def _baseline(
    text: str, config: Mapping[str, Any], form: records.Form, inference: Inference
) -> Sequence[Sequence[Any]]:
    kind = config.get("MimeType") or records.CSV
    try:
        rows = records.read(text, kind, form)
    except ClientError as error:
        raise CannotServe(f"The SHAP baseline is not {kind}: {error.message}") from error
    if len(rows) > 1 and list(inference.feature_headers) == rows[0]:
        rows = rows[1:]
    widths = {len(row) for row in rows}
    if len(widths) > 1 or not any(widths):
        raise CannotServe(f"The records of the SHAP baseline have {min(widths)} to {max(widths)} features")
    headers = len(inference.feature_headers)
    if headers and {headers} != widths:
        raise CannotServe(
            f"FeatureHeaders has {headers} names, but a record of the SHAP baseline has {widths.pop()} "
            "features; leave out label and prediction in both"
        )
    return rows
