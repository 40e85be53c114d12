# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # One network, from the tables and from Neo4j
#
# Open it with `jupytext --to ipynb docs/notebooks/explore_network.py`, in an environment with
# `pip install 'actorgraph[notebook]'`. `actorgraph demo` makes what it reads; ACTORGRAPH_HOME names
# another home than the demo's.

# %%
import os
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
from neo4j_viz.neo4j import from_neo4j
from neo4j_viz.pandas import from_dfs

from exporters.neo4j import Database
from exporters.neo4j_queries import read_queries
from graph.database_schema import ACCOUNT, NODES
from jobs.database.address import database_address

home = Path(os.environ.get("ACTORGRAPH_HOME", ".actorgraph/demo"))

# %% [markdown]
# ## From the tables
#
# The network to look at first, and the links among its members.

# %%
warehouse = home / "warehouse"
day = max(path.name for path in (warehouse / "scores").glob("ds=*"))
scores = pq.read_table(warehouse / "scores" / day).sort_by([("priority", "descending")])
network = scores.column("network_id")[0].as_py()
scores.select(["network_id", "title", "likelihood", "disposition"]).slice(0, 5).to_pandas()

# %%
memberships = pq.read_table(warehouse / "memberships" / day)
members = memberships.filter(pc.equal(memberships.column("network_id"), network))
links = pq.read_table(warehouse / "account_links" / day)
inside = links.filter(
    pc.is_in(links.column("account_a"), members.column("account_id").combine_chunks())
)
inside = inside.filter(
    pc.is_in(inside.column("account_b"), members.column("account_id").combine_chunks())
)

# %%
nodes = members.select(["account_id", "strength"]).rename_columns(["id", "size"]).to_pandas()
nodes["caption"] = nodes["id"]
relationships = (
    inside.select(["account_a", "account_b", "traces"])
    .rename_columns(["source", "target", "traces"])
    .to_pandas()
)
relationships["caption"] = relationships.pop("traces").map(", ".join)
from_tables = from_dfs(nodes, relationships)
from_tables.resize_nodes(node_radius_min_max=(10, 30))
for node in from_tables.nodes:
    node.color = ACCOUNT.color
from_tables.render()

# %% [markdown]
# ## From Neo4j
#
# The same network with what its members share: the saved query that the guide shows as well.

# %%
query = next(each for each in read_queries() if each.id == "open_network")
with Database(database_address(home, os.environ)) as database:
    found = database.graph(query.forms()["graph"], network=network)
    for_picture = from_neo4j(found)

# %%
colours = {kind.label: kind.color for kind in NODES}
for node in for_picture.nodes:
    label = node.properties["labels"][0]
    node.color = colours[label]
    node.caption = str(node.properties.get("name") or node.properties.get("id"))
for_picture.render()
