"""Why an account is in no network, and which ids look like one that nobody has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import pyarrow.compute as pc
from pyarrow.dataset import Expression, field

from graph.build import NODES
from graph.config import Config, Trace
from graph.links import LINKS
from graph.networks import COMPONENTS, NETWORKS
from graph.tables import Table

Row = Mapping[str, Any]
Read = Callable[[Table, Expression], Sequence[Row]]
"""The rows of a day's table that a filter selects."""

TRACE_COLUMNS = ("trace", "links", "kept", "best surprise", "why not")
LONGEST = 64  # characters of an id that others are compared with
SHORTEST = 4  # characters that an id must begin with
SIMILAR = 3


def links_of(rows: Read, account: str) -> list[Row]:
    """The links of an account, in all traces, the most surprising first."""
    links = rows(LINKS, (field("account_a") == account) | (field("account_b") == account))
    return sorted(
        links,
        key=lambda row: (-row["surprise"], row["trace"], row["account_a"], row["account_b"]),
    )


def by_trace(links: Iterable[Row], traces: Mapping[str, Trace]) -> list[tuple[object, ...]]:
    """What an account's links come to in each trace; columns of TRACE_COLUMNS."""
    of_traces: dict[str, list[Row]] = {}
    for row in links:
        of_traces.setdefault(row["trace"], []).append(row)
    return [
        (
            name,
            len(found),
            sum(row["kept"] for row in found),
            round(max(row["surprise"] for row in found), 2),
            "" if any(row["kept"] for row in found) else _why_not(found, traces.get(name)),
        )
        for name, found in sorted(of_traces.items())
    ]


def _why_not(links: Sequence[Row], trace: Trace | None) -> str:
    rule = None if trace is None else trace.filter
    if rule is None:
        return "the trace was configured otherwise"
    if rule.surprise is not None:
        lacking = rule.surprise - max(row["surprise"] for row in links)
        return f"surprise must reach {rule.surprise:g}: {max(lacking, 0):.2f} short"
    best = max(row["weight"] for row in links)
    if rule.quantile is not None:
        return f"weight {best:g} is not above the day's quantile {rule.quantile:g}"
    if rule.alpha is not None:
        return f"no weight is significant at {rule.alpha:g}"
    return f"weight must reach {rule.at_least:g}, and is {best:g} at most"


def why_in_none(rows: Read, account: str, links: Sequence[Row], config: Config) -> str:
    """Why no network has an account that the log has, in one sentence."""
    if not links:
        return (
            "it shares no entity with any other account often enough for a link: hubs make none, "
            "and traces have minimums (conf/traces.yaml)"
        )
    if not any(row["kept"] for row in links):
        return "no link passes the filter of its trace"
    size = max((row["size"] for row in rows(COMPONENTS, field("account_id") == account)), default=1)
    needed = config.networks.min_size
    if size < needed:
        return f"its kept links tie {size} accounts together, and a network needs {needed}"
    return f"its component of {size} accounts was divided, and its part has fewer than {needed}"


def similar_ids(rows: Read, name: str) -> list[str]:
    """Up to three ids of accounts and networks that a mistyped or shortened one may mean.

    Of accounts only those that differ in one character are looked at, in one scan.
    """
    if len(name) > LONGEST:
        return []
    pattern = _one_character_off(name)
    is_similar = pc.match_substring_regex(field("node_id"), pattern=pattern)
    accounts = rows(NODES, (field("node_type") == "account") & is_similar)
    is_similar = pc.match_substring_regex(field("network_id"), pattern=pattern)
    if len(name) >= SHORTEST:
        is_similar |= pc.starts_with(field("network_id"), pattern=name)
    networks = rows(NETWORKS, is_similar)
    found = [*(row["network_id"] for row in networks), *(row["node_id"] for row in accounts)]
    return get_close_matches(name, sorted(found), n=SIMILAR, cutoff=0)


def _one_character_off(name: str) -> str:
    """A pattern of whatever has one character more, less or other; case does not count."""
    places = range(len(name))
    changed = [f"{re.escape(name[:i])}.?{re.escape(name[i + 1 :])}" for i in places]
    longer = [f"{re.escape(name[:i])}.{re.escape(name[i:])}" for i in range(len(name) + 1)]
    return f"(?i)^(?:{'|'.join([*changed, *longer])})$"
