"""The dirt of real logs, at small known rates, so that ingest is exercised."""

from dataclasses import dataclass, replace

import numpy as np

from jobs.simulation.actions import NONE
from jobs.simulation.arrays import DAY, MICROSECONDS, Array
from jobs.simulation.event_rows import FLAGGED, IPV6, UNKNOWN_DEVICE, ZERO_DEVICE, EventRows
from jobs.simulation.identifiers import mix

_SIX_SALT = np.uint64(0x6C62272E07BB0142)
_PRIVATE = np.array([10 << 24, 192 << 24 | 168 << 16], dtype=np.int64)
_LONGEST_RETRY_S = 20


@dataclass(frozen=True)
class Rates:
    """Shares of rows, unless said otherwise."""

    upper_case: float = 0.01
    """Device ids and content hashes in capitals."""
    padded_account: float = 0.001
    """Account ids with blanks around them."""
    no_account: float = 0.00005
    unknown_device: float = 0.02
    """The device is called `unknown`: the largest hub of many real logs."""
    zero_device: float = 0.005
    """The device id is all zeros."""
    no_ip: float = 0.01
    private_ip: float = 0.004
    ipv6_addresses: float = 0.05
    """Share of addresses (not rows) that are IPv6; each row has another interface in the /64."""
    mapped_ip: float = 0.001
    """IPv4 written as IPv6 (::ffff:192.0.2.1)."""
    repeated: float = 0.001
    """Rows that are sent again with the same event id, up to 20 s later."""


def soil(
    rows: EventRows, midnight: int, rng: np.random.Generator, rates: Rates | None = None
) -> EventRows:
    """The rows of one day with dirt, whoever they come from."""
    rates = rates or Rates()
    rows = _repeat(rows, midnight, rates, rng)
    size = len(rows)

    def some(rate: float) -> Array:
        return np.flatnonzero(rng.random(size, dtype=np.float32) < rate)

    account, content = rows.account.copy(), rows.content.copy()
    account[some(rates.padded_account)] |= FLAGGED
    account[some(rates.no_account)] = NONE
    capitals = some(rates.upper_case)
    content[capitals] = _flagged(content[capitals])
    device = rows.device.copy()
    capitals = some(rates.upper_case)
    device[capitals] = _flagged(device[capitals])
    for rate, value in ((rates.unknown_device, UNKNOWN_DEVICE), (rates.zero_device, ZERO_DEVICE)):
        chosen = some(rate)
        device[chosen] = np.where(device[chosen] == NONE, NONE, value)
    ip = _dual_stack(rows.ip, rates, rng)
    mapped = some(rates.mapped_ip)
    ip[mapped] = (ip[mapped] & 0xFFFFFFFF) | FLAGGED
    private = some(rates.private_ip)
    ip[private] = rng.choice(_PRIVATE, len(private)) | rng.integers(1, 1 << 16, len(private))
    ip[some(rates.no_ip)] = NONE
    return replace(rows, account=account, content=content, device=device, ip=ip)


def _flagged(numbers: Array) -> Array:
    return np.where(numbers < 0, numbers, numbers | FLAGGED)


def _dual_stack(ip: Array, rates: Rates, rng: np.random.Generator) -> Array:
    """Some addresses, always the same, as IPv6 with a random interface."""
    token = mix(ip.astype(np.uint64) ^ _SIX_SALT) >> np.uint64(40)
    six = np.flatnonzero(token < int(rates.ipv6_addresses * (1 << 24)))
    changed = ip.copy()
    changed[six] |= IPV6 | rng.integers(0, 1 << 16, len(six)) << 32
    return changed


def _repeat(rows: EventRows, midnight: int, rates: Rates, rng: np.random.Generator) -> EventRows:
    """Some rows twice: a client that got no answer sends again."""
    times = 1 + (rng.random(len(rows), dtype=np.float32) < rates.repeated)
    source = np.repeat(np.arange(len(rows)), times)
    again = np.flatnonzero(source[1:] == source[:-1]) + 1
    repeated = rows.take(source)
    time = repeated.time.copy()
    time[again] += rng.integers(0, _LONGEST_RETRY_S * MICROSECONDS, len(again))
    return replace(repeated, time=np.minimum(time, midnight + DAY - 1))
