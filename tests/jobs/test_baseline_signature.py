"""Innocents that a signature hits are told with who they are."""

import pytest

from jobs.baseline_signature import innocent_hits, verdict
from jobs.errors import ConfigError


def found(network: str, account: str, explained: int = 0) -> dict[str, object]:
    return {"network_id": network, "account_id": account, "is_explained": explained}


def told(account: str, kind: str, planted: bool = False) -> dict[str, object]:
    return {"account_id": account, "kind": kind, "planted": planted}


def test_only_networks_without_planted_accounts_are_hits() -> None:
    truth = [
        told("a", "internet_cafe"),
        told("b", "internet_cafe"),
        told("b", "viral_hash"),
        told("bot", "device_farm", planted=True),
        told("victim", "device_farm"),
    ]
    rows = [found("cafe", name, explained=1) for name in ("a", "b", "nobody")]
    rows += [found("farm", "bot"), found("farm", "victim"), found("strangers", "victim")]
    assert innocent_hits(rows, truth) == [
        {
            "network_id": "cafe",
            "accounts": 3,
            "who": "2 internet_cafe, 1 viral_hash, 1 ordinary",
            "explained": True,
        },
        {
            "network_id": "strangers",
            "accounts": 1,
            "who": "1 device_farm",
            "explained": False,
        },
    ]


def test_a_signature_that_finds_nothing_at_all_is_not_called_harmless() -> None:
    ring = [found("ring", "a")]
    explained = {"network_id": "cafe", "accounts": 3, "who": "3 cafe", "explained": True}
    assert verdict("Farm", [], []).startswith("finds no network at all")
    assert verdict("Farm", ring, []) == "finds no innocent network that is not explained"
    assert verdict("Farm", ring, [explained]) == verdict("Farm", ring, [])
    with pytest.raises(ConfigError, match=r"Farm finds innocent networks .* 1 in all"):
        verdict("Farm", ring, [explained, explained | {"explained": False}])
