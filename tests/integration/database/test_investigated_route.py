"""People decide without any signature: from two verdicts in Neo4j to what is proposed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from exporters.neo4j import Database
from exporters.neo4j_queries import read_queries
from graph.ledger import read_ledger
from graph.networks import MEMBERSHIPS
from graph.tables import Table
from jobs import explain_subject, load_neo4j, pull_verdicts, score_networks
from jobs.database.server import Server
from jobs.warehouse import Warehouse
from signatures.decisions import DECISIONS
from signatures.inclusions import INCLUSIONS
from signatures.scores import SCORES
from signatures.snapshots import SNAPSHOTS
from tests.integration.sites import DAY, Site

JUDGE = next(query for query in read_queries() if query.id == "judge_network").forms()["table"]
VERDICT = {
    "label": "abusive",
    "abuse_type": "",
    "policy": "platform_manipulation",
    "reason": "the same text, seconds apart",
}


@pytest.fixture
def home(tmp_path: Path, site: Site, server: Server) -> Path:
    """A home with the site's tables and no ledger, beside the same server."""
    shutil.copytree(server.folder.parent / "warehouse", tmp_path / "home" / "warehouse")
    (tmp_path / "home" / "neo4j").symlink_to(server.folder)
    return tmp_path / "home"


@pytest.fixture
def arguments(site: Site, home: Path) -> list[str]:
    config = str(site.folder / "config.yaml")
    return ["--ds", str(DAY), "--config", config, "--set", f"home={home}"]


def asked(database: Database, name: str, network: str) -> list[dict[str, Any]]:
    text = next(query for query in read_queries() if query.id == name).forms()["table"]
    return database.read(text, network=network)


def published(home: Path, table: Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(
        Warehouse(home / "warehouse").path(table.name, DAY)
    ).to_pylist()
    return rows


def roles_of_largest(home: Path) -> tuple[str, dict[str, str]]:
    """The network with most actors of those that nothing names, and the roles of its members."""
    nameless = {r["network_id"] for r in published(home, SCORES) if r["disposition"] == "monitor"}
    networks: dict[str, dict[str, str]] = {}
    for row in published(home, INCLUSIONS):
        if row["network_id"] in nameless:
            networks.setdefault(row["network_id"], {})[row["account_id"]] = row["role"]
    return max(sorted(networks.items()), key=lambda each: list(each[1].values()).count("actor"))


def test_two_reviewers_propose_the_actors_of_a_network_that_no_signature_names(
    database: Database,
    site: Site,
    home: Path,
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    network, roles = roles_of_largest(home)
    actors = {account for account, role in roles.items() if role == "actor"}
    assert actors
    assert load_neo4j.main(arguments, site.engine) == 0
    assert read_ledger(home, SNAPSHOTS).num_rows == 0, "nothing is live, so nothing was frozen"

    database.write(JUDGE, network=network, reviewer="reviewer-1", **VERDICT)
    assert pull_verdicts.main(arguments, site.engine) == 0
    frozen = read_ledger(home, SNAPSHOTS).to_pylist()
    assert {row["account_id"]: row["role"] for row in frozen} == roles
    core = {row["account_id"] for row in published(home, MEMBERSHIPS) if row["is_core"]}
    assert {row["account_id"] for row in frozen if row["is_core"]} == core & set(roles)
    assert all('"for":[{' in row["evidence"] for row in frozen if row["is_core"])

    assert score_networks.main(arguments, site.engine) == 0
    assert read_ledger(home, DECISIONS).num_rows == 0
    assert "1 one reviewer calls these members abusive" in capsys.readouterr().err

    database.write(JUDGE, network=network, reviewer="reviewer-2", **VERDICT)
    assert pull_verdicts.main(arguments, site.engine) == 0
    assert read_ledger(home, SNAPSHOTS).num_rows == len(roles), "both judge one snapshot"
    assert score_networks.main(arguments, site.engine) == 0
    told = capsys.readouterr().err
    assert f"networks that 2 reviewers agree on: 1; accounts proposed: {len(actors)};" in told
    decisions = read_ledger(home, DECISIONS).to_pylist()
    assert {row["account_id"] for row in decisions} == actors
    assert {(row["state"], row["route"]) for row in decisions} == {("proposed", "investigated")}

    assert score_networks.main(arguments, site.engine) == 0
    assert f"left out: {len(actors)} decided on before" in capsys.readouterr().err
    assert explain_subject.main([network, *arguments[2:]]) == 0
    told = capsys.readouterr().out
    assert f"Why {len(roles) - len(actors)} of {len(roles)} are left out" in told
    assert "reviewer-1" in told and "reviewer-2" in told and VERDICT["reason"] in told

    database.write("MATCH (v:Verdict) DETACH DELETE v")  # as after a first load elsewhere
    assert load_neo4j.main(arguments, site.engine) == 0
    (shown,) = database.read(
        "MATCH (n:Network {id: $network}) "
        "RETURN n.proposed_accounts AS proposed, n.action AS action",
        network=network,
    )
    assert shown == {"proposed": len(actors), "action": decisions[0]["action"]}
    listed = {row["account"]: row["proposed"] for row in asked(database, "open_network", network)}
    assert {account for account, proposed in listed.items() if proposed} == actors
    told_of = {row["account"]: row["verdict"] for row in asked(database, "open_network", network)}
    words = {name: "abusive" if role == "actor" else role for name, role in roles.items()}
    assert told_of == words, "who is no actor is not called abusive"
    said = asked(database, "verdicts_on", network)
    assert {(row["reviewer"], row["label"], row["holds"]) for row in said} == {
        ("reviewer-1", "abusive", True),
        ("reviewer-2", "abusive", True),
    }
