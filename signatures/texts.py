"""The texts of a signature: plain words, because they end in reports, tables and spreadsheets."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints, WithJsonSchema

MARKUP = re.compile(r"""[<>{}\[\]$`=|\\^~"@*&!+#]|--|(?<![^\W\d_])'|(?<![\w%)]);|;(?! )|^-""")
"""What code, SQL, markup and formulas need and sentences can do without: in these an apostrophe
stands after a letter, and a semicolon between a word and a space."""

NO_REASON = {"none", "unknown", "n/a", "tbd", "todo"}


def plain_words(text: str) -> str:
    """Pass one line of words; raises ValueError for signs of markup or code in it."""
    hidden = next((sign for sign in text if not sign.isprintable()), None)
    if hidden is not None:
        raise ValueError(f"write one line of plain words, without {hidden!r}")
    markup = MARKUP.search(text)
    if markup:
        raise ValueError(
            f"write plain words, without {markup[0]!r} (character {markup.start() + 1}): "
            "nothing in a signature is code"
        )
    return text


def _says_something(text: str) -> str:
    if text.strip(" .").lower() in NO_REASON:
        raise ValueError(f"{text!r} names nobody: say who looks like this and is innocent")
    return text


def _words(longest: int) -> tuple[object, ...]:
    limits = StringConstraints(strip_whitespace=True, min_length=3, max_length=longest)
    schema = WithJsonSchema({"type": "string", "minLength": 3, "maxLength": longest})
    return limits, AfterValidator(plain_words), schema


Title = Annotated[str, *_words(80)]
Sentence = Annotated[str, *_words(600)]
FalsePositive = Annotated[Sentence, AfterValidator(_says_something)]
