"""What a planted kind declares; `recruit` makes networks of it."""

from dataclasses import dataclass

from jobs.simulation.network import Tactic
from jobs.simulation.world import Role


@dataclass(frozen=True)
class Pool:
    """Addresses that an operator's accounts share when they do not evade."""

    kind: str
    """The kind of provider: residential, hosting, mobile, ..."""
    addresses: int
    across_providers: bool = False
    """From several providers of the kind and market, not from one."""


@dataclass(frozen=True)
class PlantedKind:
    """One kind of abuse: who takes part, with what, doing what."""

    name: str
    share: float
    """Members of all networks of the kind, per account of the platform."""
    tactics: tuple[Tactic, ...]
    age_days: tuple[int, int]
    """Age of the accounts when they begin: from, to."""
    accounts_per_device: int | None = None
    """None: everyone has devices of their own."""
    pool: Pool | None = None
    """None: everyone connects from home."""
    clients: int = 0
    """Accounts that each network acts for or against."""
    client_role: Role = Role.TARGET
    signs_up_at_once: bool = False
    """All accounts of a network are made within minutes, on the day they begin."""
    sleeps: bool = False
    """The accounts do nothing until the network wakes, days after the log begins."""
    hijacks: bool = False
    """The accounts are other people's, and go on being used by them."""
    batch_hours: float | None = None
    """All accounts of a network are made within so many hours, of one day of their age."""
    never_rests: bool = False
    """The networks act from the first day to the last, and live no other life."""
    comes_back: bool = False
    """Half of the accounts are banned before the log ends, and the others made to replace them."""
    on_request: bool = False
    """Planted only where it is asked for by name, so that the log of a seed stays what it was."""

    @property
    def begins_later(self) -> bool:
        """Whether the networks have one beginning, on some day of the log, and no other life."""
        return self.signs_up_at_once or self.sleeps or self.hijacks
