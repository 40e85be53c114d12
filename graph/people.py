"""Who is who, where a rule asks for different people."""

from __future__ import annotations


def person_key(name: str) -> str:
    """What two spellings of one person's name have in common: Rev1 and rev1 are one person."""
    return name.strip().casefold()
