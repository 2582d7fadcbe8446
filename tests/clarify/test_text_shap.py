"""SHAP values of text against all coalitions, and what holds for every text however odd."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clary.clarify import ClarifyError, Prediction, Shap, TextConfig, explain_text

TOKENS = TextConfig("token", "english")
WEIGHTS = {"love": 2.0, "great": 1.0, "bad": -1.5, "broke": -2.0, "[MASK]": 0.3}


def sentiment(text: str) -> float:
    """Words weigh, "not" turns what follows, and length counts: units interact."""
    total, sign = 0.01 * len(text), 1.0
    for word in text.replace("!", " ! ").split():
        total += sign * WEIGHTS.get(word, 0.1)
        sign = -1.0 if word == "not" else 1.0
    return total


def model(frame: pd.DataFrame) -> Any:
    assert all(isinstance(text, str) for text in frame["text"])
    scores = frame["text"].map(sentiment).to_numpy(dtype=float)
    stars = frame["stars"].to_numpy(dtype=float) if "stars" in frame else 0.0
    return scores * (1 + stars)


def shapley(players: int, worth: Callable[[tuple[bool, ...]], float]) -> list[float]:
    """Shapley's formula, written down without any of the code under test."""
    worths = {c: worth(c) for c in itertools.product([False, True], repeat=players)}
    values = []
    for i in range(players):
        value = 0.0
        for c, without in worths.items():
            if not c[i]:
                s = sum(c)
                weight = math.factorial(s) * math.factorial(players - s - 1) / math.factorial(players)
                value += weight * (worths[(*c[:i], True, *c[i + 1 :])] - without)
        values.append(value)
    return values


@pytest.mark.parametrize("mask", ["", "[MASK]"])
def test_short_texts_are_exact(mask: str) -> None:
    text = "I do not love bad tea!"
    units = ["I ", "do ", "not ", "love ", "bad ", "tea", "!"]
    gone = [mask and unit.replace(unit.strip(), mask) for unit in units]

    def worth(known: tuple[bool, ...]) -> float:
        parts = zip(units, gone, known, strict=True)
        return sentiment("".join(unit if is_known else other for unit, other, is_known in parts))

    settings = Shap(text_config=TOKENS, baseline=[[mask]])
    found = explain_text(pd.DataFrame({"text": [text]}), model, settings)
    assert found.values[:, 0] == pytest.approx(shapley(7, worth), abs=1e-12)
    assert (found.errors == 0).all()
    assert found.bases[0, 0] == pytest.approx(worth((False,) * 7))


def test_text_beside_other_features_and_several_baseline_rows() -> None:
    rows = pd.DataFrame({"text": ["not great"], "stars": [3], "kind": ["b"]})
    against = [["", 1, "a"], ["[MASK]", 2, "b"]]
    settings = Shap(text_config=TextConfig("token", "en", columns=("text",)), baseline=against)
    found = explain_text(rows, model, settings)
    expected = np.zeros(4)
    for mask, stars, _ in against:

        def worth(known: tuple[bool, ...], mask: str = mask, stars: int = stars) -> float:
            text = ("not " if known[0] else mask and f"{mask} ") + ("great" if known[1] else mask)
            return sentiment(text) * (1 + (3 if known[2] else stars))

        expected[:3] += np.array(shapley(3, worth)) / 2
    assert found.names == ["text", "stars", "kind"]
    assert found.values[:, 0] == pytest.approx(expected, abs=1e-12)
    (record,) = found.records()
    assert [(e["feature_name"], e["data_type"]) for e in record["explanations"]] == [
        ("text", "free_text"),
        ("stars", "numerical"),
        ("kind", "categorical"),
    ]


def test_several_text_columns_are_each_replaced_by_their_own_text() -> None:
    asked: list[pd.DataFrame] = []

    def both(frame: pd.DataFrame) -> Any:
        asked.append(frame)
        return np.column_stack([frame["title"].str.len(), frame["body"].str.len()]).astype(float)

    rows = pd.DataFrame(
        {"title": ["A b c d"] * 3, "body": ["First one. Second, longer one.", "Only this one.", ""]}
    )
    config = TextConfig("sentence", "english", columns=("title", "body"))
    found = explain_text(rows, both, Shap(text_config=config, baseline=[["x", "yy"]]))
    first, second, third = found.records()
    title, body = first["explanations"]
    assert title["attributions"][0]["attribution"] == pytest.approx([6.0, 0.0])
    assert np.array([a["attribution"] for a in body["attributions"]]) == pytest.approx(
        np.array([[0.0, 8.0], [0.0, 17.0]])
    )
    assert [a["description"] for a in body["attributions"]] == [
        {"partial_text": "First one.", "start_idx": 0},
        {"partial_text": "Second, longer one.", "start_idx": 11},
    ]
    assert len(second["explanations"][1]["attributions"]) == 1
    assert third["explanations"][1]["attributions"] == []
    assert {t for frame in asked for t in frame["title"]} == {"A b c d", "x"}


def test_values_add_up_and_depend_on_the_seed_alone() -> None:
    rng = np.random.default_rng(3)
    words = [*WEIGHTS, "the", "not", "and", "slicer", "👍"]
    rows = pd.DataFrame({"text": [" ".join(rng.choice(words, size)) for size in (1, 5, 40, 40, 60, 200)]})
    found, again, other = (
        explain_text(rows, model, Shap(text_config=TOKENS, num_samples=700, seed=seed)) for seed in (1, 1, 2)
    )
    assert found.efficiency_gap < 1e-9
    assert (found.values == again.values).all()
    assert not (found.values == other.values).all()
    assert found.agg_method == "mean_abs" and found.kind("text") == "free_text"


def test_the_standard_error_tells_the_error() -> None:
    rows = pd.DataFrame({"text": ["the tea was not bad and I love the great not bad slicer"]})
    exact = explain_text(rows, model, Shap(text_config=TOKENS, num_samples=2**13)).values
    runs = [
        explain_text(rows, model, Shap(text_config=TOKENS, num_samples=600, seed=seed)) for seed in range(60)
    ]
    missed = np.sqrt(np.mean([(run.values - exact) ** 2 for run in runs]))
    told = np.sqrt(np.mean([run.errors**2 for run in runs]))
    assert 0.8 < told / missed < 1.25


def test_odd_texts() -> None:
    texts = [
        "",
        "   \n",
        None,
        float("nan"),
        "love",
        "\ud83d half a pair love",
        "👨\u200d👩\u200d👧 love",
        42,
    ]
    found = explain_text(
        pd.DataFrame({"text": pd.Series(texts, dtype=object)}), model, Shap(text_config=TOKENS)
    )
    counts = [len(record["explanations"][0]["attributions"]) for record in found.records()]
    assert counts == [0, 0, 0, 0, 1, 5, 2, 1]
    assert found.efficiency_gap < 1e-12
    assert found.values[0, 0] == pytest.approx(sentiment("love") - sentiment(""))


def test_a_text_of_ten_thousand_words_is_explained_in_bounded_memory() -> None:
    text = "love the bad tea " * 2500
    tracemalloc.start()
    found = explain_text(
        pd.DataFrame({"text": [text]}),
        lambda f: f["text"].str.len(),
        Shap(text_config=TOKENS, num_samples=100),
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.values) == 1000
    assert found.evaluations == 2002
    assert found.values[:, 0].sum() == pytest.approx(len(text))
    assert peak < 300_000_000
    assert next(iter(found.records()))["explanations"][0]["attributions"][1]["description"]["start_idx"] > 40


def test_the_top_units_are_aggregated_over_where_they_occur() -> None:
    rows = pd.DataFrame({"text": ["love love bad", "not love", "tea"]})
    config = TextConfig("token", "english", max_top_tokens=2)
    linear = {"love": 2.0, "bad": -1.5, "not": -0.5, "tea": 0.25}
    found = explain_text(
        rows,
        lambda f: f["text"].map(lambda t: sum(linear[w] for w in t.split())).to_numpy(),
        Shap(text_config=config),
    )
    told = found.in_json()["label0"]
    assert told["global_top_shap_text"] == {"text": pytest.approx({"love": 2.0, "bad": 1.5})}
    assert told["global_shap_values"]["text"] == pytest.approx((2.5 + 1.5 + 0.25) / 3)
    assert told["expected_value"] == 0.0


def test_classes_and_logits() -> None:
    def classes(frame: pd.DataFrame) -> Prediction:
        chance = 1 / (1 + np.exp(-frame["text"].map(sentiment).to_numpy(dtype=float)))
        return Prediction(scores=np.column_stack([1 - chance, chance]))

    rows = pd.DataFrame({"text": ["I love great tea"]})
    found = explain_text(rows, classes, Shap(text_config=TOKENS, use_logit=True), ["no", "yes"])
    plain = explain_text(rows, model, Shap(text_config=TOKENS))
    assert found.outputs == ["no", "yes"]
    assert found.values[:, 1] == pytest.approx(plain.values[:, 0])
    assert found.values[:, 0] == pytest.approx(-plain.values[:, 0])


@pytest.mark.parametrize(
    ("rows", "settings", "says"),
    [
        ({"age": [1, 2]}, Shap(text_config=TOKENS), "no feature looks like text"),
        ({"a": ["x", "y"], "b": ["x", "x"]}, Shap(text_config=TOKENS), "text_config.columns"),
        (
            {"text": ["a b c"]},
            Shap(text_config=TextConfig("token", "en", columns=("txt",))),
            "Did you mean 'text'",
        ),
        ({"text": ["a b c"]}, Shap(text_config=TOKENS, num_clusters=2), "num_clusters"),
        ({"text": ["a b c"]}, Shap(text_config=TOKENS, baseline=[["", 1]]), "has 2 values"),
        ({"text": ["a b c"]}, Shap(), "needs a text_config"),
    ],
)
def test_what_does_not_fit_is_said(rows: Any, settings: Shap, says: str) -> None:
    with pytest.raises(ClarifyError, match=says):
        explain_text(pd.DataFrame(rows), model, settings)


def test_text_is_told_from_categories() -> None:
    n = 60
    rows = pd.DataFrame(
        {
            "review": [f"I have used it {i} times and like it" for i in range(n)],
            "education": ["Some college, no degree at all", "Doctor of philosophy or so"] * (n // 2),
            "code": [f"A{i}" for i in range(n)],
            "price": np.arange(n) / 7,
        }
    )
    found = explain_text(rows, lambda f: f["review"].str.len(), Shap(text_config=TOKENS, num_samples=40))
    assert [found.kind(name) for name in found.names] == [
        "free_text",
        "categorical",
        "categorical",
        "numerical",
    ]
