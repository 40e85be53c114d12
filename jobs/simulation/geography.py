"""The countries the simulated platform serves, with their clocks and their ways to the internet."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Zone:
    """A time zone with its offset in November and its share of the market's accounts."""

    name: str
    offset_minutes: int
    share: float


@dataclass(frozen=True)
class Market:
    """One country."""

    country: str
    share: float
    zones: tuple[Zone, ...]
    mobile_only: float
    """Share of accounts that reach the internet through carrier NAT alone.

    Higher where mobile is the main access: Cloudflare (2025) reports the most users per IPv4
    address in Africa and South Asia.
    """


MARKETS = (
    Market(
        "US",
        0.20,
        (
            Zone("America/New_York", -300, 0.5),
            Zone("America/Chicago", -360, 0.25),
            Zone("America/Los_Angeles", -480, 0.25),
        ),
        0.05,
    ),
    Market("IN", 0.20, (Zone("Asia/Kolkata", 330, 1.0),), 0.35),
    Market(
        "BR", 0.13, (Zone("America/Sao_Paulo", -180, 0.9), Zone("America/Manaus", -240, 0.1)), 0.15
    ),
    Market("ID", 0.11, (Zone("Asia/Jakarta", 420, 0.8), Zone("Asia/Makassar", 480, 0.2)), 0.30),
    Market("MX", 0.07, (Zone("America/Mexico_City", -360, 1.0),), 0.12),
    Market("DE", 0.07, (Zone("Europe/Berlin", 60, 1.0),), 0.04),
    Market("GB", 0.06, (Zone("Europe/London", 0, 1.0),), 0.04),
    Market("PH", 0.06, (Zone("Asia/Manila", 480, 1.0),), 0.25),
    Market("NG", 0.05, (Zone("Africa/Lagos", 60, 1.0),), 0.40),
    Market("JP", 0.05, (Zone("Asia/Tokyo", 540, 1.0),), 0.05),
)
