"""The internet of the simulation: providers with their prefixes, and where people connect from.

A *place* is a home, an office, a carrier's NAT, an operator's pool of proxies: it owns a number of
addresses (slots) in the space of one or several providers and changes them every so many days.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from jobs.errors import ConfigError
from jobs.simulation.arrays import Array
from jobs.simulation.geography import MARKETS
from jobs.simulation.identifiers import mix
from jobs.simulation.settings import Settings

KINDS = ("residential", "mobile", "hosting", "vpn", "tor", "business", "education")
STATIC = 1 << 20
"""A lease longer than any simulation: the address never changes."""

_PROVIDERS_PER_MARKET = {
    "residential": (0.4, 0.25, 0.2, 0.15),
    "mobile": (0.5, 0.3, 0.2),
    "hosting": (0.6, 0.4),
    "vpn": (1.0,),
    "tor": (1.0,),
    "business": (0.6, 0.4),
    "education": (1.0,),
}
# First octets that are unicast and free of private, shared, documentation and benchmark ranges.
_FIRST_OCTETS = np.array(
    [o for o in range(1, 224) if o not in {10, 100, 127, 169, 172, 192, 198, 203}]
)
_EVEN_SLOTS = 32
_HOMES_PER_PREFIX = 4096
NETWORKS_SCHEMA = pa.schema(
    [
        ("cidr", pa.string()),
        ("asn", pa.int64()),
        ("kind", pa.string()),
        ("country", pa.string()),
        ("valid_from", pa.timestamp("us", tz="UTC")),
        ("valid_to", pa.timestamp("us", tz="UTC")),
    ]
)


@dataclass(frozen=True)
class Providers:
    """The autonomous systems, ordered by market and kind; arrays have one entry a provider."""

    asn: Array
    kind: Array
    market: Array
    first_prefix: Array
    prefix_count: Array
    prefixes: Array
    """The /16 networks of all providers, one after another."""

    def of(self, market: int, kind: str) -> tuple[int, int]:
        """The providers of a kind in a market as a range: (first, count)."""
        found = np.flatnonzero((self.market == market) & (self.kind == KINDS.index(kind)))
        return int(found[0]), len(found)

    def address(self, provider: Array, draw: Array) -> Array:
        """The IPv4 address that a random 64-bit number stands for in a provider's space."""
        prefix = draw % self.prefix_count[provider].astype(np.uint64)
        network = self.prefixes[self.first_prefix[provider] + prefix.astype(np.int64)]
        host = (draw >> np.uint64(40)) & np.uint64(0xFFFF)
        addresses: Array = (network << 16) | host.astype(np.int64)
        return addresses

    def table(self, settings: Settings, rng: np.random.Generator) -> pa.Table:
        """ip_networks: a row a prefix, its IPv6 twin, and earlier owners of some prefixes."""
        owner = np.repeat(np.arange(len(self.asn)), self.prefix_count)
        names = [(f"{p >> 8}.{p & 255}.0.0/16", f"2a10:{p:x}::/32") for p in self.prefixes.tolist()]
        since = settings.start - rng.integers(200, 2000, len(owner)) * 86_400_000_000
        rows = []
        for number, (provider, cidrs) in enumerate(zip(owner.tolist(), names, strict=True)):
            known = {
                "asn": int(self.asn[provider]),
                "kind": KINDS[int(self.kind[provider])],
                "country": MARKETS[int(self.market[provider])].country,
            }
            rows += [
                {"cidr": c, **known, "valid_from": int(since[number]), "valid_to": None}
                for c in cidrs
            ]
            if rng.random() < 0.03:
                earlier = int(self.asn[rng.integers(len(self.asn))])
                sold = {"valid_from": int(since[number]) - 10**15, "valid_to": int(since[number])}
                rows.append({"cidr": cidrs[0], **known, "asn": earlier, "kind": "hosting", **sold})
        return pa.Table.from_pylist(rows, NETWORKS_SCHEMA)


def build_providers(settings: Settings, rng: np.random.Generator) -> Providers:
    """Providers for all markets, with room for the accounts asked for."""
    rows = []
    for market, place in enumerate(MARKETS):
        for kind in KINDS:
            for share in _PROVIDERS_PER_MARKET[kind]:
                homes = settings.accounts * place.share * share if kind == "residential" else 0
                rows.append((market, KINDS.index(kind), 2 + int(homes) // _HOMES_PER_PREFIX))
    market_of, kind_of, count = (
        np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)
    )
    total = int(count.sum())
    space = (_FIRST_OCTETS[:, None] * 256 + np.arange(256)[None, :]).ravel()
    if total > len(space):
        raise ConfigError(f"{settings.accounts} accounts need {total} /16 networks of {len(space)}")
    return Providers(
        asn=rng.choice(np.arange(2000, 400_000), len(rows), replace=False),
        kind=kind_of,
        market=market_of,
        first_prefix=np.cumsum(count) - count,
        prefix_count=count,
        prefixes=rng.permutation(space)[:total],
    )


class Places:
    """Places people connect from; grows while the world is planned, then only answers."""

    def __init__(self, providers: Providers) -> None:
        self.providers = providers
        self._columns: list[list[Array]] = [[], [], [], []]
        self._size = 0

    def add(
        self, provider: Array, count: int | Array, slots: int | Array, lease: int | Array
    ) -> Array:
        """Add places, one an entry of `provider` (the first of `count` providers); returns them."""
        size = len(provider)
        for column, values in zip(self._columns, (provider, count, slots, lease), strict=True):
            column.append(np.broadcast_to(np.asarray(values, dtype=np.int32), size))
        self._size += size
        return np.arange(self._size - size, self._size, dtype=np.int32)

    def seal(self) -> None:
        """Join the columns; to be called once, when planning ends."""
        self._provider, self._count, self._slots, self._lease = (
            np.concatenate(column) for column in self._columns
        )

    def address(self, place: Array, draw: Array, day: int) -> Array:
        """The address a session at a place gets; the same for the same draw and day.

        A place with more slots than `_EVEN_SLOTS` (a carrier's NAT) favours some of them, as real
        gateways do: the first of 100 serves a fifth of all sessions.
        """
        slots = self._slots[place]
        unit = (draw & np.uint64(0xFFFFF)).astype(np.float64) / (1 << 20)
        slot = (slots * np.where(slots > _EVEN_SLOTS, unit**3, unit)).astype(np.uint64)
        lease = self._lease[place]
        epoch = (day + place % np.maximum(lease, 1)) // lease
        key = (place.astype(np.uint64) << np.uint64(32)) | (slot << np.uint64(16))
        token = mix(key | epoch.astype(np.uint64))
        provider = self._provider[place] + (
            (token >> np.uint64(20)) % self._count[place].astype(np.uint64)
        ).astype(np.int32)
        return self.providers.address(provider, token)
