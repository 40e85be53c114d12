"""Roles rest on direction, on who was first, on breaks with the past, and on firmness."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from graph.engines.base import Engine
from graph.features.computed import ACCOUNT_FEATURE_NAMES
from signatures.roles import ROLES, with_roles

ACTOR = {
    "is_core": 1,
    "core_links": 9,
    "link_families": 2,
    "shared_devices": 1,
    "account_coordinated_ratio": 0.6,
    "first_poster_ratio": 0.1,
    "targeted_ratio": 0.0,
    "device_break": 0,
    "left_device_days": None,
}


def roles_of(engine: Engine, accounts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What each account is said to be, by what it does."""
    known = [
        dict.fromkeys(ACCOUNT_FEATURE_NAMES) | ACTOR | changed | {"does": does}
        for does, changed in accounts.items()
    ]
    features = [(name, pa.float64()) for name in ACCOUNT_FEATURE_NAMES]
    schema = pa.schema([*features, ("does", pa.string())])
    rows = with_roles(engine.from_arrow(pa.Table.from_pylist(known, schema=schema)))
    return {row["does"]: row for row in engine.to_arrow(rows).to_pylist()}


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "takes part": ("actor", {}),
    "is acted on": ("target", {"targeted_ratio": 0.3, "shared_devices": 0}),
    "is acted on, from the farm's own phone": ("actor", {"targeted_ratio": 0.3}),
    "was copied": (
        "originator",
        {"first_poster_ratio": 0.95, "shared_devices": 0, "link_families": 1},
    ),
    "came to the thief's phone this week": ("compromised", {"device_break": 1}),
    "sold the phone": ("bystander", {"left_device_days": 5, "account_coordinated_ratio": 0.01}),
    "hangs on at the edge": ("bystander", {"is_core": 0, "account_coordinated_ratio": 0.0}),
    "shares a tablet and nothing else": (
        "bystander",
        {"link_families": 1, "account_coordinated_ratio": 0.0},
    ),
    "unknown features speak for no other role": ("actor", dict.fromkeys(ACTOR)),
}


def test_the_role_of_an_account(engine: Engine) -> None:
    found = roles_of(engine, {does: changed for does, (_, changed) in CASES.items()})
    for does, (role, _) in CASES.items():
        assert found[does]["role"] == role, does
        assert role in ROLES
        assert found[does]["role_reasons"], "a role has its reasons"
