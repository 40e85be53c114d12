"""What an investigator sees: Neo4j Browser with the guide, the style and a saved query.

ACTORGRAPH_SCREENSHOTS names a folder for the pictures; look at them after a change.
"""

from __future__ import annotations

import os
from pathlib import Path

from exporters.neo4j import Database
from exporters.neo4j_guide import sample_values
from exporters.neo4j_queries import read_parameters, read_queries
from graph.database_schema import ACCOUNT, ENTITY_NODES, NETWORK
from jobs.database.server import Server
from tests.integration.database.browsing import browser


def test_a_person_logs_in_plays_the_guide_and_sees_a_network(
    loaded: Database, server: Server, tmp_path: Path
) -> None:
    pictures = Path(os.environ.get("ACTORGRAPH_SCREENSHOTS", tmp_path))
    query = next(each for each in read_queries() if each.id == "open_network")
    name = sample_values(loaded, read_parameters())["network"]
    with browser(server) as page:
        page.sees("frameContents", "Investigating networks")
        page.picture(pictures / "guide.png")
        page.run(f':params {{network: "{name}"}}')
        page.sees("frameContents", name)
        page.run(query.forms()["graph"])
        colours = page.colours()
        page.picture(pictures / "network.png")
        page.run(query.forms()["table"])
        page.sees("frameContents", "is_core")
        page.picture(pictures / "table.png")
    assert {ACCOUNT.color, NETWORK.color} <= colours
    assert colours <= {ACCOUNT.color, NETWORK.color} | {k.color for k in ENTITY_NODES.values()}
