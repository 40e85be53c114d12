"""Roles rest on direction, on who was first, on breaks with the past, and on firmness."""

from __future__ import annotations

import pyarrow as pa
import pytest

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


def role_of(engine: Engine, **changed: float | None) -> tuple[str, list[str]]:
    values = dict.fromkeys(ACCOUNT_FEATURE_NAMES) | ACTOR | changed
    schema = pa.schema([(name, pa.float64()) for name in ACCOUNT_FEATURE_NAMES])
    row = engine.from_arrow(pa.Table.from_pylist([values], schema=schema))
    found = engine.to_arrow(with_roles(row)).to_pylist()[0]
    return found["role"], found["role_reasons"]


@pytest.mark.parametrize(
    ("role", "changed"),
    [
        pytest.param("actor", {}, id="takes part"),
        pytest.param("target", {"targeted_ratio": 0.3, "shared_devices": 0}, id="is acted on"),
        pytest.param("actor", {"targeted_ratio": 0.3}, id="is acted on, from the farm's own phone"),
        pytest.param(
            "originator",
            {"first_poster_ratio": 0.95, "shared_devices": 0, "link_families": 1},
            id="was copied",
        ),
        pytest.param("compromised", {"device_break": 1}, id="came to the thief's phone this week"),
        pytest.param(
            "bystander",
            {"left_device_days": 5, "account_coordinated_ratio": 0.01},
            id="sold the phone",
        ),
        pytest.param(
            "bystander", {"is_core": 0, "account_coordinated_ratio": 0.0}, id="hangs on at the edge"
        ),
        pytest.param(
            "bystander",
            {"link_families": 1, "account_coordinated_ratio": 0.0},
            id="shares a tablet and nothing else",
        ),
        pytest.param("actor", dict.fromkeys(ACTOR), id="unknown features speak for no other role"),
    ],
)
def test_the_role_of_an_account(engine: Engine, role: str, changed: dict[str, float]) -> None:
    found, reasons = role_of(engine, **changed)
    assert found == role and role in ROLES
    assert reasons, "a role has its reasons"
