"""The metrics of a model's predictions, without the flip test.

Formulas: SageMaker Clarify's documentation and smclarify 0.5.
a is "all other rows", d the sensitive facet; a hat marks predictions. Some differences are a - d and some
d - a: the signs are Clarify's.
"""

from __future__ import annotations

import math

import numpy as np

from clary.clarify.fairness.contrast import Contrast, Counts, Side
from clary.clarify.fairness.metrics.pretraining import (
    HAS_GROUPS,
    both_outcomes,
    conditional_disparity,
    positive_gap,
)
from clary.clarify.fairness.metrics.registry import (
    POST_TRAINING,
    Need,
    Scale,
    Words,
    difference,
    divide,
    metric,
)

HAS_BENEFIT = Need(
    lambda c: np.asarray(_benefit(c) > 0),
    "Every prediction is a missed positive: there is no benefit to be spread.",
)


@metric(
    "DPPL",
    "Difference in Positive Proportions in Predicted Labels (DPPL)",
    POST_TRAINING,
    Words(
        meaning="Does the model predict the positive label as often for one facet as for the other?",
        above="The model predicts the positive label {points} less often for {d} than for {a}.",
        below="The model predicts the positive label {points} more often for {d} than for {a}.",
        level="The model predicts the positive label equally often for {d} and {a}.",
    ),
)
def difference_in_predictions(contrast: Contrast) -> Counts:
    """na1^ / na - nd1^ / nd"""
    return positive_gap(contrast, contrast.predictions)


@metric(
    "DI",
    "Disparate Impact (DI)",
    POST_TRAINING,
    Words(
        meaning="The same as DPPL as a ratio. US practice calls a ratio below 0.8 adverse (the "
        "four-fifths rule).",
        above="{d} gets the positive prediction {size} times as often as {a}.",
        below="{d} gets the positive prediction only {size} times as often as {a}.",
        level="{d} gets the positive prediction as often as {a}.",
    ),
    Scale(fair=1.0, low=0, high=math.inf),
)
def disparate_impact(contrast: Contrast) -> Counts:
    """(nd1^ / nd) / (na1^ / na)"""
    rates = contrast.predictions[..., 1] / contrast.predictions.sum(axis=-1)
    return divide(rates[..., 1], rates[..., 0])


@metric(
    "DCA",
    "Difference in Conditional Acceptance (DCA)",
    POST_TRAINING,
    Words(
        meaning="For each positive prediction, how many rows really are positive? Compared "
        "between the facets.",
        above="Per positive prediction, {a} has {size} more real positives than {d}: the model "
        "is stingier to {a}.",
        below="Per positive prediction, {d} has {size} more real positives than {a}: the model "
        "is stingier to {d}.",
        level="Positive predictions match the real positives equally well in {d} and {a}.",
    ),
    Scale(low=-math.inf, high=math.inf),
)
def conditional_acceptance(contrast: Contrast) -> Counts:
    """na1 / na1^ - nd1 / nd1^"""
    a, d = contrast.a, contrast.d
    return difference(divide(a.tp + a.fn, a.tp + a.fp), divide(d.tp + d.fn, d.tp + d.fp))


@metric(
    "DCR",
    "Difference in Conditional Rejection (DCR)",
    POST_TRAINING,
    Words(
        meaning="For each negative prediction, how many rows really are negative? Compared "
        "between the facets.",
        above="Per rejection, {d} has {size} more real negatives than {a}.",
        below="Per rejection, {a} has {size} more real negatives than {d}: the model rejects {d} "
        "more than it ought.",
        level="Rejections match the real negatives equally well in {d} and {a}.",
    ),
    Scale(low=-math.inf, high=math.inf),
)
def conditional_rejection(contrast: Contrast) -> Counts:
    """nd0 / nd0^ - na0 / na0^"""
    a, d = contrast.a, contrast.d
    return difference(divide(d.tn + d.fp, d.tn + d.fn), divide(a.tn + a.fp, a.tn + a.fn))


@metric(
    "RD",
    "Recall Difference (RD)",
    POST_TRAINING,
    Words(
        meaning="Of the rows that really are positive, how many does the model find? (Equal opportunity.)",
        above="The model finds {points} fewer of the real positives in {d} than in {a}.",
        below="The model finds {points} more of the real positives in {d} than in {a}.",
        level="The model finds the real positives of {d} and {a} equally well.",
    ),
)
def recall_difference(contrast: Contrast) -> Counts:
    """TPRa - TPRd"""
    a, d = contrast.a, contrast.d
    return difference(divide(a.tp, a.tp + a.fn), divide(d.tp, d.tp + d.fn))


@metric(
    "SD",
    "Specificity Difference (SD)",
    POST_TRAINING,
    Words(
        meaning="Of the rows that really are negative, how many does the model recognise?",
        above="The model recognises {points} more of the real negatives in {d} than in {a}.",
        below="The model recognises {points} fewer of the real negatives in {d} than in {a}.",
        level="The model recognises the real negatives of {d} and {a} equally well.",
    ),
)
def specificity_difference(contrast: Contrast) -> Counts:
    """TNRd - TNRa"""
    a, d = contrast.a, contrast.d
    return difference(divide(d.tn, d.tn + d.fp), divide(a.tn, a.tn + a.fp))


@metric(
    "DAR",
    "Difference in Acceptance Rates (DAR)",
    POST_TRAINING,
    Words(
        meaning="When the model says positive, how often is it right? (Precision.)",
        above="A positive prediction is right {points} less often for {d} than for {a}.",
        below="A positive prediction is right {points} more often for {d} than for {a}.",
        level="A positive prediction is right equally often for {d} and {a}.",
    ),
)
def acceptance_rates(contrast: Contrast) -> Counts:
    """PPVa - PPVd"""
    a, d = contrast.a, contrast.d
    return difference(divide(a.tp, a.tp + a.fp), divide(d.tp, d.tp + d.fp))


@metric(
    "DRR",
    "Difference in Rejection Rates (DRR)",
    POST_TRAINING,
    Words(
        meaning="When the model says negative, how often is it right?",
        above="A negative prediction is right {points} more often for {d} than for {a}.",
        below="A negative prediction is right {points} less often for {d} than for {a}.",
        level="A negative prediction is right equally often for {d} and {a}.",
    ),
)
def rejection_rates(contrast: Contrast) -> Counts:
    """NPVd - NPVa"""
    a, d = contrast.a, contrast.d
    return difference(divide(d.tn, d.tn + d.fn), divide(a.tn, a.tn + a.fn))


@metric(
    "AD",
    "Accuracy Difference (AD)",
    POST_TRAINING,
    Words(
        meaning="Is the model right as often for one facet as for the other?",
        above="The model is right {points} less often for {d} than for {a}.",
        below="The model is right {points} more often for {d} than for {a}.",
        level="The model is right equally often for {d} and {a}.",
    ),
)
def accuracy_difference(contrast: Contrast) -> Counts:
    """ACCa - ACCd"""
    a, d = contrast.a, contrast.d
    return difference(divide(a.tp + a.tn, a.n), divide(d.tp + d.tn, d.n))


@metric(
    "TE",
    "Treatment Equality (TE)",
    POST_TRAINING,
    Words(
        meaning="When the model errs, does it err against one facet and in favour of the other? "
        "(Missed positives for each false one.)",
        above="For each false positive, {d} suffers {size} more missed positives than {a}.",
        below="For each false positive, {d} suffers {size} fewer missed positives than {a}.",
        level="The model's errors fall the same way for {d} and {a}.",
    ),
    Scale(low=-math.inf, high=math.inf),
)
def treatment_equality(contrast: Contrast) -> Counts:
    """FNd / FPd - FNa / FPa"""
    a, d = contrast.a, contrast.d
    return difference(divide(d.fn, d.fp), divide(a.fn, a.fp))


@metric(
    "CDDPL",
    "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
    POST_TRAINING,
    Words(
        meaning="CDDL asked of the predictions: within each group, is the facet a larger part of "
        "the rejected?",
        above="Within groups, {d} is a larger part of the rejected than of the accepted, by {points}.",
        below="Within groups, {d} is a smaller part of the rejected than of the accepted, by {points}.",
        level="Within groups, {d} is the same part of the rejected as of the accepted.",
    ),
    needs=(HAS_GROUPS, *both_outcomes(lambda c: c.predictions)),
)
def conditional_disparity_in_predictions(contrast: Contrast) -> Counts:
    """CDDL with predictions for labels"""
    return conditional_disparity(contrast.groups.sum(axis=-2))


@metric(
    "GE",
    "Generalized Entropy (GE)",
    POST_TRAINING,
    Words(
        meaning="How unevenly does the model's benefit fall on the rows, whatever their facet? "
        "(A false positive has the benefit 2, a right prediction 1, a missed positive 0.)",
        above="Benefits are spread unevenly over all rows: {size}, half the squared coefficient "
        "of variation.",
        level="Every row gets the same benefit.",
    ),
    Scale(low=0, high=math.inf),
    needs=(HAS_BENEFIT,),
    tested=False,
)
def generalized_entropy(contrast: Contrast) -> Counts:
    """1 / (2n) sum of (b / mu)^2 - 1, with the benefit b = y^ - y + 1 and its mean mu"""
    both = Side(contrast.table.sum(axis=-3))
    mean = _benefit(contrast)
    spread = (both.fp * ((2 / mean) ** 2 - 1) + (both.tn + both.tp) * ((1 / mean) ** 2 - 1) - both.fn) / 2
    return np.asarray(spread / both.n)


def _benefit(contrast: Contrast) -> Counts:
    """The mean benefit: 2 for a false positive, 1 for a right prediction, 0 for a missed positive."""
    both = Side(contrast.table.sum(axis=-3))
    return divide(2 * both.fp + both.tn + both.tp, both.n)
