"""Features in plain words, as reviewers read them: `97% of the members used a shared device`."""

from __future__ import annotations

from graph.feature import Feature


def in_words(feature: Feature, value: float) -> str:
    """One feature with its value, as the end of a sentence without a full stop.

    The words are those of the declared meaning; the number stands where the meaning names what is
    counted.
    """
    meaning = feature.meaning.removesuffix(".")
    match feature.unit:
        case "flag":
            return f"{_lower(meaning.removeprefix('Whether '))}: {'yes' if value else 'no'}"
        case "ratio" if meaning.startswith("Share of "):
            return _share(meaning.removeprefix("Share of "), value)
        case "ratio":
            return f"{_lower(meaning)}: {_percent(value)}"
        case "accounts" | "entities" | "families" if meaning.startswith("Number of "):
            return f"{value:g} {meaning.removeprefix('Number of ')}"
        case "days" | "hours" | "s":
            return f"{_lower(meaning)}: {_rounded(value)} {feature.unit}"
    return f"{_lower(meaning)}: {_rounded(value)}"


BOUNDS = {"gt": "more than", "gte": "at least", "lt": "less than", "lte": "at most"}
"""The operators of a signature's bounds as people read them."""


def bound_in_words(operator: str, bound: float) -> str:
    """A bound of a feature, e.g. `at least 5`."""
    return f"{BOUNDS[operator]} {bound:g}"


def _share(rest: str, value: float) -> str:
    whole, that, part = rest.partition(" that ")
    if not that:
        whole, on, part = rest.partition(" on ")
        part = f"are on {part}" if on else part
    return f"{_percent(value)} of {whole} {part}".rstrip()


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
