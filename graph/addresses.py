"""IP addresses: one canonical form, those that identify nobody, and the network each is in."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from graph.entity import Cleaned, is_placeholder, reject

IPV4 = (
    r"^(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
    r"(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}$"
)
_IPV6_BITS = 64  # of an address, the half that names a subscriber's network
_MAPPED = bytes(10) + b"\xff\xff"  # an IPv4 address follows
_ALL_ZERO, _LOOPBACK = bytes(16), bytes(15) + b"\x01"

# RFC 6890's registry, in the order in which a reason is chosen.
_SPECIAL: dict[str, list[str]] = {
    "all_zero": ["0.0.0.0/32"],
    "loopback": ["127.0.0.0/8"],
    "private": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
    # The shared address space is what a carrier's NAT uses on its inner side.
    "reserved": [
        "0.0.0.0/8",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "fe80::/10",
        "ff00::/8",
        "2001:db8::/32",
        "100::/64",
    ],
}


def clean_addresses(values: pa.Array) -> Cleaned:
    """Bring addresses to one form and name those that identify nobody.

    IPv4 stays as it is, IPv4-mapped IPv6 becomes IPv4, other IPv6 its /64 (`2a00:1450:4001:81b::`).
    Reasons: empty, placeholder, invalid, all_zero, loopback, private, reserved.
    """
    encoded = values.dictionary_encode()
    cleaned = _clean_distinct(encoded.dictionary)
    return Cleaned(cleaned.ids.take(encoded.indices), cleaned.reasons.take(encoded.indices))


def _clean_distinct(values: pa.Array) -> Cleaned:
    trimmed = pc.utf8_trim_whitespace(values)
    is_ipv4 = pc.match_substring_regex(trimmed, IPV4)
    ids = _rewrite(trimmed, pc.invert(pc.fill_null(is_ipv4, True)))
    return reject(
        ids,
        {
            "empty": pc.equal(trimmed, ""),
            "placeholder": is_placeholder(trimmed),
            "invalid": pc.and_(pc.is_valid(trimmed), pc.is_null(ids)),
            **_special(ids),
        },
    )


def _rewrite(values: pa.Array, others: pa.Array) -> pa.Array:
    """Replace the values that are not plain IPv4 by their canonical form, or null."""
    if not pc.any(others).as_py():
        return values
    distinct = values.filter(others).unique()
    canonical = pa.array([_canonical(text) for text in distinct.to_pylist()], pa.string())
    rewritten = canonical.take(pc.index_in(values.filter(others), value_set=distinct))
    return pc.replace_with_mask(values, others, rewritten)


def _canonical(text: str) -> str | None:
    packed = _packed(text.split("%")[0])
    if packed is None:
        return None
    if packed.startswith(_MAPPED):
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    if packed in (_ALL_ZERO, _LOOPBACK):
        return "::" if packed == _ALL_ZERO else "::1"
    return socket.inet_ntop(socket.AF_INET6, packed[:8] + bytes(8))


def _packed(text: str) -> bytes | None:
    """The 16 bytes of an IPv6 address; the C library reads them ten times faster than ipaddress."""
    try:
        return socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):  # no address; a NUL byte in the text
        return None


def _special(ids: pa.Array) -> dict[str, pa.Array]:
    numbers = address_numbers(ids)
    masks = {
        reason: pa.array(_within(numbers, [ipaddress.ip_network(block) for block in blocks]))
        for reason, blocks in _SPECIAL.items()
    }
    for reason, text in {"all_zero": "::", "loopback": "::1"}.items():
        masks[reason] = pc.or_(masks[reason], pc.fill_null(pc.equal(ids, text), False))
    return masks


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class AddressNumbers:
    """Addresses as sortable numbers: IPv4 as it is, IPv6 by its upper 64 bits; version 0: none."""

    version: npt.NDArray[np.int8]
    number: npt.NDArray[np.uint64]

    def at(self, rows: pa.Array) -> AddressNumbers:
        """Those of the rows for which a mask holds."""
        chosen = rows.to_numpy(zero_copy_only=False)
        return AddressNumbers(self.version[chosen], self.number[chosen])


def address_numbers(ids: pa.Array) -> AddressNumbers:
    """Read canonical address texts as numbers; null where there is none."""
    version = np.zeros(len(ids), np.int8)
    number = np.zeros(len(ids), np.uint64)
    is_ipv4 = pc.fill_null(pc.match_substring_regex(ids, IPV4), False)
    four = is_ipv4.to_numpy(zero_copy_only=False)
    if four.any():
        octets = pc.list_flatten(pc.split_pattern(ids.filter(is_ipv4), ".")).cast(pa.uint64())
        parts = octets.to_numpy().reshape(-1, 4)
        number[four] = parts @ np.array([1 << 24, 1 << 16, 1 << 8, 1], np.uint64)
        version[four] = 4
    six = np.flatnonzero(~four & pc.is_valid(ids).to_numpy(zero_copy_only=False))
    for index in six:
        packed = socket.inet_pton(socket.AF_INET6, ids[int(index)].as_py())
        number[index] = int.from_bytes(packed[:8])
        # All-zero and loopback differ only in the lower half, which the number does not hold.
        version[index] = 0 if packed in (_ALL_ZERO, _LOOPBACK) else 6
    return AddressNumbers(version, number)


def _within(addresses: AddressNumbers, blocks: Iterable[Network]) -> npt.NDArray[np.bool_]:
    inside = np.zeros(len(addresses.number), np.bool_)
    for block in blocks:
        first, last = block_numbers(block)
        inside |= (
            (addresses.version == block.version)
            & (addresses.number >= np.uint64(first))
            & (addresses.number <= np.uint64(last))
        )
    return inside


def block_numbers(block: Network) -> tuple[int, int]:
    """Give the first and last address number of a CIDR block; IPv6 by its upper 64 bits."""
    shift = _IPV6_BITS if block.version == 6 else 0
    return int(block.network_address) >> shift, int(block.broadcast_address) >> shift
