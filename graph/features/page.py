"""The declared features as a page for people, docs/features.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graph.feature import Feature
from graph.features import ACCOUNT_FEATURES, NETWORK_FEATURE_GROUPS, WORDS

INTRODUCTION = """\
# Features

What signatures may name, and what `network_features` and `account_features` hold: numbers about a
network, and about an account in it, of one look-back. A value is unknown where its rule has nothing
to look at; it is then not published, and no comparison of a signature holds for it. A flag is 1
or 0.

A trace of a site's own has a feature, too, computed as those of the shipped traces are:
`trace_<its name>_ratio`, if the name begins with a small letter and has only small letters, digits
and underscores. `actorgraph signatures list --features --config FILE` shows them.

`make docs` writes this page from the declarations in [graph/features](../graph/features).
"""


def features_page() -> str:
    """Write the page: the words of the rules, then a table for each group of features."""
    parts = [INTRODUCTION, f"## Words in the rules\n\n{WORDS}"]
    for title, features in NETWORK_FEATURE_GROUPS.items():
        parts.append(f"## Networks: {title}\n\n{_table(features)}")
    parts.append(f"## Accounts in networks\n\n{_table(ACCOUNT_FEATURES)}")
    return "\n".join(parts)


def _table(features: Iterable[Feature]) -> str:
    return "".join(f"{line}\n" for line in _lines(features))


def _lines(features: Iterable[Feature]) -> Iterator[str]:
    yield "| feature | meaning | unit | range | computed from |"
    yield "| --- | --- | --- | --- | --- |"
    for each in features:
        cells = (f"`{each.name}`", each.meaning, each.unit, each.range, each.computed)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
