"""Names of people, as every rule that asks for different people compares them."""

from __future__ import annotations

import unicodedata


def person_key(name: str) -> str:
    """Who a name means: case, blanks and forms of a letter make nobody a second person."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
