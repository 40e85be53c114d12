"""The core of a network: members who are well linked to others of the core."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from graph.buckets import bucket_of
from graph.compiled import compiled
from graph.engines.base import Engine, GroupFunction
from graph.frames import DataFrame, F
from graph.id_index import id_index, id_type_of, positions_of
from graph.id_kernels import Int32s, Int64s
from graph.label_propagation import adjacency

Bools = npt.NDArray[np.bool_]

MICRO = 1_000_000
MIN_CORE_LINKS = 2


def find_core(
    engine: Engine, member_links: DataFrame, core_cut: float, members: DataFrame | None = None
) -> DataFrame:
    """Find each member's strength and the core of each network.

    From links between members of one network, network_id, account_a, account_b, weight (int64, any
    unit; the network with most links must fit into a task, about 150 bytes a link), and optionally
    members network_id, account_id, to one row per member: network_id, account_id, strength (sum of
    the weights of its links to other members, same unit), is_core. Members without a link have
    strength 0 and are only known from `members`.

    The core is the largest set of members in which each is linked to at least two others of the
    set and has a strength of at least `core_cut` times the median strength of all the network's
    members. `core_cut` counts in millionths, and the comparison is exact.
    """
    network_type = id_type_of(member_links, "network_id")
    account_type = id_type_of(member_links, "account_a")
    schema = pa.schema(
        [
            ("network_id", network_type),
            ("account_id", account_type),
            ("strength", pa.int64()),
            ("is_core", pa.bool_()),
        ]
    )
    bucket = bucket_of(member_links, "network_id", member_links.count())
    rows = member_links.select("network_id", "account_a", "account_b", "weight")
    if members is not None:
        rows = rows.unionByName(_as_links(members))
    rows = rows.withColumn("bucket", bucket)
    return engine.map_groups_arrow(rows, ["bucket"], core_of(core_cut, schema), schema)


def core_of(core_cut: float, schema: pa.Schema) -> GroupFunction:
    """The function that finds the cores of any number of whole networks."""
    cut = round(core_cut * MICRO)

    def find(links: pa.Table) -> pa.Table:
        networks = id_index(schema.field("network_id").type)
        accounts = id_index(schema.field("account_id").type)
        network = positions_of(networks, links.column("network_id")).astype(np.int64) << 32
        members = id_index(pa.int64())
        left, right = (
            members.positions(pa.array(network | positions_of(accounts, links.column(end))))
            for end in ("account_a", "account_b")
        )
        pairs = members.ids().to_numpy()
        network_of = (pairs >> 32).astype(np.int32)
        weights = links.column("weight").to_numpy()
        strength, is_core = core(left, right, weights, network_of, cut)
        ids = [
            networks.ids().take(network_of),
            accounts.ids().take((pairs & 0xFFFFFFFF).astype(np.int64)),
        ]
        return pa.table([*ids, strength, is_core], names=schema.names).cast(schema)

    return find


def core(
    left: Int32s, right: Int32s, weights: Int64s, network_of: Int32s, cut: int
) -> tuple[Int64s, Bools]:
    """The strength of each member, and whether it is core, from links left[i]-right[i].

    `network_of` gives the network of each member, `cut` is in millionths. Repeated links add up to
    one, and links of a member to itself do not count.
    """
    starts, neighbours, shares = adjacency(left, right, weights, len(network_of))
    running = np.concatenate([[0], np.cumsum(shares)])
    strength = running[starts[1:]] - running[starts[:-1]]
    is_core = strength >= least_strengths(strength, network_of, cut)[network_of]
    _peel(starts, neighbours, is_core)
    return strength, is_core


def least_strengths(strength: Int64s, network_of: Int32s, cut: int) -> Int64s:
    """By network, the smallest integer that is at least `cut` millionths of the median strength."""
    order = np.lexsort((strength, network_of))
    sizes = np.bincount(network_of)
    starts = np.cumsum(sizes) - sizes
    lower = strength[order[starts + (sizes - 1) // 2]]
    upper = strength[order[starts + sizes // 2]]
    # ceil(cut * (lower + upper) / 2 MICRO) in two steps, since the product could leave 64 bits.
    whole, rest = np.divmod(lower + upper, 2 * MICRO)
    least: Int64s = cut * whole - (-(cut * rest) // (2 * MICRO))
    return least


@compiled
def _peel(starts: Int64s, neighbours: Int32s, inside: Bools) -> None:
    """Take out of `inside` whoever has fewer than two neighbours in it, until nobody has."""
    members = len(inside)
    seen = np.full(members, -1, np.int32)
    degrees = np.zeros(members, np.int32)
    stack = np.empty(members, np.int32)
    height = 0
    for member in range(members):
        for arc in range(starts[member], starts[member + 1]):
            neighbour = neighbours[arc]
            if inside[neighbour] and seen[neighbour] != member:
                seen[neighbour] = member
                degrees[member] += 1
    for member in range(members):
        if inside[member] and degrees[member] < MIN_CORE_LINKS:
            inside[member] = False
            stack[height] = member
            height += 1
    seen[:] = -1
    while height:
        height -= 1
        member = stack[height]
        for arc in range(starts[member], starts[member + 1]):
            neighbour = neighbours[arc]
            if inside[neighbour] and seen[neighbour] != member:
                seen[neighbour] = member
                degrees[neighbour] -= 1
                if degrees[neighbour] < MIN_CORE_LINKS:
                    inside[neighbour] = False
                    stack[height] = neighbour
                    height += 1


def _as_links(members: DataFrame) -> DataFrame:
    return members.select(
        "network_id",
        F.col("account_id").alias("account_a"),
        F.col("account_id").alias("account_b"),
        F.lit(0).cast("bigint").alias("weight"),
    )
