"""A hand-made example of a feature: some facts, and the value that follows from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.graph.feature_days import Fact, member

Value = float | None


@dataclass(frozen=True)
class Example:
    """What a feature is of network n or, by account, of its members.

    Members are a, b and c, all of them core, unless the facts name members.
    """

    feature: str
    because: str
    value: Value | dict[str, Value]
    facts: tuple[Fact, ...]

    def subjects(self, name: str) -> dict[tuple[str, ...], Value]:
        """The values by subject, when the example is apart from others under a name."""
        network = f"{name}/n"
        if isinstance(self.value, dict):
            by_account = self.value.items()
            return {(network, f"{name}/{account}"): value for account, value in by_account}
        return {(network,): self.value}


def example(
    feature: str, because: str, value: Value | dict[str, Value], *facts: Fact | Iterable[Fact]
) -> Example:
    """Make an example; facts may be given in lists."""
    flat = [fact for each in facts for fact in ([each] if isinstance(each, tuple) else each)]
    if not any(table == "memberships" for table, _ in flat):
        flat += members("a b c")
    return Example(feature, because, value, tuple(flat))


def members(core: str, others: str = "", network: str = "n") -> list[Fact]:
    """Members named by words, the core first."""
    inside = [member(name, core=True, network=network) for name in core.split()]
    return inside + [member(name, core=False, network=network) for name in others.split()]
