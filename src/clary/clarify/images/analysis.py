"""A whole analysis of images: every file explained, its heat maps written as soon as they are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clary.clarify.config.analysis import AnalysisConfig, Shap
from clary.clarify.data.roles import Roles
from clary.clarify.errors import ClarifyError
from clary.clarify.findings import Findings
from clary.clarify.images.attribution import ImagePredict, explain_image
from clary.clarify.images.drawing import objects, panel
from clary.clarify.images.explanation import ImageExplanation
from clary.clarify.images.files import read, sources

DRAWN = 20
"""Images that the report shows; more would make it a page that no browser likes to open."""

Log = Callable[[str], None]


def investigate_images(
    config: AnalysisConfig,
    asked: Mapping[str, Any],
    data: pd.DataFrame | str | Path,
    predict: ImagePredict,
    folder: Path | None,
    log: Log,
) -> Findings:
    """Explain each image below `data`. Only those that the report shows stay in memory."""
    if config.shap is None or isinstance(data, pd.DataFrame):
        raise ClarifyError("Images are explained from files, by methods.shap: give the path of their folder.")
    found: list[ImageExplanation] = []
    files = sources(Path(data))
    log(f"Explaining {len(files):,} {'image' if len(files) == 1 else 'images'} by Kernel SHAP.")
    for number, source in enumerate(files, 1):
        explanation = explain_image(
            read(source.path),
            predict,
            config.shap,
            config.predictor.label_headers,
            config.probability_threshold,
            source.name,
        )
        if folder is not None:
            _write(explanation, config.shap, folder)
        if number * 10 // len(files) > (number - 1) * 10 // len(files):
            log(f"Explained {number:,} of {len(files):,} images.")
        found.append(explanation if number <= DRAWN else explanation.undrawable())
    return Findings(config, asked, _NO_ROLES, len(files), images=found)


_NO_ROLES = Roles(pd.DataFrame(), pd.DataFrame(), {}, None, None, None, None, None)


def _write(explanation: ImageExplanation, shap: Shap, folder: Path) -> None:
    """Clarify's files of one image; the values of its superpixels, and these, as NumPy arrays."""
    values = folder / "explanations_shap"
    values.mkdir(parents=True, exist_ok=True)
    for stem, found in zip(explanation.stems(), explanation.attributions, strict=True):
        (folder / f"{stem}.jpeg").write_bytes(panel(explanation, found))
        if shap.save_local_shap_values:
            np.save(values / f"{stem}.npy", found.values)
    if shap.image_config is not None and shap.image_config.detects:
        (folder / f"{explanation.name}_objects.jpeg").write_bytes(objects(explanation))
    if shap.save_local_shap_values:
        np.save(values / f"segments_{explanation.name}.npy", explanation.segments)
