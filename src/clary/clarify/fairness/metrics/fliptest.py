"""The flip test: would the model treat a row of the facet as it treats its nearest neighbours outside?"""

from __future__ import annotations

import numpy as np

from clary.clarify.fairness.contrast import Contrast, Counts
from clary.clarify.fairness.metrics.registry import BOTH_FACETS, POST_TRAINING, Need, Words, metric

HAS_FLIPS = Need(lambda c: np.asarray(c.flips is not None), lambda c: c.why_no_flips)


@metric(
    "FT",
    "Flip Test (FT)",
    POST_TRAINING,
    Words(
        meaning="Would a row of the facet get another prediction if it were judged like its "
        "nearest neighbours "
        "outside the facet? (On the numeric features as they are, unscaled.)",
        above="{percent} more of {d} are predicted positive against their neighbours in {a} than negative.",
        below="{percent} more of {d} are predicted negative against their neighbours in {a} than positive.",
        level="Judged like their neighbours in {a}, as many of {d} would gain as would lose.",
    ),
    needs=(*BOTH_FACETS, HAS_FLIPS),
)
def flip_test(contrast: Contrast) -> Counts:
    """[#(y^ = 1, knn = 0) - #(y^ = 0, knn = 1)] / nd: smclarify's sign; AWS's documentation has the opposite.

    knn: 5 nearest neighbours among a (1 where a has at most 9 rows), Euclidean.
    """
    flips = np.full(3, np.nan) if contrast.flips is None else contrast.flips
    return np.asarray((flips[..., 0] - flips[..., 2]) / flips.sum(axis=-1))
