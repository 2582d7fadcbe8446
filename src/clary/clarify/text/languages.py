"""The languages of Clarify's text explanations, by name and by code."""

from __future__ import annotations

from clary.clarify.errors import ClarifyError, known

LANGUAGES: dict[str, str] = {
    "afrikaans": "af",
    "albanian": "sq",
    "arabic": "ar",
    "armenian": "hy",
    "basque": "eu",
    "bengali": "bn",
    "bulgarian": "bg",
    "catalan": "ca",
    "chinese": "zh",
    "croatian": "hr",
    "czech": "cs",
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "estonian": "et",
    "finnish": "fi",
    "french": "fr",
    "german": "de",
    "greek": "el",
    "gujarati": "gu",
    "hebrew": "he",
    "hindi": "hi",
    "hungarian": "hu",
    "icelandic": "is",
    "indonesian": "id",
    "irish": "ga",
    "italian": "it",
    "japanese": "ja",
    "kannada": "kn",
    "kyrgyz": "ky",
    "latvian": "lv",
    "ligurian": "lij",
    "lithuanian": "lt",
    "luxembourgish": "lb",
    "macedonian": "mk",
    "malayalam": "ml",
    "marathi": "mr",
    "multi-language": "xx",
    "nepali": "ne",
    "norwegian bokmål": "nb",
    "persian": "fa",
    "polish": "pl",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "sanskrit": "sa",
    "serbian": "sr",
    "setswana": "tn",
    "sinhala": "si",
    "slovak": "sk",
    "slovenian": "sl",
    "spanish": "es",
    "swedish": "sv",
    "tagalog": "tl",
    "tamil": "ta",
    "tatar": "tt",
    "telugu": "te",
    "thai": "th",
    "turkish": "tr",
    "ukrainian": "uk",
    "urdu": "ur",
    "vietnamese": "vi",
    "yoruba": "yo",
}


def code(language: str) -> str:
    """The code of a language that is given by its name or its code, in any case."""
    lower = language.lower()
    found = LANGUAGES.get(lower, lower)
    if found not in LANGUAGES.values():
        names = [*LANGUAGES, *LANGUAGES.values()]
        raise ClarifyError(f"methods.shap.text_config.language: {known(language, names, 'languages')}")
    return found
