"""The ladder of actions: which is lighter, what each needs, and how severe an abuse is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from graph.frames import Column, F
from graph.tables import columns
from signatures.model import Signature

LADDER = ("challenge", "remove_engagement", "limit_reach", "suspend", "terminate")
"""Actions against an account, the lightest first; all but the first are restrictions."""

CHALLENGE, *RESTRICTIONS = LADDER
"""A challenge asks an account to prove itself and restricts nothing."""

SECURE = "secure_account"
"""What a compromised account gets: it is no restriction, and not against the account."""

LEVELS = ("informational", "low", "medium", "high", "critical")

SIGNATURES = columns(
    signature_id="string",
    subject="string",
    level_rank="int64",
    action="string",
    duration_s="int64",
    policy_id="string",
    title="string",
)


def signature_rows(library: Sequence[Signature]) -> pa.Table:
    """What scoring needs of each signature that names abuse; columns of SIGNATURES."""
    rows = []
    for each in library:
        if each.benign or each.enforcement is None:
            continue
        duration = each.enforcement.duration
        rows.append(
            {
                "signature_id": str(each.id),
                "subject": each.subject,
                "level_rank": LEVELS.index(each.level),
                "action": each.enforcement.action,
                "duration_s": None if duration is None else duration // 1_000_000,
                "policy_id": each.enforcement.policy_id,
                "title": each.title,
            }
        )
    return pa.Table.from_pylist(rows, schema=SIGNATURES)


def affordable(
    declared: Column, lower: Column, challenge_lower: Column, floors: Mapping[str, float]
) -> Column:
    """The heaviest action, not above the declared one, whose floor its lower bound reaches.

    A challenge has a bound of its own, because it reaches accounts with weaker links. Null where
    none is, or where the bound is unknown.
    """
    found = F.lit(None).cast("string")
    for rank, action in enumerate(LADDER):
        bound = lower if action in RESTRICTIONS else challenge_lower
        allowed = declared.isin(*LADDER[rank:]) & (bound >= F.lit(floors[action]))
        found = F.when(allowed, F.lit(action)).otherwise(found)
    return found
