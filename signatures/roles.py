"""What part an account has in its network: only who takes part on purpose may be restricted.

The first rule that holds decides. A network can contain framed people, since bots can attach
themselves to innocents; a role therefore rests on direction, on who was first, on breaks with the
account's own history, and on how firmly it is linked (DECISIONS, Vocabulary).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

from graph.frames import Column, DataFrame, F


@dataclass(frozen=True)
class RoleRule:
    """A role, the reason for it, and the condition on account features that gives it.

    A comparison with an unknown feature does not hold.
    """

    role: str
    reason: str
    holds: Callable[[], Column]


def _at_least(feature: str, bound: float) -> Column:
    return F.coalesce(F.col(feature) >= F.lit(bound), F.lit(False))


def _at_most(feature: str, bound: float) -> Column:
    return F.coalesce(F.col(feature) <= F.lit(bound), F.lit(False))


ROLE_RULES = (
    RoleRule(
        "target",
        "a tenth or more of what members do to members is done to it, and it shares no device",
        lambda: _at_least("targeted_ratio", 0.1) & _at_most("shared_devices", 0),
    ),
    RoleRule(
        "originator",
        "it posted first nearly all that it shares with members, on devices of its own",
        lambda: (
            _at_least("first_poster_ratio", 0.8)
            & _at_most("shared_devices", 0)
            & _at_most("link_families", 1)
        ),
    ),
    RoleRule(
        "compromised",
        "an account of a month or more with devices of its own came to the members' devices later",
        lambda: _at_least("device_break", 1),
    ),
    RoleRule(
        "bystander",
        "it had a shared device first, and had left it before the others came",
        lambda: _at_least("left_device_days", 3) & _at_most("account_coordinated_ratio", 0.05),
    ),
    RoleRule(
        "bystander",
        "it is not at the core and hardly anything that it does coincides with the others",
        lambda: _at_most("is_core", 0) & _at_most("account_coordinated_ratio", 0.05),
    ),
    RoleRule(
        "bystander",
        "one kind of trace links it and hardly anything that it does coincides with the others",
        lambda: _at_most("link_families", 1) & _at_most("account_coordinated_ratio", 0.02),
    ),
)

ACTOR = "actor"
ACTOR_REASON = "no rule makes it a target, an originator, hijacked or a bystander"

ROLES = (ACTOR, "compromised", "target", "originator", "bystander")


def with_roles(accounts: DataFrame) -> DataFrame:
    """Give each member its role: account features, wide, with role and role_reasons added.

    role_reasons are those of all rules that give the role it got.
    """
    role = reduce(
        lambda otherwise, rule: F.when(rule.holds(), F.lit(rule.role)).otherwise(otherwise),
        reversed(ROLE_RULES),
        F.lit(ACTOR),
    )
    placed = accounts.withColumn("role", role)
    reasons = [
        F.when(rule.holds() & (F.col("role") == rule.role), F.lit(rule.reason))
        for rule in ROLE_RULES
    ]
    of_actors = F.when(F.col("role") == ACTOR, F.lit(ACTOR_REASON))
    return placed.withColumn("role_reasons", F.array_compact(F.array(*reasons, of_actors)))
