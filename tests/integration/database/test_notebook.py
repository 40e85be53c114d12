"""The notebook runs from top to bottom, and its pictures hold the network."""

from __future__ import annotations

import runpy
from pathlib import Path

import jupytext
import pytest

from exporters.neo4j import Database
from graph.database_schema import ACCOUNT, NETWORK
from jobs.database.server import Server

NOTEBOOK = Path(__file__).parents[3] / "docs" / "notebooks" / "explore_network.py"


def test_the_notebook_draws_a_network_from_tables_and_from_neo4j(
    loaded: Database, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTORGRAPH_HOME", str(server.folder.parent))
    names = runpy.run_path(str(NOTEBOOK))
    members = set(names["members"].column("account_id").to_pylist())
    assert {node.id for node in names["from_tables"].nodes} == members
    drawn = [node.properties["labels"][0] for node in names["for_picture"].nodes]
    assert drawn.count(NETWORK.label) == 1
    assert drawn.count(ACCOUNT.label) == min(len(members), 25)


def test_jupytext_reads_it_as_a_notebook() -> None:
    cells = jupytext.read(NOTEBOOK).cells
    assert {cell.cell_type for cell in cells} == {"code", "markdown"}
    assert len(cells) > 8
