"""Names of people, as every rule that asks for different people compares them."""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""What has no shape, and is a letter or mark to Unicode (of Default_Ignorable_Code_Point)."""


def person_key(name: str) -> str:
    """Who a name means: case, blanks, forms of a letter and what is not seen make nobody a second.

    What looks like another letter is not told apart from it: that is for whoever reads the names.
    """
    shown = "".join(
        " " if letter.isspace() else letter
        for letter in _UNSEEN.sub("", name)
        if letter.isspace() or not unicodedata.category(letter).startswith("C")
    )
    return " ".join(unicodedata.normalize("NFKC", shown).casefold().split())
