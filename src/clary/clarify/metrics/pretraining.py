"""The eight metrics of the data alone. Formulas: SageMaker Clarify's documentation and smclarify 0.5.

a is "all other rows", d the sensitive facet; n counts rows, n1 the ones with the positive label.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clary.clarify.contrast import Contrast, Counts
from clary.clarify.metrics.registry import PRE_TRAINING, Scale, Words, both_facets, divide, metric

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
def class_imbalance(contrast: Contrast) -> float:
    """(na - nd) / (na + nd)"""
    na, nd = both_facets(contrast)
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
def difference_in_labels(contrast: Contrast) -> float:
    """na1 / na - nd1 / nd"""
    return positive_gap(contrast, contrast.labels)


def positive_gap(contrast: Contrast, counts: Counts) -> float:
    """The share of positives among a less the one among d, of `counts` by facet and (predicted) label."""
    na, nd = both_facets(contrast)
    return float(counts[0, 1] / na - counts[1, 1] / nd)


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
)
def kullback_leibler(contrast: Contrast) -> float:
    """sum over x of Pa(x) ln(Pa(x) / Pd(x)), over the label values that both facets have"""
    pa, pd = _distributions(contrast)
    return float(np.sum(pa * np.log(pa / pd)))


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
)
def jensen_shannon(contrast: Contrast) -> float:
    """(KL(Pa, P) + KL(Pd, P)) / 2 with P = (Pa + Pd) / 2"""
    pa, pd = _distributions(contrast)
    p = (pa + pd) / 2
    return float(0.5 * (np.sum(pa * np.log(pa / p)) + np.sum(pd * np.log(pd / p))))


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
)
def lp_norm(contrast: Contrast) -> float:
    """The 2-norm of Pa - Pd"""
    return _distance(contrast, 2)


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
)
def total_variation(contrast: Contrast) -> float:
    """Half the 1-norm of Pa - Pd"""
    return 0.5 * _distance(contrast, 1)


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
)
def kolmogorov_smirnov(contrast: Contrast) -> float:
    """max over x of |Pa(x) - Pd(x)|"""
    return _distance(contrast, np.inf)


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
)
def conditional_disparity_in_labels(contrast: Contrast) -> float:
    """sum over groups g of n_g (D_g - A_g) / n; D, A: the part of d among the rejected and the accepted"""
    return conditional_disparity(contrast.groups.sum(axis=3), contrast.labels)


def conditional_disparity(groups: Counts, overall: Counts) -> float:
    """CDD of counts by (group, facet, outcome); a part of nothing is 0. Both outcomes must occur at all."""
    if len(groups) == 0:
        raise ValueError(
            "This metric compares within groups: name a group_variable in the configuration to get it."
        )
    rejected, accepted = overall.sum(axis=0).tolist()
    if accepted == 0:
        raise ValueError("No row has the positive label: there is no accepted part to compare.")
    if rejected == 0:
        raise ValueError("No row has the negative label: there is no rejected part to compare.")
    totals = groups.sum(axis=1)
    parts = np.divide(groups[:, 1], totals, out=np.zeros(totals.shape), where=totals > 0)
    sizes = totals.sum(axis=1)
    return divide(float(np.sum(sizes * (parts[:, 0] - parts[:, 1]))), float(sizes.sum()))


def _distance(contrast: Contrast, order: float) -> float:
    pa, pd = _distributions(contrast)
    return float(np.linalg.norm(pa - pd, order))


def _distributions(contrast: Contrast) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Label shares of a and d, of the labels that both have; not made to sum to 1 again (as smclarify)."""
    both_facets(contrast)
    a, d = contrast.labels
    common = (a > 0) & (d > 0)
    if not common.any():
        raise ValueError("The facets have no label value in common: their label shares cannot be compared.")
    return a[common] / a.sum(), d[common] / d.sum()
