"""Components of accounts and entities together, without hubs: for exploration, not for decisions.

On real data such components grow until one holds most accounts; what acts together is found among
links between accounts instead.
"""

from __future__ import annotations

from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.tables import Table, columns

HETEROGENEOUS_COMPONENTS = Table(
    name="heterogeneous_components",
    grain="account or entity of the hub-free graph",
    key=("node_type", "node_id"),
    schema=columns(
        node_type="string",
        node_id="string",
        component_id="string",  # <type>:<id> of its smallest member
        size="int64",
    ),
)

ENTITIES = ("device", "ip", "content")


def heterogeneous_components(engine: Engine, edges: DataFrame, nodes: DataFrame) -> DataFrame:
    """Connect accounts and the devices, addresses and content they used, leaving out hubs.

    Columns of HETEROGENEOUS_COMPONENTS. Raises DependencyError where the engine has no graph
    library.
    """
    usable = nodes.filter(F.col("node_type").isin(*ENTITIES) & ~F.col("is_hub")).select(
        F.col("node_type").alias("entity_type"), F.col("node_id").alias("entity_id")
    )
    links = edges.join(usable, on=["entity_id", "entity_type"], how="left_semi").select(
        F.concat(F.lit("account:"), F.col("account_id")).alias("account_a"),
        F.concat("entity_type", F.lit(":"), F.col("entity_id")).alias("account_b"),
    )
    links = engine.materialize(links, "heterogeneous-links")
    found = engine.materialize(engine.connected_components(links), "heterogeneous-found")
    sizes = found.groupBy("component_id").agg(F.count(F.lit(1)).alias("size"))
    colon = F.instr("account_id", ":")
    return found.join(sizes, on="component_id", how="inner").select(
        F.substring("account_id", F.lit(1), colon - 1).alias("node_type"),
        F.substring("account_id", colon + 1, F.length("account_id")).alias("node_id"),
        "component_id",
        "size",
    )
