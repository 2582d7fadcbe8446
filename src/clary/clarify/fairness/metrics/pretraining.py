"""The eight metrics of the data alone. Formulas: SageMaker Clarify's documentation and smclarify 0.5.

a is "all other rows", d the sensitive facet; n counts rows, n1 the ones with the positive label.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clary.clarify.fairness.contrast import Contrast, Counts, Flags
from clary.clarify.fairness.metrics.registry import (
    BOTH_FACETS,
    PRE_TRAINING,
    Need,
    Scale,
    Words,
    divide,
    metric,
)


def _common(contrast: Contrast) -> Flags:
    """Which label values both facets have, shape (..., labels)."""
    return np.asarray((contrast.labels > 0).all(axis=-2))


DISTRIBUTIONS = (
    *BOTH_FACETS,
    Need(
        lambda c: np.asarray(_common(c).any(axis=-1)),
        "The facets have no label value in common: their label shares cannot be compared.",
    ),
)

HAS_GROUPS = Need(
    lambda c: np.asarray(c.cells.shape[-4] > 1),
    "This metric compares within groups: name a group_variable in the configuration to get it.",
)


def both_outcomes(counts: Callable[[Contrast], Counts]) -> tuple[Need, Need]:
    """Some rows are accepted and some rejected, by `counts` of facet and (predicted) label."""
    return (
        Need(
            lambda c: np.asarray(counts(c)[..., 1].sum(axis=-1) > 0),
            "No row has the positive label: there is no accepted part to compare.",
        ),
        Need(
            lambda c: np.asarray(counts(c)[..., 0].sum(axis=-1) > 0),
            "No row has the negative label: there is no rejected part to compare.",
        ),
    )


_SAME = "The labels of {d} and of {a} are spread the same way."
_SPREAD = "The labels of {d} and of {a} are spread differently"


@metric(
    "CI",
    "Class Imbalance (CI)",
    PRE_TRAINING,
    Words(
        meaning="Are there as many rows of one facet as of the other? A model learns little of a "
        "small facet.",
        above="{d} has fewer rows than {a}: the difference is {percent} of the data.",
        below="{d} has more rows than {a}: the difference is {percent} of the data.",
        level="{d} and {a} have equally many rows.",
    ),
)
def class_imbalance(contrast: Contrast) -> Counts:
    """(na - nd) / (na + nd)"""
    na, nd = contrast.a.n, contrast.d.n
    return (na - nd) / (na + nd)


@metric(
    "DPL",
    "Difference in Positive Proportions in Labels (DPL)",
    PRE_TRAINING,
    Words(
        meaning="Is the positive label as frequent in one facet as in the other?",
        above="The positive label is {points} less frequent in {d} than in {a}.",
        below="The positive label is {points} more frequent in {d} than in {a}.",
        level="The positive label is equally frequent in {d} and in {a}.",
    ),
)
def difference_in_labels(contrast: Contrast) -> Counts:
    """na1 / na - nd1 / nd"""
    return positive_gap(contrast, contrast.labels)


def positive_gap(contrast: Contrast, counts: Counts) -> Counts:
    """The share of positives among a less the one among d, of `counts` by facet and (predicted) label."""
    return counts[..., 0, 1] / contrast.a.n - counts[..., 1, 1] / contrast.d.n


@metric(
    "KL",
    "Kullback-Liebler Divergence (KL)",
    PRE_TRAINING,
    Words(
        meaning="How surprising are the labels of the facet to someone who knows only those of the others?",
        above=_SPREAD + ": {size} nats of divergence.",
        below="The divergence is negative, since a label value is missing on one side: read DPL instead.",
        level=_SAME,
    ),
    Scale(low=0, high=np.inf),
    needs=DISTRIBUTIONS,
)
def kullback_leibler(contrast: Contrast) -> Counts:
    """sum over x of Pa(x) ln(Pa(x) / Pd(x)), over the label values that both facets have"""
    pa, pd = _distributions(contrast)
    return np.asarray(np.sum(pa * _log(pa / pd), axis=-1))


@metric(
    "JS",
    "Jensen-Shannon Divergence (JS)",
    PRE_TRAINING,
    Words(
        meaning="The same question as KL, asked both ways and averaged, so that it stays bounded.",
        above=_SPREAD + ": {size} on a scale that ends at 0.69.",
        level=_SAME,
    ),
    Scale(low=0, high=float(np.log(2))),
    needs=DISTRIBUTIONS,
)
def jensen_shannon(contrast: Contrast) -> Counts:
    """(KL(Pa, P) + KL(Pd, P)) / 2 with P = (Pa + Pd) / 2"""
    pa, pd = _distributions(contrast)
    p = (pa + pd) / 2
    return np.asarray(0.5 * np.sum(pa * _log(pa / p) + pd * _log(pd / p), axis=-1))


@metric(
    "LP",
    "L-p Norm (LP)",
    PRE_TRAINING,
    Words(
        meaning="The straight-line (Euclidean) distance between the two facets' label shares.",
        above=_SPREAD + ": a distance of {size} out of at most 1.41.",
        level=_SAME,
    ),
    Scale(low=0, high=float(np.sqrt(2))),
    needs=DISTRIBUTIONS,
)
def lp_norm(contrast: Contrast) -> Counts:
    """The 2-norm of Pa - Pd"""
    pa, pd = _distributions(contrast)
    return np.asarray(np.sqrt(np.sum((pa - pd) ** 2, axis=-1)))


@metric(
    "TVD",
    "Total Variation Distance (TVD)",
    PRE_TRAINING,
    Words(
        meaning="The share of one facet's labels that would have to change to match the other's.",
        above="{percent} of the labels of one side would have to change to match the other.",
        level=_SAME,
    ),
    Scale(low=0, high=1),
    needs=DISTRIBUTIONS,
)
def total_variation(contrast: Contrast) -> Counts:
    """Half the 1-norm of Pa - Pd"""
    pa, pd = _distributions(contrast)
    return np.asarray(0.5 * np.sum(np.abs(pa - pd), axis=-1))


@metric(
    "KS",
    "Kolmogorov-Smirnov Distance (KS)",
    PRE_TRAINING,
    Words(
        meaning="The largest difference that any one label's share has between the facets.",
        above="The share of one label differs by {points} between {d} and {a}.",
        level=_SAME,
    ),
    Scale(low=0, high=1),
    needs=DISTRIBUTIONS,
)
def kolmogorov_smirnov(contrast: Contrast) -> Counts:
    """max over x of |Pa(x) - Pd(x)|"""
    pa, pd = _distributions(contrast)
    return np.asarray(np.max(np.abs(pa - pd), axis=-1))


@metric(
    "CDDL",
    "Conditional Demographic Disparity in Labels (CDDL)",
    PRE_TRAINING,
    Words(
        meaning="Within each group, is the facet a larger part of the rejected rows than of the "
        "accepted ones? "
        "Weighed over the groups, so that a difference between groups alone (Simpson's paradox) "
        "does not count.",
        above="Within groups, {d} is a larger part of the rejected than of the accepted, by {points}.",
        below="Within groups, {d} is a smaller part of the rejected than of the accepted, by {points}.",
        level="Within groups, {d} is the same part of the rejected as of the accepted.",
    ),
    needs=(HAS_GROUPS, *both_outcomes(lambda c: c.labels)),
)
def conditional_disparity_in_labels(contrast: Contrast) -> Counts:
    """sum over groups g of n_g (D_g - A_g) / n; D, A: the part of d among the rejected and the accepted"""
    return conditional_disparity(contrast.groups.sum(axis=-1))


def conditional_disparity(groups: Counts) -> Counts:
    """CDD of counts by (..., group, facet, outcome); a part of nothing is 0."""
    totals = groups.sum(axis=-2)
    parts = divide(groups[..., 1, :], totals)
    sizes = totals.sum(axis=-1)
    disparities = sizes * (parts[..., 0] - parts[..., 1])
    return divide(np.asarray(disparities.sum(axis=-1)), np.asarray(sizes.sum(axis=-1)))


def _distributions(contrast: Contrast) -> tuple[Counts, Counts]:
    """Label shares of a and d, 0 where one of them lacks the label; they need not sum to 1 (smclarify)."""
    shares = contrast.labels / contrast.labels.sum(axis=-1, keepdims=True)
    shares = np.where(_common(contrast)[..., None, :], shares, 0.0)
    return shares[..., 0, :], shares[..., 1, :]


def _log(ratio: Counts) -> Counts:
    """The logarithm of a ratio of shares, 0 where both are 0."""
    return np.log(np.where(np.isnan(ratio), 1.0, ratio))
