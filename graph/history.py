"""What became of networks between two runs: who continues, and what happened to each."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from graph.tables import Table, columns

HISTORY = Table(
    name="history",
    grain="what happened to a network since the latest published ds before this one",
    key=("network_id", "event"),
    schema=columns(
        network_id="string",  # of a split: the older network; of all else: the one of today
        event="string",  # born, grew, shrank, merged, split, dormant, revived, re-emerged
        ids_before=pa.list_(pa.string()),  # strongest overlap first, like ids_after
        ids_after=pa.list_(pa.string()),
        accounts_before="int64",  # all accounts of ids_before; null where there are none
        accounts_after="int64",
        overlap_ratio="float64",  # Jaccard index of the strongest pair; null without a pair
    ),
)


class Overlap(NamedTuple):
    """An older network and one of today that share accounts; `group` is its smallest member."""

    network_id: str
    group_id: str
    shared: int
    accounts_before: int
    accounts_after: int

    @property
    def union(self) -> int:
        """Accounts in either network."""
        return self.accounts_before + self.accounts_after - self.shared


@dataclass(frozen=True)
class Older:
    """A network of the last ds or, if dormant, of an earlier one, with the ids that flowed in."""

    accounts: int
    lineage: tuple[str, ...] = ()
    dormant: bool = False


@dataclass(frozen=True)
class Continuation:
    """Today's id and lineage by group, history rows, and who has no successor among today's."""

    network_ids: dict[str, str]
    lineages: dict[str, list[str]]
    history: list[dict[str, Any]]
    without_successor: list[str]


def new_network_id(ds: str, smallest_member: str) -> str:
    """Name a network that continues none: the same in every rerun of the day."""
    canonical = json.dumps([ds, smallest_member], ensure_ascii=False, separators=(",", ":"))
    return "n-" + hashlib.sha256(canonical.encode()).hexdigest()[:16]


def continue_networks(
    ds: str, groups: Mapping[str, int], older: Mapping[str, Older], overlaps: Iterable[Overlap]
) -> Continuation:
    """Give each of today's groups its id, and tell what happened to it and to the older networks.

    `groups` maps smallest member to size, `overlaps` holds the pairs above the thresholds. A
    dormant network is only considered for a group that no network of the last ds flows into.
    """
    pairs = _by_strength(_without_superseded(overlaps, older), older)
    continued = _match(pairs)
    ids = {group: continued.get(group) or new_network_id(ds, group) for group in groups}
    parents, children = defaultdict(list), defaultdict(list)
    for pair in pairs:
        parents[pair.group_id].append(pair)
        children[pair.network_id].append(pair)
    lineages = {
        group: _lineage(ids[group], parents[group], continued.get(group), older) for group in groups
    }
    rows = [
        row
        for group, accounts in groups.items()
        for row in _of_group(ids[group], accounts, parents[group], continued.get(group), older)
    ]
    for network_id, network in older.items():
        rows.extend(_of_older(network_id, network, children[network_id], ids))
    rows.sort(key=lambda row: (row["network_id"], row["event"]))
    gone = sorted(network_id for network_id in older if not children[network_id])
    return Continuation(ids, lineages, rows, gone)


def _without_superseded(overlaps: Iterable[Overlap], older: Mapping[str, Older]) -> list[Overlap]:
    overlaps = list(overlaps)
    current = {pair.group_id for pair in overlaps if not older[pair.network_id].dormant}
    return [
        pair
        for pair in overlaps
        if not older[pair.network_id].dormant or pair.group_id not in current
    ]


def _by_strength(overlaps: list[Overlap], older: Mapping[str, Older]) -> list[Overlap]:
    def strength(pair: Overlap) -> tuple[int, int, str, str]:
        # Exact: two different ratios of numbers below 2^32 differ by more than 2^-64.
        jaccard = (pair.shared << 64) // pair.union
        return -jaccard, -pair.accounts_before, pair.network_id, pair.group_id

    return sorted(overlaps, key=strength)


def _match(pairs: Iterable[Overlap]) -> dict[str, str]:
    """Match one to one, strongest pair first: group to the older id that it continues."""
    continued: dict[str, str] = {}
    taken: set[str] = set()
    for pair in pairs:
        if pair.group_id not in continued and pair.network_id not in taken:
            continued[pair.group_id] = pair.network_id
            taken.add(pair.network_id)
    return continued


def _lineage(
    network_id: str, parents: list[Overlap], continued: str | None, older: Mapping[str, Older]
) -> list[str]:
    """List the older ids that flowed in, those of earlier days first."""
    ids = [pair.network_id for pair in parents]
    if continued:
        ids.remove(continued)
        ids.insert(0, continued)
    inflow = dict.fromkeys(
        ancestor for parent in ids for ancestor in (*older[parent].lineage, parent)
    )
    inflow.pop(network_id, None)
    return list(inflow)


def _of_group(
    network_id: str,
    accounts: int,
    parents: list[Overlap],
    continued: str | None,
    older: Mapping[str, Older],
) -> Iterator[dict[str, Any]]:
    if not parents:
        yield _row(network_id, "born", after=[network_id], accounts_after=accounts)
    for pair in parents:
        if pair.network_id == continued and (event := _change(pair, older[continued])):
            yield _pair_row(network_id, event, [pair], [pair.network_id], [network_id])
    if len(parents) > 1:
        before = [pair.network_id for pair in parents]
        yield _pair_row(network_id, "merged", parents, before, [network_id])


def _change(pair: Overlap, before: Older) -> str | None:
    if before.dormant:
        return "revived"
    if pair.accounts_after == pair.accounts_before:
        return None
    return "grew" if pair.accounts_after > pair.accounts_before else "shrank"


def _of_older(
    network_id: str, network: Older, children: list[Overlap], ids: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    if not children and not network.dormant:
        yield _row(network_id, "dormant", before=[network_id], accounts_before=network.accounts)
    if len(children) > 1:
        after = [ids[pair.group_id] for pair in children]
        yield _pair_row(network_id, "split", children, [network_id], after)


def _pair_row(
    network_id: str, event: str, pairs: list[Overlap], before: list[str], after: list[str]
) -> dict[str, Any]:
    return _row(
        network_id,
        event,
        before=before,
        after=after,
        accounts_before=sum({pair.network_id: pair.accounts_before for pair in pairs}.values()),
        accounts_after=sum({pair.group_id: pair.accounts_after for pair in pairs}.values()),
        overlap_ratio=pairs[0].shared / pairs[0].union,
    )


def _row(
    network_id: str,
    event: str,
    before: list[str] | None = None,
    after: list[str] | None = None,
    accounts_before: int | None = None,
    accounts_after: int | None = None,
    overlap_ratio: float | None = None,
) -> dict[str, Any]:
    return {
        "network_id": network_id,
        "event": event,
        "ids_before": before or [],
        "ids_after": after or [],
        "accounts_before": accounts_before,
        "accounts_after": accounts_after,
        "overlap_ratio": overlap_ratio,
    }
