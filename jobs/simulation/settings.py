"""What one simulation is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from jobs.errors import ConfigError
from jobs.simulation.evasion import Evasion


@dataclass(frozen=True)
class Settings:
    """The arguments of one simulation; the same settings give the same bytes."""

    accounts: int = 10_000
    days: int = 7
    seed: int = 1
    end_ds: date = date(2026, 11, 22)
    events_per_account_day: float = 10.0
    """Mean number of an ordinary account's events a day."""
    evasion: Evasion = field(default_factory=Evasion)
    planted: Mapping[str, float] = field(default_factory=dict)
    """How many times its usual share a planted kind has, by its name; 1 for those not named."""
    clean: bool = False
    """Without dirt: no malformed or duplicated values."""

    def __post_init__(self) -> None:
        if self.accounts < 500:
            raise ConfigError(
                f"accounts is {self.accounts}; 500 is the least that holds every kind"
            )
        if not 1 <= self.days <= 1000:
            raise ConfigError(f"days is {self.days}; it must be between 1 and 1000")
        for kind, times in self.planted.items():
            if times <= 0:
                raise ConfigError(f"planted {kind} is {times}; use more than 0")
        if self.events_per_account_day <= 0:
            raise ConfigError(
                f"events per account and day are {self.events_per_account_day}; use more than 0"
            )

    def ds(self, day: int) -> date:
        """The date of the day with this number, from 0."""
        return self.end_ds - timedelta(days=self.days - 1 - day)

    @property
    def start(self) -> int:
        """The first instant, in microseconds since 1970."""
        first = self.ds(0)
        midnight = datetime(first.year, first.month, first.day, tzinfo=UTC)
        return int(midnight.timestamp()) * 1_000_000
