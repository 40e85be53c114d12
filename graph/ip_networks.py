"""Which network an address is in, from a site's list of blocks: longest prefix wins."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from graph.address_blocks import AddressBlocks, index_blocks
from graph.addresses import AddressNumbers, Network, address_numbers
from graph.suggestions import several
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
class IpNetworks:
    """A lookup from addresses to networks, small enough to travel to every task."""

    network_ids: Sequence[str | None]
    kinds: Sequence[str | None]
    blocks: AddressBlocks

    def of(self, ids: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Give each canonical address its network id and the network's kind, null where unknown.

        The id is `AS<number>` where the list knows it, else the address's /24 (IPv6: /48).
        """
        encoded = ids.dictionary_encode()
        numbers = address_numbers(encoded.dictionary)
        blocks = self.blocks.find(numbers)
        networks = _take(self.network_ids, blocks)
        unknown = networks.is_null()
        networks = pc.replace_with_mask(networks, unknown, _fallback(numbers.at(unknown)))
        kinds = _take(self.kinds, blocks)
        return networks.take(encoded.indices), kinds.take(encoded.indices)


def index_ip_networks(rows: Sequence[Mapping[str, Any]], day: date) -> IpNetworks:
    """Index the rows of `ip_networks` that are valid on a day.

    Of two rows for the same block the one with the latest valid_from counts. Raises ValueError,
    naming the rows, for a cidr that is none or an unknown kind.
    """
    wrong = [problem for row in rows if (problem := _problem(row))]
    if wrong:
        raise ValueError(f"ip_networks, {several(wrong)}")
    valid = {
        _block(row): row
        for row in sorted(rows, key=lambda row: row.get("valid_from") or date.min)
        if (row.get("valid_from") or date.min) <= day <= (row.get("valid_to") or date.max)
    }
    blocks = list(valid)
    asns = [row.get("asn") for row in valid.values()]
    return IpNetworks(
        [None if asn is None else f"AS{asn}" for asn in asns],
        [row.get("kind") for row in valid.values()],
        index_blocks(blocks),
    )


def _problem(row: Mapping[str, Any]) -> str | None:
    kind = row.get("kind")
    if kind is not None and kind not in KINDS:
        return f"cidr {row['cidr']!r}: kind {kind!r} is none of {', '.join(KINDS)}"
    try:
        _block(row)
    except ValueError as error:
        return f"cidr {row['cidr']!r}: {error}"
    return None


def _block(row: Mapping[str, Any]) -> Network:
    return ipaddress.ip_network(str(row["cidr"]).strip(), strict=False)


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
    return f"{socket.inet_ntop(socket.AF_INET6, number.to_bytes(8) + bytes(8))}/{bits}"
