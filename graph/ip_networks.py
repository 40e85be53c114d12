"""Which network an address is in, from a site's list of blocks: longest prefix wins."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from graph.addresses import AddressNumbers, Network, address_numbers, block_numbers
from graph.tables import columns

KINDS = ("residential", "mobile", "hosting", "vpn", "tor", "business", "education")

SHARED_KINDS = ("mobile", "vpn", "education")
"""Kinds behind which strangers share addresses: they never count towards a trace's min_entities."""

IP_NETWORKS = columns(
    cidr="string",
    asn="int64",
    kind="string",
    country="string",
    valid_from=pa.date32(),
    valid_to=pa.date32(),
)
"""The optional input `ip_networks`: one row per block and validity; the key is cidr, valid_from."""

_FALLBACK_BITS = {4: 24, 6: 48}


@dataclass(frozen=True)
class _Intervals:
    """Disjoint ranges of address numbers of one IP version; `block` is -1 in the gaps."""

    first: npt.NDArray[np.uint64]
    block: npt.NDArray[np.int64]


@dataclass(frozen=True)
class IpNetworks:
    """A lookup from addresses to networks, small enough to travel to every task."""

    network_ids: Sequence[str | None]
    kinds: Sequence[str | None]
    intervals: Mapping[int, _Intervals]

    def of(self, ids: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Give each canonical address its network id and the network's kind, null where unknown.

        The id is `AS<number>` where the list knows it, else the address's /24 (IPv6: /48).
        """
        encoded = ids.dictionary_encode()
        numbers = address_numbers(encoded.dictionary)
        blocks = np.full(len(numbers.number), -1, np.int64)
        for version, intervals in self.intervals.items():
            rows = numbers.version == version
            blocks[rows] = _find(intervals, numbers.number[rows])
        networks = _take(self.network_ids, blocks)
        networks = pc.coalesce(networks, _fallback(numbers))
        kinds = _take(self.kinds, blocks)
        return networks.take(encoded.indices), kinds.take(encoded.indices)


def index_ip_networks(rows: Sequence[Mapping[str, Any]], day: date) -> IpNetworks:
    """Index the rows of `ip_networks` that are valid on a day.

    Of two rows for the same block the one with the latest valid_from counts. Raises ValueError for
    a cidr that is none or an unknown kind, naming it.
    """
    valid = {
        _parse(row): row
        for row in sorted(rows, key=lambda row: row.get("valid_from") or date.min)
        if (row.get("valid_from") or date.min) <= day <= (row.get("valid_to") or date.max)
    }
    blocks = list(valid)
    asns = [row.get("asn") for row in valid.values()]
    return IpNetworks(
        [None if asn is None else f"AS{asn}" for asn in asns],
        [row.get("kind") for row in valid.values()],
        {version: _flatten(blocks, version) for version in (4, 6)},
    )


def _parse(row: Mapping[str, Any]) -> Network:
    kind = row.get("kind")
    if kind is not None and kind not in KINDS:
        raise ValueError(
            f"ip_networks, cidr {row['cidr']!r}: kind {kind!r} is none of {', '.join(KINDS)}"
        )
    try:
        return ipaddress.ip_network(str(row["cidr"]).strip(), strict=False)
    except ValueError as error:
        raise ValueError(f"ip_networks, cidr {row['cidr']!r}: {error}") from None


def _flatten(blocks: Sequence[Network], version: int) -> _Intervals:
    """Cut nested blocks into disjoint intervals; CIDR blocks are nested or disjoint, never torn."""
    ranges = [
        (*block_numbers(block), index)
        for index, block in enumerate(blocks)
        if block.version == version
    ]
    ranges.sort(key=lambda entry: (entry[0], -entry[1]))
    cuts: dict[int, int] = {0: -1}
    open_blocks: list[tuple[int, int]] = []
    for first, last, index in [*ranges, (1 << 64, 1 << 64, -1)]:
        while open_blocks and open_blocks[-1][0] < first:
            ended, _ = open_blocks.pop()
            cuts[ended + 1] = open_blocks[-1][1] if open_blocks else -1
        cuts[first] = index
        open_blocks.append((last, index))
    starts = sorted(start for start in cuts if start < 1 << 64)
    return _Intervals(
        np.array(starts, np.uint64), np.array([cuts[start] for start in starts], np.int64)
    )


def _find(intervals: _Intervals, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    return intervals.block[np.searchsorted(intervals.first, numbers, side="right") - 1]


def _take(values: Sequence[str | None], blocks: npt.NDArray[np.int64]) -> pa.Array:
    indices = pa.array(blocks, mask=blocks < 0)
    return pa.array(values, pa.string()).take(indices)


def _fallback(addresses: AddressNumbers) -> pa.Array:
    """Write the /24 (/48) of each address."""
    names = np.full(len(addresses.number), None, object)
    for version, bits in _FALLBACK_BITS.items():
        rows = np.flatnonzero(addresses.version == version)
        width = 32 if version == 4 else 64
        prefixes = addresses.number[rows] >> np.uint64(width - bits) << np.uint64(width - bits)
        distinct, inverse = np.unique(prefixes, return_inverse=True)
        texts = [_network_name(int(number), version, bits) for number in distinct]
        names[rows] = np.array(texts, object)[inverse] if len(rows) else names[rows]
    return pa.array(names, pa.string())


def _network_name(number: int, version: int, bits: int) -> str:
    if version == 4:
        return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.0/{bits}"
    return str(ipaddress.IPv6Network((number << 64, bits)))
