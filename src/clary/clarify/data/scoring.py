"""A model's scores, or their logits, with a count of the rows that it was asked."""

from __future__ import annotations

from threading import Lock

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.data.predictions import Predict, scores
from clary.clarify.errors import ClarifyError

PROBABILITY_EDGE = 1e-9
"""With use_logit, probabilities are kept this far from 0 and 1, whose logits are infinite."""


class Scorer:
    """A model as the explanations ask it, from several threads where it bears them."""

    def __init__(self, predict: Predict, use_logit: bool = False) -> None:
        self._predict, self._use_logit = predict, use_logit
        self.evaluations, self.outputs = 0, 0
        self._counting = Lock()

    @property
    def parallel(self) -> int:
        """How many calls the model bears at a time: one, unless it says otherwise by an attribute."""
        return int(getattr(self._predict, "parallel", 1))

    def __call__(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Shape (rows, outputs)."""
        if frame.empty:
            return np.zeros((0, self.outputs or 1))
        found = scores(self._predict, frame)
        with self._counting:
            self.evaluations += len(frame)
            self.outputs = self.outputs or found.shape[1]
        if found.shape[1] != self.outputs:
            raise ClarifyError(
                f"The model answered {found.shape[1]} scores a row, and {self.outputs} before: it must be as "
                "many each time."
            )
        return logits(found) if self._use_logit else found


def logits(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of probabilities; ClarifyError for other scores."""
    if len(found) and (found.min() < 0 or found.max() > 1):
        raise ClarifyError("methods.shap.use_logit needs probabilities, but the model's scores leave 0 to 1.")
    inside = np.clip(found, PROBABILITY_EDGE, 1 - PROBABILITY_EDGE)
    return np.asarray(np.log(inside / (1 - inside)))
