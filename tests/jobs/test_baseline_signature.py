"""Innocents that a signature hits are told with who they are."""

from jobs.baseline_signature import innocent_hits


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
