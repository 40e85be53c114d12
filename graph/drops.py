"""Which single entity or neighbour an account's place in the core hangs on.

An entity or neighbour drops an account if without its evidence the account leaves the core of its
network (DESIGN, communities). Without an entity, a trace no longer links two accounts when fewer
entities than its min_entities are left to it; a link loses the share of its weight that its lost
traces are of its traces, and is gone with the last. Without a neighbour all its links are gone.
What a core member needs, in links and in strength, stays as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from graph.buckets import bucket_of
from graph.config import Trace
from graph.core_members import MIN_CORE_LINKS, core, least_strengths
from graph.engines.base import Engine
from graph.fixed_point import MICRO
from graph.frames import DataFrame, F
from graph.tables import columns

Bools = npt.NDArray[np.bool_]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]

NAMED = 5
"""Entities and neighbours that are named of those that drop an account."""

DROPS = columns(
    network_id="string",
    account_id="string",
    drops="int64",  # how many entities and neighbours drop the account
    dropped_by=pa.list_(pa.string()),  # `device:<id>`, `account:<id>`; the first in order of text
)

_ENDS = ("network_id", "account_a", "account_b")


def find_drops(
    engine: Engine,
    members: DataFrame,
    links: DataFrame,
    evidence: DataFrame,
    traces: Mapping[str, Trace],
    core_cut: float,
) -> DataFrame:
    """Find what drops core members: columns of DROPS, one row an account that anything drops.

    `members` has network_id, account_id: those without a link count in the median of their network,
    too. `links` are links between members of one network: network_id, account_a, account_b, weight
    (micro-units), traces. `evidence` has account_a, account_b, trace, entity_type, entity_id of
    kept links only. Each network's rows must fit into a task, about 300 bytes a link and entity; a
    task takes time in proportion to entities times members.
    """
    least = {name: max(1, trace.min_entities) for name, trace in traces.items()}
    nothing = F.lit(None).cast("string")
    bare = links.select(*_ENDS, "weight", nothing.alias("trace"), nothing.alias("entity"))
    rows = bare.withColumn("traces", F.lit(0).cast("bigint"))
    rows = rows.unionByName(_decisive(links, evidence, least)).unionByName(_as_links(members))
    # Both are stored: to count the rows themselves would be to join them twice.
    most = links.count() + evidence.count()
    rows = rows.withColumn("bucket", bucket_of(rows, "network_id", most))
    cut = round(core_cut * MICRO)

    def find(group: pa.Table) -> pa.Table:
        found = [row for network in _by_network(group) for row in _drops_in(network, cut)]
        return pa.Table.from_pylist(found, schema=DROPS)

    return engine.map_groups_arrow(rows, ["bucket"], find, DROPS)


def _decisive(links: DataFrame, evidence: DataFrame, least: Mapping[str, int]) -> DataFrame:
    """The evidence without which a trace no longer links, with its links' weights and traces.

    A link that has an entity to spare loses no trace by the loss of one.
    """
    link = ["account_a", "account_b", "trace"]
    enough = F.lit(1)
    for name, entities in least.items():
        enough = F.when(F.col("trace") == name, F.lit(entities)).otherwise(enough)
    counted = evidence.groupBy(*link).agg(F.count(F.lit(1)).alias("entities"))
    without_spare = counted.filter(F.col("entities") <= enough).select(*link)
    rows = evidence.join(without_spare, on=link, how="left_semi")
    rows = rows.select(
        *link, F.concat(F.col("entity_type"), F.lit(":"), F.col("entity_id")).alias("entity")
    )
    weights = links.select(*_ENDS, "weight", F.size("traces").cast("bigint").alias("traces"))
    return rows.join(weights, on=["account_a", "account_b"], how="inner")


def _as_links(members: DataFrame) -> DataFrame:
    """Members as links to themselves, which rest on nothing and hold nobody."""
    nothing = F.lit(None).cast("string")
    return members.select(
        "network_id",
        F.col("account_id").alias("account_a"),
        F.col("account_id").alias("account_b"),
        F.lit(0).cast("bigint").alias("weight"),
        F.lit(0).cast("bigint").alias("traces"),
        nothing.alias("trace"),
        nothing.alias("entity"),
    )


def _by_network(rows: pa.Table) -> Iterator[pa.Table]:
    ordered = rows.sort_by([("network_id", "ascending"), ("account_a", "ascending")])
    ids = ordered.column("network_id").combine_chunks().dictionary_encode()
    starts = np.flatnonzero(np.diff(ids.indices.to_numpy(), prepend=-1))
    ends = [*starts[1:], ordered.num_rows]
    for start, end in zip(starts, ends, strict=True):
        yield ordered.slice(int(start), int(end - start))


@dataclass(frozen=True)
class _Network:
    """The links of one network as positions of its accounts."""

    accounts: list[str]
    left: Int32s
    right: Int32s
    weight: Int64s
    strength: Int64s
    is_core: Bools
    least: int

    def left_by(self, gone: Int64s, loss: Int64s, changed: Int64s) -> Bools:
        """Core members who leave when links lose weight (`changed`, `loss`) and some are gone."""
        strength = self.strength.copy()
        for ends in (self.left, self.right):
            np.subtract.at(strength, ends[changed], loss)
        stays = self.is_core & (strength >= self.least)
        kept = self.left != self.right
        kept[gone] = False
        while True:
            inside = kept & stays[self.left] & stays[self.right]
            degrees = sum(
                np.bincount(ends[inside], minlength=len(stays)) for ends in (self.left, self.right)
            )
            leaves = stays & (degrees < MIN_CORE_LINKS)
            if not leaves.any():
                return self.is_core & ~stays
            stays &= ~leaves


def _drops_in(rows: pa.Table, cut: int) -> Iterator[dict[str, object]]:
    network_id = rows.column("network_id")[0].as_py()
    pairs = list(
        zip(*(rows.column(end).to_pylist() for end in ("account_a", "account_b")), strict=True)
    )
    link_of = {pair: place for place, pair in enumerate(dict.fromkeys(pairs))}
    network = _network(rows, pairs, link_of, cut)
    dropped_by: dict[int, list[str]] = defaultdict(list)
    for name, leavers in _removals(rows, network, [link_of[pair] for pair in pairs]):
        for place in np.flatnonzero(leavers).tolist():
            dropped_by[place].append(name)
    for place, names in sorted(dropped_by.items()):
        yield {
            "network_id": network_id,
            "account_id": network.accounts[place],
            "drops": len(names),
            "dropped_by": sorted(names)[:NAMED],
        }


def _network(
    rows: pa.Table,
    pairs: list[tuple[str, str]],
    link_of: Mapping[tuple[str, str], int],
    cut: int,
) -> _Network:
    accounts = sorted({account for pair in link_of for account in pair})
    positions = {account: position for position, account in enumerate(accounts)}
    left, right = (
        np.array([positions[pair[side]] for pair in link_of], np.int32) for side in (0, 1)
    )
    weights = dict(zip(pairs, rows.column("weight").to_pylist(), strict=True))
    weight = np.array([weights[pair] for pair in link_of], np.int64)
    one = np.zeros(len(accounts), np.int32)
    strength, is_core = core(left, right, weight, one, cut)
    limit = int(least_strengths(strength, one, cut)[0])
    return _Network(accounts, left, right, weight, strength, is_core, limit)


def _removals(rows: pa.Table, network: _Network, links: list[int]) -> Iterator[tuple[str, Bools]]:
    """Each entity and neighbour, and which core members leave without it."""
    for entity, lost in _lost_traces(rows, links).items():
        changed = np.array(list(lost), np.int64)
        shares = np.array([of for _, of in lost.values()], np.int64)
        counts = np.array([count for count, _ in lost.values()], np.int64)
        loss = network.weight[changed] * counts // shares
        yield entity, network.left_by(changed[counts == shares], loss, changed)
    for place, account in enumerate(network.accounts):
        gone = np.flatnonzero((network.left == place) | (network.right == place))
        leavers = network.left_by(gone, network.weight[gone], gone)
        leavers[place] = False
        yield f"account:{account}", leavers


def _lost_traces(rows: pa.Table, links: Iterable[int]) -> dict[str, dict[int, tuple[int, int]]]:
    """By entity and link: the traces that no longer link without the entity, and all traces."""
    columns = (rows.column(name).to_pylist() for name in ("entity", "traces"))
    lost: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
    for link, entity, traces in zip(links, *columns, strict=True):
        if entity is not None:
            before, _ = lost[entity].get(link, (0, traces))
            lost[entity][link] = (before + 1, traces)
    return lost
