"""The flip test: would the model treat a row of the facet as it treats its nearest neighbours outside?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from clary.clarify.contrast import Contrast, Rows
from clary.clarify.metrics.registry import POST_TRAINING, Words, both_facets, metric


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
)
def flip_test(contrast: Contrast) -> float:
    """[#(y^ = 1, knn = 0) - #(y^ = 0, knn = 1)] / nd: smclarify's sign; AWS's documentation has the opposite.

    knn: 5 nearest neighbours among a (1 where a has at most 9 rows), Euclidean.
    """
    _, nd = both_facets(contrast)
    if contrast.rows is None:
        raise ValueError("The flip test needs the rows' features, and got none.")
    model = contrast.rows.predicted[contrast.rows.sensitive].astype(int)
    neighbours = _neighbours(contrast.rows).astype(int)
    return float(np.sum(model - neighbours) / nd)


def _neighbours(rows: Rows) -> NDArray[np.bool_]:
    """What the nearest rows of a were predicted, for each row of d."""
    others = rows.features.select_dtypes(exclude=["number", "bool"]).columns
    if len(others):
        raise ValueError(
            "The flip test measures distances, so every feature must be a number. These are not: "
            f"{', '.join(map(str, others))}. Encode them, or leave FT out of the methods."
        )
    if rows.features.shape[1] == 0:
        raise ValueError("The flip test needs at least one feature beside the facet and the label.")
    if rows.features.isna().to_numpy().any():
        raise ValueError("The flip test measures distances, so no feature may have missing values.")
    points = rows.features.to_numpy()
    a = ~rows.sensitive
    knn = KNeighborsClassifier(n_neighbors=5 if a.sum() > 9 else 1)
    prediction: NDArray[np.bool_] = knn.fit(points[a], rows.predicted[a]).predict(points[rows.sensitive])
    return prediction
