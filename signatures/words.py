"""Features in plain words, as reviewers read them: `41 of 43 accounts used one device`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from graph.feature import Feature


def in_words(feature: Feature, value: float, accounts: float | None = None) -> str:
    """One feature with its value, as a sentence without a full stop, or as the end of one.

    `accounts` is the size of the network, where it is known: a share of its members is told by
    numbers then. A feature without a phrase is told by the words of its declared meaning.
    """
    if feature.phrase:
        told = _with_unit(feature, value)
        members = _members(value, accounts)
        return feature.phrase.format(value=told, members=members, s="" if told == "1" else "s")
    before, number, after = _sentence(feature)
    return f"{before}{number(value)}{after}"


def _with_unit(feature: Feature, value: float) -> str:
    if feature.unit == "ratio":
        return _percent(value)
    number = _rounded(value)
    noun = {"days": "day", "hours": "hour", "s": "second"}.get(feature.unit)
    return f"{number} {noun}{'' if number == '1' else 's'}" if noun else number


def _members(value: float, accounts: float | None) -> str:
    if not accounts:
        return f"{_percent(value)} of the accounts"
    some = round(value * accounts)
    told = {0: "none", accounts: "all"}.get(some, f"{some}")
    return f"{told} of {accounts:g} accounts"


@cache
def _sentence(feature: Feature) -> tuple[str, Callable[[float], str], str]:
    """What is said before the number, how the number is said, and what is said after it."""
    meaning = feature.meaning.removesuffix(".")
    match feature.unit:
        case "flag":
            return f"{_lower(meaning.removeprefix('Whether '))}: ", _yes_or_no, ""
        case "ratio" if meaning.startswith("Share of "):
            return "", _percent, f" of {_share(meaning.removeprefix('Share of '))}"
        case "ratio":
            return f"{_lower(meaning)}: ", _percent, ""
        case "accounts" | "entities" | "families" if meaning.startswith("Number of "):
            return "", "{:g}".format, f" {meaning.removeprefix('Number of ')}"
        case "days" | "hours" | "s":
            return f"{_lower(meaning)}: ", _rounded, f" {feature.unit}"
    return f"{_lower(meaning)}: ", _rounded, ""


BOUNDS = {"gt": "more than", "gte": "at least", "lt": "less than", "lte": "at most"}
"""The operators of a signature's bounds as people read them."""


def bound_in_words(operator: str, bound: float) -> str:
    """A bound of a feature, e.g. `at least 5`."""
    return f"{BOUNDS[operator]} {bound:g}"


def _share(rest: str) -> str:
    whole, that, part = rest.partition(" that ")
    if not that:
        whole, on, part = rest.partition(" on ")
        part = f"are on {part}" if on else part
    return f"{whole} {part}".rstrip()


def _yes_or_no(value: float) -> str:
    return "yes" if value else "no"


def _percent(value: float) -> str:
    """A share in per cent; only all of them are 100 %, and only none are 0 %."""
    if 0 < value < 0.01:
        return "under 1%"
    return f"{min(round(100 * value), 99) if value < 1 else 100}%"


def _rounded(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _lower(text: str) -> str:
    """Lower the first letter, unless the word is an acronym."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
