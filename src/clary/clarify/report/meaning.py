"""What a metric's value means for this facet, this label and these numbers of rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clary.clarify.fairness.contrast import Side
from clary.clarify.fairness.measure import FacetBias
from clary.clarify.report.words import percent, plain, sides


@dataclass(frozen=True)
class Case:
    """One facet value of one analysis: its two sides' rows, and what they are called."""

    facet: FacetBias
    label: str
    """The positive label, as in `income = >50K`."""
    group: str
    """The group variable; empty without one."""

    @property
    def d(self) -> str:
        return sides(self.facet)[0]

    @property
    def a(self) -> str:
        return sides(self.facet)[1]

    @property
    def both(self) -> tuple[Side, Side]:
        """The facet's rows, and the others'."""
        return self.facet.contrast.d, self.facet.contrast.a


def meaning(case: Case, record: dict[str, Any]) -> str:
    """One or two sentences with the counts behind a metric; empty where it has no value."""
    write = _WRITERS.get(record["name"])
    return "" if write is None or record["value"] is None else write(case, record["value"])


def _n(count: Any) -> str:
    return f"{round(float(count)):,}"


def _share(part: Any, whole: Any) -> str:
    return percent(float(part) / float(whole)) if whole else "none"


def _more(count: float, what: str) -> str:
    number = max(1, round(abs(count)))
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _positives(side: Side) -> float:
    return float(side.tp + side.fn)


def _predicted(side: Side) -> float:
    return float(side.tp + side.fp)


def _imbalance(c: Case, value: float) -> str:
    d, a = c.both
    few = " What a model learns of them rests on few rows." if d.n < 0.2 * (d.n + a.n) else ""
    return (
        f"{_n(d.n)} of {_n(d.n + a.n)} rows are {c.d}: for each of them {plain(float(a.n / d.n))} "
        f"are not.{few}"
    )


def _labels(c: Case, value: float) -> str:
    d, a = c.both
    told = (
        f"Of {_n(d.n)} rows of {c.d}, {_n(_positives(d))} have {c.label}; of {_n(a.n)} of {c.a}, "
        f"{_n(_positives(a))}."
    )
    if abs(value) * d.n < 0.5:
        return told
    word = "more" if value > 0 else "fewer"
    return (
        f"{told} With {_more(value * float(d.n), f'{word} such label')} in {c.d} the shares would be equal."
    )


def _two_labels(c: Case, value: float) -> str:
    d, a = c.both
    return (
        f"{c.label} is the label of {_share(_positives(d), d.n)} of {c.d} and of "
        f"{_share(_positives(a), a.n)} of "
        f"{c.a}: between two labels this is DPL on another scale, without its direction."
    )


def _changed(c: Case, value: float) -> str:
    d, _ = c.both
    return (
        f"{_n(value * float(d.n))} of the {_n(d.n)} rows of {c.d} would need another label to have "
        f"the shares of {c.a}."
    )


def _conditional(predicted: bool) -> Callable[[Case, float], str]:
    def write(c: Case, value: float) -> str:
        d, a = c.both
        count = _predicted if predicted else _positives
        accepted, rejected = (count(d), count(a)), (float(d.n) - count(d), float(a.n) - count(a))
        plainly = rejected[0] / sum(rejected) - accepted[0] / sum(accepted)
        told = (
            f"{c.d} is {_share(rejected[0], sum(rejected))} of the rows "
            f"{'predicted' if predicted else ''} without "
            f"{c.label} and {_share(accepted[0], sum(accepted))} of those with it."
        ).replace("  ", " ")
        return f"{told} {_explained(c.group, plainly, value)}"

    return write


def _explained(group: str, plainly: float, within: float) -> str:
    if abs(plainly) < 0.005:
        return f"Within each value of {group} the difference is {100 * within:.1f} points."
    left = within / plainly
    kept = (
        f"{100 * plainly:.1f} points become {100 * within:.1f} when rows are compared within each "
        f"value of {group}"
    )
    if left < 0:
        return f"The {kept}: the direction turns, so {group} hides the opposite of what the totals show."
    if left < 0.9:
        return f"The {kept}: {group} accounts for {percent(1 - left, 0)} of the difference."
    return f"The {kept}: {group} does not account for the difference."


def _predictions(c: Case, value: float) -> str:
    d, a = c.both
    told = (
        f"The model gives {c.label} to {_n(_predicted(d))} of {_n(d.n)} of {c.d} and to "
        f"{_n(_predicted(a))} of "
        f"{_n(a.n)} of {c.a}."
    )
    gap = _positives(a) / float(a.n) - _positives(d) / float(d.n)
    change = abs(value) - abs(gap)
    if gap * value < 0 and min(abs(gap), abs(value)) > 0.005:
        return f"{told} In the labels the difference has the opposite direction."
    if abs(change) < 0.005:
        return f"{told} That is about the difference that the labels have ({100 * abs(gap):.1f} points)."
    verb = "wider" if change > 0 else "narrower"
    return f"{told} In the labels the difference is {100 * abs(gap):.1f} points: the model makes it {verb}."


def _ratio(c: Case, value: float | str) -> str:
    d, a = c.both
    told = (
        f"{_share(_predicted(d), d.n)} of {c.d} against {_share(_predicted(a), a.n)} of {c.a} get {c.label}."
    )
    if isinstance(value, str):
        return told
    if value < 0.8:
        return (
            f"{told} The ratio is below four fifths, which US employment practice takes as a sign "
            "of adverse impact."
        )
    if value > 1.25:
        return f"{told} Seen from {c.a} the ratio is {plain(1 / value)}, below four fifths."
    return f"{told} Both ratios, this and its inverse, are above four fifths."


def _acceptance(c: Case, value: float | str) -> str:
    d, a = c.both
    return (
        f"{c.d}: {_n(_positives(d))} rows have {c.label} and {_n(_predicted(d))} are predicted to have it; "
        f"{c.a}: {_n(_positives(a))} and {_n(_predicted(a))}."
    )


def _rejection(c: Case, value: float | str) -> str:
    d, a = c.both
    return (
        f"{c.d}: {_n(d.n - _positives(d))} rows are without {c.label} and "
        f"{_n(d.n - _predicted(d))} are predicted so; "
        f"{c.a}: {_n(a.n - _positives(a))} and {_n(a.n - _predicted(a))}."
    )


def _rate(
    part: Callable[[Side], float], whole: Callable[[Side], float], told: str
) -> Callable[[Case, float], str]:
    """A rate of both sides: `told` names its part and its whole."""

    def write(c: Case, value: float | str) -> str:
        d, a = c.both
        text = (
            f"{told.format(label=c.label)}: {_n(part(d))} of {_n(whole(d))} "
            f"({_share(part(d), whole(d))}) of {c.d}, "
            f"{_n(part(a))} of {_n(whole(a))} ({_share(part(a), whole(a))}) of {c.a}."
        )
        if isinstance(value, str) or not whole(a) or not whole(d):
            return text
        missing = part(a) / whole(a) * whole(d) - part(d)
        if abs(missing) < 0.5:
            return text
        word = "more" if missing > 0 else "fewer"
        return f"{text} At the rate of {c.a} there would be {_n(abs(missing))} {word} in {c.d}."

    return write


def _errors(c: Case, value: float | str) -> str:
    d, a = c.both
    return (
        f"{c.d}: {_n(d.fn)} missed and {_n(d.fp)} false predictions of {c.label}; "
        f"{c.a}: {_n(a.fn)} missed and {_n(a.fp)} false."
    )


def _benefit(c: Case, value: float | str) -> str:
    d, a = c.both
    return (
        f"Of all {_n(d.n + a.n)} rows {_n(d.fp + a.fp)} gain by a false {c.label}, "
        f"{_n(d.fn + a.fn)} lose it, and "
        f"{_n(d.tp + a.tp + d.tn + a.tn)} are judged rightly. It is the same for every facet."
    )


def _flips(c: Case, value: float) -> str:
    if c.facet.contrast.flips is None:
        return ""
    lose, keep, gain = c.facet.contrast.flips.tolist()
    return (
        f"Judged like their nearest neighbours in {c.a}, {_n(lose)} of {c.d} would lose "
        f"{c.label}, {_n(gain)} would "
        f"gain it, and {_n(keep)} would keep their prediction."
    )


_WRITERS: dict[str, Callable[[Case, Any], str]] = {
    "CI": _imbalance,
    "DPL": _labels,
    "KL": _two_labels,
    "JS": _two_labels,
    "LP": _two_labels,
    "KS": _two_labels,
    "TVD": _changed,
    "CDDL": _conditional(predicted=False),
    "DPPL": _predictions,
    "DI": _ratio,
    "DCA": _acceptance,
    "DCR": _rejection,
    "RD": _rate(lambda s: float(s.tp), _positives, "Rows with {label} that the model finds"),
    "SD": _rate(
        lambda s: float(s.tn), lambda s: float(s.tn + s.fp), "Rows without {label} that the model recognises"
    ),
    "DAR": _rate(lambda s: float(s.tp), _predicted, "Predictions of {label} that are right"),
    "DRR": _rate(
        lambda s: float(s.tn), lambda s: float(s.tn + s.fn), "Predictions against {label} that are right"
    ),
    "AD": _rate(lambda s: float(s.tp + s.tn), lambda s: float(s.n), "Right predictions"),
    "TE": _errors,
    "CDDPL": _conditional(predicted=True),
    "GE": _benefit,
    "FT": _flips,
}
