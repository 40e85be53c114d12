"""Who may be proposed, for what, and why everybody else is left out (DECISIONS)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_

import pyarrow as pa

from graph.config import Proposals
from graph.frames import Column, DataFrame, F
from graph.tables import Table, columns
from signatures.ladder import CHALLENGE, LADDER, SECURE, affordable
from signatures.overrides import EXPLANATIONS
from signatures.roles import ACTOR

INCLUSIONS = Table(
    name="inclusions",
    grain="account in a network",
    key=("network_id", "account_id"),
    schema=columns(
        network_id="string",
        account_id="string",
        role="string",
        role_reasons=pa.list_(pa.string()),
        included=pa.bool_(),
        restrictable=pa.bool_(),  # a restriction could rest on what links it, whatever is measured
        action="string",
        declared_action="string",  # of the signature; `action` is never heavier
        policy_id="string",
        signature_id="string",
        market="string",
        reasons=pa.list_(pa.string()),  # why it is left out; empty for who is included
        lighter_because=pa.list_(pa.string()),  # why an included one gets less than is declared
        dropped_by=pa.list_(pa.string()),  # the first single entities and neighbours it hangs on
        overridden=pa.list_(pa.string()),  # innocent explanations that match: who overrode, why
    ),
)


@dataclass(frozen=True)
class Obstacle:
    """A condition that keeps an account out of what is proposed, and its reason in plain words.

    `named_by`: the column whose texts end the reason, behind a colon.
    """

    name: str
    reason: str
    holds: Callable[[Proposals], Column]
    named_by: str | None = None

    @property
    def told(self) -> Column:
        """The reason as it is told of an account."""
        if self.named_by is None:
            return F.lit(self.reason)
        return F.concat(F.lit(f"{self.reason}: "), F.array_join(self.named_by, ", "))


def _restricted() -> Column:
    """Whether a restriction is at stake: the account is an actor and not only challenged."""
    return (F.col("role") == ACTOR) & (F.coalesce("action", F.lit("")) != CHALLENGE)


def _lightest_bound() -> Column:
    """The bound of the lightest action that an account can get."""
    return F.when(F.col("role") == ACTOR, F.col("challenge_lower")).otherwise(F.col("lower"))


WEAK_LINKS: Mapping[str, Callable[[], Column]] = {
    "not_core": lambda: ~F.col("is_core"),
    "one_observation": lambda: ~F.col("independent"),
    "few_neighbours": lambda: F.col("core_links") < 2,
    "dropped": lambda: F.col("drops") > 0,
}
"""Obstacles to a restriction that do not keep anybody from a challenge, and when each holds."""


def _named_but_not(condition: Column) -> Column:
    """Whether a signature names the network and a condition on it fails, or is unknown."""
    return F.col("signature_id").isNotNull() & ~F.coalesce(condition, F.lit(False))


def _accepted(limits: Proposals) -> Column:
    """Whether a sample showed of a large network what the declared action needs."""
    needed = F.lit(None).cast("double")
    for action, floor in sorted(dict(limits.floors).items()):
        needed = F.when(F.col("declared_action") == action, F.lit(floor)).otherwise(needed)
    return F.coalesce(F.col("accepted_floor") >= needed, F.lit(False))


OBSTACLES = (
    Obstacle(
        "no_signature",
        "no signature of abuse matches its network",
        lambda limits: F.col("signature_id").isNull(),
    ),
    Obstacle(
        "shadow",
        "the signature runs in shadow: its findings are only looked at",
        lambda limits: _named_but_not(F.col("mode") == "live"),
    ),
    Obstacle(
        "not_stable",
        "the signature is not stable yet",
        lambda limits: _named_but_not(F.col("status") == "stable"),
    ),
    Obstacle(
        "explained",
        "an innocent explanation matches its network",
        lambda limits: F.col("network_explained"),
        EXPLANATIONS["network"],
    ),
    Obstacle(
        "account_explained",
        "an innocent explanation matches the account",
        lambda limits: F.col("account_explained"),
        EXPLANATIONS["account"],
    ),
    Obstacle(
        "not_inauthentic",
        "nothing shows more than coordination: no automation, false identity or hijacking",
        lambda limits: _named_but_not(F.col("inauthentic_kinds") > 0),
    ),
    Obstacle(
        "content_alone",
        "only content or timing ties the network",
        lambda limits: F.col("signature_id").isNotNull() & ~F.col("tied_otherwise"),
    ),
    Obstacle(
        "role",
        "its role is neither actor nor compromised",
        lambda limits: ~F.col("role").isin(ACTOR, "compromised"),
    ),
    Obstacle(
        "victims_signature",
        "the signature secures hijacked accounts, and this one is not",
        lambda limits: (F.col("role") == ACTOR) & (F.col("declared_action") == SECURE),
    ),
    Obstacle(
        "small",
        "the network is too small to be judged without people",
        lambda limits: F.col("size") < limits.min_accounts,
    ),
    Obstacle(
        "large",
        "the network is too large to be judged without a sample",
        lambda limits: (F.col("size") > limits.max_accounts) & ~_accepted(limits),
    ),
    Obstacle(
        "not_measured",
        "the precision of the signature is not measured, or not lately, where the account is",
        lambda limits: F.col("signature_id").isNotNull() & _lightest_bound().isNull(),
    ),
    Obstacle(
        "below_floor",
        "the measured precision is below what the lightest action needs",
        lambda limits: _lightest_bound().isNotNull() & F.col("action").isNull(),
    ),
    Obstacle(
        "not_core",
        "it is not at the core of the network",
        lambda limits: _restricted() & WEAK_LINKS["not_core"](),
    ),
    Obstacle(
        "one_observation",
        "fewer than two independent families link it to core members",
        lambda limits: _restricted() & WEAK_LINKS["one_observation"](),
    ),
    Obstacle(
        "few_neighbours",
        "fewer than two core members are linked to it",
        lambda limits: _restricted() & WEAK_LINKS["few_neighbours"](),
    ),
    Obstacle(
        "dropped",
        "a single entity or neighbour holds it in the core",
        lambda limits: _restricted() & WEAK_LINKS["dropped"](),
    ),
    Obstacle(
        "loose",
        "weak links, and nothing that others could not have attached to it",
        lambda limits: (F.col("role") == ACTOR) & ~_well_linked() & ~F.col("is_firm"),
    ),
    Obstacle("protected", "the account is protected", lambda limits: F.col("protected")),
    Obstacle(
        "cleared",
        "the account was cleared lately: an earlier decision was overturned or taken back",
        lambda limits: F.col("cleared"),
    ),
    Obstacle(
        "called_benign",
        "a reviewer calls the account benign, alone or with a network",
        lambda limits: F.col("called_benign"),
    ),
    Obstacle(
        "declared",
        "a declared network exempts all traces that link it",
        lambda limits: F.col("declared"),
    ),
)

NEVER_REVIEWED = (
    "no_signature",
    "shadow",
    "explained",
    "account_explained",
    "protected",
    "declared",
)
"""Obstacles that keep an account out of review, too."""


AWAITING = ("shadow", "not_stable", "not_measured", "below_floor")
"""Obstacles that only measuring takes away."""

UNCOUNTED = ("no_signature", *AWAITING)
"""Obstacles that say what was not counted, and nothing of the account."""

HIJACKED = "it is hijacked: it is secured, and nothing is taken from its owner"
BORROWED = "the precision is borrowed from like signatures: it carries a challenge at most"
LOW_PRECISION = "the measured precision, overall or where the account is, carries nothing heavier"


def candidate() -> Column:
    """Whether nothing but missing measurement keeps a member from an action; of INCLUSIONS' rows.

    What may be restricted is a part of it, those that are `restrictable`. Neither depends on what
    was measured before, so that measuring again measures the same thing.
    """
    passing = {each.reason for each in OBSTACLES if each.name in (*AWAITING, *WEAK_LINKS)}
    passed = F.lit(0)
    for reason in sorted(passing):
        passed += F.when(F.array_contains("reasons", reason), 1).otherwise(0)
    return F.col("signature_id").isNotNull() & (F.size("reasons") == passed)


def judge(accounts: DataFrame, limits: Proposals) -> DataFrame:
    """Judge every member: `accounts` with INCLUSIONS' judgements and `reviewed` added.

    One row an account with role, size, is_core, core_links, independent, is_firm (infrastructure
    links it to core members, it is run in data centres, or its links are as strong as the
    members'), drops, signature_id, mode, status, inauthentic_kinds, declared_action, policy_id,
    tied_otherwise, network_explained, account_explained, the titles of what explains the one and
    the other (overrides.EXPLANATIONS), protected, cleared, called_benign, declared, accepted_floor
    (that a sample of its large network showed; null: none did), lower and challenge_lower (the
    lowest bounds of measured precision overall and in the account's market and stratum; null: one
    of them has no fresh sample) and borrowed. action is what the lower bound allows; reviewed,
    whether a person should look at one who is not included.
    """
    chosen = accounts.withColumn("action", _action(limits)).withColumn(
        "restrictable", (F.col("role") != ACTOR) | _well_linked()
    )
    reasons = F.array_compact(
        F.array(*(F.when(_holds(each, limits), each.told) for each in OBSTACLES))
    )
    kept_out = F.lit(False)
    for each in OBSTACLES:
        if each.name in (*NEVER_REVIEWED, "role"):
            kept_out |= _holds(each, limits)
    judged = chosen.withColumn("reasons", reasons).withColumn("kept_out", kept_out)
    included = F.size("reasons") == 0
    return (
        judged.withColumn("included", included)
        .withColumn("reviewed", ~included & ~F.col("kept_out"))
        .withColumn("lighter_because", _lighter_because())
        .drop("kept_out")
    )


def _lighter_because() -> Column:
    """Why an included account gets less than its signature declares; empty where it does not."""
    lighter = F.col("included") & (F.col("action") != F.col("declared_action"))
    actor = lighter & (F.col("role") == ACTOR)
    told = [(HIJACKED, lighter & ~actor), (BORROWED, actor & F.col("borrowed"))]
    told += [
        (each.reason, actor & WEAK_LINKS[each.name]())
        for each in OBSTACLES
        if each.name in WEAK_LINKS
    ]
    told.append((LOW_PRECISION, actor & ~F.col("borrowed") & _well_linked()))
    return F.array_compact(F.array(*(F.when(holds, F.lit(reason)) for reason, holds in told)))


def _well_linked() -> Column:
    return reduce(and_, (~weak() for weak in WEAK_LINKS.values()))


def _holds(obstacle: Obstacle, limits: Proposals) -> Column:
    return F.coalesce(obstacle.holds(limits), F.lit(False))


def _action(limits: Proposals) -> Column:
    """The declared action or a lighter one for an actor; what secures it for a hijacked account.

    A challenge is what is left where the precision is borrowed or the links carry no restriction.
    """
    floors = dict(limits.floors)
    challenged = F.col("borrowed") | ~_well_linked()
    declared = F.when(challenged, F.lit(CHALLENGE)).otherwise(F.col("declared_action"))
    of_actor = affordable(declared, F.col("lower"), F.col("challenge_lower"), floors)
    secured = F.when((F.col("lower") >= F.lit(floors[SECURE])) & ~F.col("borrowed"), F.lit(SECURE))
    return F.when(F.col("role") == "compromised", secured).otherwise(
        F.when(F.col("declared_action").isin(*LADDER), of_actor)
    )
