"""What operators do to stay unseen, from 0 (nothing) to 1 (all they can)."""

from dataclasses import dataclass, fields, replace
from typing import Self

from jobs.errors import ConfigError


@dataclass(frozen=True)
class Evasion:
    """The evasion knobs; `from_level` sets all of them from one level, `with_knobs` one by one."""

    addresses: int = 0
    """Own addresses per account, each in another /24 (0: everyone uses the operator's pool)."""
    pool_ratio: float = 1.0
    """Share of sessions that still come from the operator's shared addresses."""
    own_device_ratio: float = 0.0
    """Share of accounts on a device of their own instead of a shared one."""
    jitter_s: float = 0.0
    """Each action is late by up to this many seconds more than the kind's own window."""
    varied_content_ratio: float = 0.0
    """Share of contents that are varied, so that they hash differently."""
    camouflage_ratio: float = 0.0
    """Share of an actor's events that look like anybody's."""
    drip_ratio: float = 1.0
    """Share of the kind's usual coordinated rounds that still take place (slow drip)."""
    cell_ratio: float = 0.0
    """Share of accounts that act in cells of two, below any size floor."""
    inflation_ratio: float = 0.0
    """Innocents lured to each network's objects, per member (hub inflation)."""
    framed_ratio: float = 0.0
    """Innocents, per member, whom the network follows around as if they led it (framing)."""

    @classmethod
    def from_level(cls, level: float) -> Self:
        """All knobs at a level from 0 to 1, linear in it.

        At 0.5: five own addresses and none shared, every second account on its own device, ten
        minutes of jitter, half of the contents varied, half of the events camouflage. Camouflage
        ends at nine tenths: an operation that only pretends does nothing.
        Raises ConfigError outside of 0 to 1.
        """
        if not 0 <= level <= 1:
            raise ConfigError(f"evasion is {level}, it must be between 0 and 1")
        return cls(
            addresses=int(10 * level + 0.5),
            pool_ratio=max(0.0, 1 - 2 * level),
            own_device_ratio=level,
            jitter_s=1200 * level,
            varied_content_ratio=level,
            camouflage_ratio=min(level, 0.9),
            drip_ratio=1 - 0.6 * level,
            cell_ratio=0.2 * level,
            inflation_ratio=2 * level,
            framed_ratio=0.08 * level,
        )

    def with_knobs(self, knobs: dict[str, float]) -> Self:
        """The same with some knobs set by name; raises ConfigError for an unknown name."""
        known = {field.name for field in fields(self)}
        if unknown := sorted(set(knobs) - known):
            raise ConfigError(
                f"no evasion knob {unknown[0]!r}; there are {', '.join(sorted(known))}"
            )
        values = {
            name: int(value) if name == "addresses" else value for name, value in knobs.items()
        }
        return replace(self, **values)  # type: ignore[arg-type]
