"""methods.shap.image_config: how images are cut into superpixels and which of the answers are explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clary.clarify.config.schema import IMAGES, Types, check, refuse
from clary.clarify.errors import ClarifyError, known

CLASSIFICATION, DETECTION = "IMAGE_CLASSIFICATION", "OBJECT_DETECTION"
CONTENT_TYPES = ("image/jpeg", "image/jpg", "image/png", "application/x-npy")

IMAGE_CONFIG: dict[str, Types] = {
    "model_type": str,
    "num_segments": int,
    "segment_compactness": (int, float),
    "feature_extraction_method": str,
    "max_objects": int,
    "iou_threshold": (int, float),
    "context": (int, float),
    "max_labels": int,
}

_WHERE = "methods.shap.image_config"

NOT_BUILT = {
    "methods.shap.image_config.debug": "remove it, and give only the images that are to be explained",
}

_ONLY_DETECTION = ("max_objects", "iou_threshold", "context")
_WITH_IMAGES = ("version", "dataset_type", "dataset_uri", "methods", "predictor")
_MEANINGLESS = (
    "agg_method",
    "num_clusters",
    "num_rows",
    "features_to_explain",
    "feature_groups",
    "interactions",
)


@dataclass(frozen=True)
class ImageConfig:
    """The settings, with Clarify's defaults."""

    model_type: str
    num_segments: int = 20
    segment_compactness: float = 5.0
    feature_extraction_method: str = "segmentation"
    max_objects: int = 3
    iou_threshold: float = 0.5
    """How much a box must overlap the explained one for its score to be that object's."""
    context: float = 1.0
    """How far around an object's box the image is seen: 0 not at all, 1 to its edges."""
    max_labels: int = 3
    """Of how many labels, from the highest score down, a classification is explained. Clary's own."""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def detects(self) -> bool:
        return self.model_type == DETECTION


def image_config(shap: Mapping[str, Any]) -> ImageConfig | None:
    """The image settings in methods.shap, checked; None where there are none."""
    if "image_config" not in shap:
        return None
    for key in _MEANINGLESS:
        if key in shap:
            raise ClarifyError(f"methods.shap.{key} has no meaning for images: remove it.")
    asked = shap["image_config"]
    refuse(asked, NOT_BUILT, f"{_WHERE}.")
    check(asked, IMAGE_CONFIG, _WHERE, ["model_type"])
    settings = ImageConfig(**asked)
    for key in ("max_labels",) if settings.detects else _ONLY_DETECTION:
        if key in asked:
            raise ClarifyError(f"{_WHERE}.{key} has no meaning for {settings.model_type}: remove it.")
    return settings


def check_images(config: Mapping[str, Any], settings: ImageConfig | None) -> None:
    """An image data set and image settings go together, and nothing else goes with them."""
    predictor, methods = config.get("predictor", {}), config["methods"]
    content_type = str(predictor.get("content_type", CONTENT_TYPES[0])).lower()
    if config["dataset_type"].lower() != IMAGES:
        if settings is not None:
            raise ClarifyError(f"methods.shap.image_config needs dataset_type {IMAGES}.")
        if "content_type" in predictor and content_type in CONTENT_TYPES:
            raise ClarifyError(f"predictor.content_type {content_type} needs dataset_type {IMAGES}.")
        return
    if settings is None:
        raise ClarifyError(
            f"dataset_type {IMAGES} needs methods.shap.image_config: it says how images are explained "
            f'(for example {{"model_type": "{CLASSIFICATION}"}}).'
        )
    for key in methods:
        if key not in ("shap", "report"):
            raise ClarifyError(f"methods.{key} has no meaning for images: remove it.")
    for key in config:
        if key not in _WITH_IMAGES and not (key == "probability_threshold" and settings.detects):
            raise ClarifyError(f"{key} has no meaning for {settings.model_type}: remove it.")
    if content_type not in CONTENT_TYPES:
        raise ClarifyError(f"predictor.content_type of images must be one of {', '.join(CONTENT_TYPES)}.")
    accept = str(predictor.get("accept_type", "application/json")).lower()
    if settings.detects and (accept != "application/json" or "label" in predictor):
        raise ClarifyError(
            "A detection model answers application/json, with predictor.probability as the path of its "
            "objects: remove predictor.accept_type and predictor.label."
        )


def _check(settings: ImageConfig) -> None:
    if settings.model_type not in (CLASSIFICATION, DETECTION):
        kinds = (CLASSIFICATION, DETECTION)
        raise ClarifyError(
            f"{_WHERE}.model_type {settings.model_type!r} does not exist. "
            f"{known(settings.model_type, kinds, 'types')}"
        )
    if settings.feature_extraction_method != "segmentation":
        raise ClarifyError(
            f"{_WHERE}.feature_extraction_method {settings.feature_extraction_method!r} does not exist: "
            "use segmentation."
        )
    for key in ("num_segments", "max_objects", "max_labels"):
        if getattr(settings, key) < 1:
            raise ClarifyError(f"{_WHERE}.{key} must be at least 1.")
    if settings.segment_compactness <= 0:
        raise ClarifyError(f"{_WHERE}.segment_compactness must be above 0: 0.01, 0.1, 1, 10 or 100, say.")
    for key in ("iou_threshold", "context"):
        if not 0 <= getattr(settings, key) <= 1:
            raise ClarifyError(f"{_WHERE}.{key} must be between 0 and 1.")
