"""Texts cut into units: nothing is lost, every place is exact, in every language that Clarify lists."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clary.clarify import ClarifyError, TextConfig
from clary.clarify.text.languages import LANGUAGES, code
from clary.clarify.text.units import GRANULARITIES, Unit, cutter, units

MANY = 10**9
TRICKY = st.sampled_from(
    [
        "Mr. Smith doesn't like it... ",
        "👨\u200d👩\u200d👧🏴\U000e0067\U000e0062\U000e007f",
        "e\u0301te\u0301 ",
        "\r\n\n",
        "\u200f\u0623\u0646\u0627 \u0623\u062d\u0628. ",
        "我喜欢这个。",
        "\t  ",
        "ฉันชอบกล้วย",
        "!!!",
        "\x00\ufeff",
        "3.14,",
        "\u2028",
    ]
)
TEXTS = st.lists(TRICKY | st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=6).map(
    "".join
)


def cut(text: str, granularity: str = "token", language: str = "en", most: int = MANY) -> list[Unit]:
    return units(text, cutter(granularity, language), most)


@pytest.mark.parametrize("granularity", GRANULARITIES)
@given(
    text=TEXTS, language=st.sampled_from(["en", "ar", "zh", "ja", "xx"]), most=st.sampled_from([1, 3, MANY])
)
@settings(max_examples=150, deadline=None)
def test_the_pieces_are_the_text_and_every_unit_is_where_it_says(
    granularity: str, text: str, language: str, most: int
) -> None:
    found = cut(text, granularity, language, most)
    joined = "".join(unit.piece for unit in found)
    assert joined == text if found else all(c.isspace() or not c.isprintable() for c in text)
    assert all(text[u.start : u.start + len(u.text)] == u.text for u in found)
    assert len(found) <= most
    assert "".join(unit.replaced("") for unit in found) == ""
    assert all(unit.text.strip() for unit in found)


def test_tokens() -> None:
    found = cut("I don't love\tthis banana-slicer!!! It cost $3.50, 👨\u200d👩\u200d👧 said... OK?!")
    assert [unit.text for unit in found] == [
        *("I", "don't", "love", "this", "banana", "-", "slicer", "!!!", "It", "cost", "$", "3.50", ","),
        *("👨\u200d👩\u200d👧", "said", "...", "OK", "?", "!"),
    ]


@pytest.mark.parametrize(
    ("language", "text", "tokens"),
    [
        ("chinese", "我喜欢这个香蕉切片机。", ["我", "喜欢", "这个", "香蕉", "切片机", "。"]),
        ("japanese", "このスライサーが大好きです。", ["この", "スライサー", "が", "大好き", "です", "。"]),
        ("thai", "ฉันชอบกล้วยนี้", ["ฉัน", "ชอบ", "กล้วย", "นี้"]),
        ("arabic", "أنا أحب هذا المنتج.", ["أنا", "أحب", "هذا", "المنتج", "."]),
        ("norwegian bokmål", "Jeg liker den!", ["Jeg", "liker", "den", "!"]),
        ("hindi", "मुझे यह पसंद है।", ["मुझे", "यह", "पसंद", "है", "।"]),
    ],
)
def test_languages_written_in_their_own_way(language: str, text: str, tokens: list[str]) -> None:
    assert [unit.text for unit in cut(text, "token", code(language))] == tokens


def test_sentences_and_paragraphs() -> None:
    text = "Mr. Smith likes it. it works.  It cost $3.50!\n\nBuy it?\nYes."
    sentences = cut(text, "sentence")
    assert [unit.text for unit in sentences] == [
        "Mr. Smith likes it.",
        "it works.",
        "It cost $3.50!",
        "Buy it?",
        "Yes.",
    ]
    paragraphs = cut(text, "paragraph")
    assert [(unit.text, unit.start) for unit in paragraphs] == [
        ("Mr. Smith likes it. it works.  It cost $3.50!", 0),
        ("Buy it?", 47),
        ("Yes.", 55),
    ]


def test_a_replacement_keeps_the_white_space_that_nothing_takes_away() -> None:
    found = cut("  I love\n this. ")
    assert [unit.replaced("[MASK]") for unit in found] == ["  [MASK] ", "[MASK]\n ", "[MASK]", "[MASK] "]
    assert [unit.replaced("") for unit in found] == ["", "", "", ""]


def test_long_texts_have_neighbours_joined() -> None:
    found = cut("word " * 10_000, most=1000)
    assert len(found) == 1000
    assert found[1] == Unit("word word word word word word word word word word", 50, "word " * 10)


def test_every_language_of_the_sdk_by_name_and_by_code() -> None:
    listed = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from sagemaker.clarify import TextConfig as t; print('\\n'.join(t._SUPPORTED_LANGUAGES))"
    )
    from sdk.script import python

    done = subprocess.run([python("v2_text"), "-c", listed, "."], capture_output=True, text=True, check=True)
    names = [line for line in done.stdout.splitlines() if not line.startswith("sagemaker.config")]
    assert set(names) == {*LANGUAGES, *LANGUAGES.values()}
    for name in names:
        TextConfig("token", name)
        TextConfig("paragraph", name.upper())


@pytest.mark.parametrize(
    ("granularity", "language", "says"),
    [
        ("token", "klingon", "languages are"),
        ("token", "englsh", "Did you mean 'english'"),
        ("word", "en", "The granularities are: 'token', 'sentence', 'paragraph'"),
        ("sentence", "thai", "use the granularity token or paragraph"),
    ],
)
def test_what_cannot_be_cut_is_refused_by_name(granularity: str, language: str, says: str) -> None:
    with pytest.raises(ClarifyError, match=says):
        TextConfig(granularity, language)


def test_a_missing_package_is_named_with_the_way_to_get_it() -> None:
    program = (
        "import sys; sys.modules['icu4py'] = None\n"
        "import importlib.util as u; found = u.find_spec\n"
        "u.find_spec = lambda name: None if name == 'icu4py' else found(name)\n"
        "from clary.clarify import ClarifyError, TextConfig\n"
        "TextConfig('paragraph', 'en')\n"
        "try: TextConfig('token', 'en')\n"
        "except ClarifyError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "needs the package icu4py: pip install 'clary[text]'" in done.stdout
