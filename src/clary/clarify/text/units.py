"""A text as tokens, sentences or paragraphs, each with the exact place where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import regex

from clary.clarify.errors import ClarifyError

TOKEN, SENTENCE, PARAGRAPH = "token", "sentence", "paragraph"
GRANULARITIES = (TOKEN, SENTENCE, PARAGRAPH)

Cut = Callable[[str], Iterable[str]]
"""Cuts a text into parts that give it back when they are joined."""

_PACKAGES = {TOKEN: "icu4py", SENTENCE: "sentencex"}
_BLANK = regex.compile(r"[\s\p{Cc}\p{Cf}]*")
_WITHOUT_SENTENCES = {"th": "Thai"}
"""Languages that mark no sentence's end, so that nothing in the text says where one is."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What is known or replaced as one."""

    text: str
    start: int
    """The place of its first character (code point) in the text."""
    piece: str
    """The unit with the white space that goes with it: all pieces together are the text."""

    def replaced(self, by: str) -> str:
        """The piece with another text in the unit's stead; without text the white space goes too."""
        before = self.piece.index(self.text)
        return by and self.piece[:before] + by + self.piece[before + len(self.text) :]


def cutter(granularity: str, language: str) -> Cut:
    """How to cut texts of a language (by its code). Raises ClarifyError where nothing can."""
    if granularity == PARAGRAPH:
        return lambda text: text.splitlines(keepends=True)
    if granularity == SENTENCE and language in _WITHOUT_SENTENCES:
        raise ClarifyError(
            f"methods.shap.text_config: {_WITHOUT_SENTENCES[language]} has no mark for the end of a "
            "sentence, so it cannot be cut into sentences: use the granularity token or paragraph."
        )
    package = _PACKAGES[granularity]
    if find_spec(package) is None:
        raise ClarifyError(
            f"methods.shap.text_config: cutting text into {granularity}s needs the package {package}: "
            "pip install 'clary[text]', or use the granularity paragraph."
        )
    return _tokens(language) if granularity == TOKEN else _sentences(language)


def _tokens(language: str) -> Cut:
    """Unicode's words (UAX #29) by ICU, with its dictionaries for what is written without spaces.

    Punctuation stands alone; the same mark several times over is one token.
    """
    from icu4py.breakers import WordBreaker

    locale = "root" if language == "xx" else language

    def cut(text: str) -> list[str]:
        found: list[str] = []
        for part in WordBreaker(text, locale):
            if found and not part.isalnum() and found[-1].endswith(part):
                found[-1] += part
            else:
                found.append(part)
        return found

    return cut


def _sentences(language: str) -> Cut:
    from sentencex import segment

    # A mix of languages is cut by the marks that most of them share.
    rules = "en" if language == "xx" else language
    return lambda text: segment(rules, text)


def units(text: str, cut: Cut, most: int) -> list[Unit]:
    """The units of a text, neighbours joined where there would be more than `most`.

    White space goes with the unit before it, at the beginning with the first one. A text that is nothing
    but white space has no unit.
    """
    pieces: list[str] = []
    blank = ""
    for part in cut(text):
        if not _BLANK.fullmatch(part):
            pieces.append(blank + part)
            blank = ""
        elif pieces:
            pieces[-1] += part
        else:
            blank += part
    return _placed(_joined(pieces, most))


def _joined(pieces: Sequence[str], most: int) -> list[str]:
    size = -(-len(pieces) // most) if pieces else 1
    return ["".join(pieces[i : i + size]) for i in range(0, len(pieces), size)]


def _placed(pieces: Sequence[str]) -> list[Unit]:
    found, place = [], 0
    for piece in pieces:
        text = piece.strip() or piece
        found.append(Unit(text, place + piece.index(text), piece))
        place += len(piece)
    return found
