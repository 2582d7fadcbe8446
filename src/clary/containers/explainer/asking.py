"""The model as the explainer asks it: lines in requests of the size that it bears, scores out."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Sequence

import numpy as np

from clary.clarify.shap.coalitions import Floats
from clary.containers.explainer import answers
from clary.containers.explainer.settings import Inference
from clary.containers.inference.invocation import ClientError, Invocation, ModelFault, Served
from clary.containers.inference.serve import describe

LARGEST = 100_000
"""Records of one request where MaxRecordCount does not say."""
UTF8 = 4
"""Bytes that a character takes at most."""


class Model:
    """One call's model. Where MaxRecordCount is not given, a request that fails is tried in halves."""

    def __init__(
        self,
        served: Served,
        call: Invocation,
        asked: Inference,
        outputs: int,
        deadline: float,
        bears: Capacity,
    ) -> None:
        self._served, self._call, self._asked = served, call, asked
        self._outputs, self._deadline, self._bears = outputs, deadline, bears

    def scores(self, lines: Sequence[str]) -> Floats:
        """Shape (lines, outputs). ModelFault where the model fails, or the time is over."""
        return np.concatenate([part for batch in self._batches(lines) for part in self._ask(batch)])

    def _batches(self, lines: Sequence[str]) -> Iterator[Sequence[str]]:
        if len(lines) <= self._bears.records and UTF8 * sum(map(len, lines)) < self._asked.max_bytes:
            yield lines
            return
        start, room = 0, self._asked.max_bytes
        for at, line in enumerate(lines):
            size = len(line.encode()) + 1
            if at > start and (size > room or at - start >= self._bears.records):
                yield lines[start:at]
                start, room = at, self._asked.max_bytes
            room -= size
        yield lines[start:]

    def _ask(self, batch: Sequence[str]) -> list[Floats]:
        if time.monotonic() > self._deadline:
            raise ModelFault(
                "The explanation takes longer than a call may: send fewer records, or give a smaller "
                "NumberOfSamples or a baseline of fewer records"
            )
        try:
            return [self._once(batch)]
        except ModelFault:
            if len(batch) == 1 or self._asked.max_records is not None:
                raise
        half = (len(batch) + 1) // 2
        found = [part for at in (0, half) for part in self._ask(batch[at : at + half])]
        # Only now: where the halves fail too, it was not their number.
        self._bears.records = min(self._bears.records, half)
        return found

    def _once(self, batch: Sequence[str]) -> Floats:
        body = ("\n".join(batch) + "\n").encode()
        what = f"{len(batch)} record{'s' if len(batch) > 1 else ''} made for the explanation"
        try:
            answer = self._served.answer(
                Invocation(body, self._call.content_type, self._call.accept, self._call.headers)
            )
        except ClientError as error:
            raise ModelFault(f"The model refused {what}: {error.message}") from error
        except Exception as error:
            traceback.print_exc()
            raise ModelFault(f"The model failed on {what}: {describe(error)}") from error
        found = answers.scores(answers.read(answer, len(batch), self._asked), self._asked)
        if found.shape[1] != self._outputs:
            raise ModelFault(f"The model gave {found.shape[1]} scores for {what}, but {self._outputs} before")
        return found


class Capacity:
    """How many records a model is known to bear in one request; learnt by all calls together."""

    def __init__(self, asked: Inference) -> None:
        self.records = asked.max_records or LARGEST
