"""The Cypher that the schema implies: constraints, load statements, clean-up. Pure text.

Names come from the schema alone, values always from parameters. A row is a list: of a node its id,
of a relationship the ids of its ends, then the properties in their declared order.
"""

from __future__ import annotations

from collections.abc import Sequence

from graph.database_schema import (
    GONE,
    INVESTIGATORS,
    LOADED,
    NETWORK,
    NODES,
    NOTE,
    ON,
    RELATIONSHIPS,
    VERDICT,
    WORK,
    Kind,
    NodeKind,
    Property,
    RelationshipKind,
)

DRAFT = "NetworkDraft"
"""The label of networks while a load is under way; they get theirs when it is complete."""

LOAD = "Load"
"""The label of the one node that says what the database holds."""

COMPLETE = "complete"
"""Its property that is false while a load is under way, and after one that was cut off."""

CLEAN_UP_BATCH = 10_000


def load_label(label: str) -> str:
    """The label by which nodes are found during a load."""
    return DRAFT if label == NETWORK.label else label


def schema_statements(nodes: Sequence[NodeKind]) -> list[str]:
    """Constraints and indexes: ids are unique, and what is searched by is indexed."""
    statements = []
    for label in (*(node.label for node in nodes), DRAFT, LOAD, VERDICT.label, NOTE.label):
        statements.append(
            f"CREATE CONSTRAINT {_name(label, 'id')} IF NOT EXISTS "
            f"FOR (n:{_quoted(label)}) REQUIRE n.id IS UNIQUE"
        )
    for node in nodes:
        statements += [
            f"CREATE INDEX {_name(node.label, each.name)} IF NOT EXISTS "
            f"FOR (n:{_quoted(node.label)}) ON (n.{_quoted(each.name)})"
            for each in node.properties
            if each.indexed
        ]
    statements += [
        f"CREATE INDEX {_name(NETWORK.label, each.name)} IF NOT EXISTS "
        f"FOR (n:{NETWORK.label}) ON (n.{_quoted(each.name)})"
        for each in WORK
        if each.indexed
    ]
    return statements


def name_statements() -> list[tuple[str, list[str]]]:
    """Statements that make the schema's names known, each with the `names` that it takes.

    The server warns of a query that names what nothing has had yet, e.g. a verdict's reviewer.
    """
    nodes, relationships = (*NODES, *INVESTIGATORS), (*RELATIONSHIPS, ON)
    kinds: tuple[NodeKind | RelationshipKind, ...] = (*nodes, *relationships)
    declared = [*WORK, *(each for kind in kinds for each in kind.properties)]
    names = {
        "db.createLabel": {DRAFT, LOAD, *(kind.label for kind in nodes)},
        "db.createRelationshipType": {kind.type for kind in relationships},
        "db.createProperty": {"id", LOADED, GONE, COMPLETE, *(each.name for each in declared)},
    }
    return [
        (f"UNWIND $names AS name CALL {procedure}(name) RETURN count(*) AS known", sorted(each))
        for procedure, each in names.items()
    ]


def merge_nodes(kind: NodeKind) -> str:
    """Create or update nodes."""
    return (
        f"UNWIND $rows AS row MERGE (n:{_quoted(load_label(kind.label))} {{id: row[0]}}) "
        f"SET n += {_map(kind.properties, 1)} RETURN count(n) AS written"
    )


def create_nodes(kind: NodeKind) -> str:
    """Create nodes that are known to be absent."""
    return (
        f"UNWIND $rows AS row CREATE (n:{_quoted(load_label(kind.label))} {{id: row[0]}}) "
        f"SET n += {_map(kind.properties, 1)} RETURN count(n) AS written"
    )


def merge_relationships(kind: RelationshipKind) -> str:
    """Create or update relationships between nodes that exist."""
    return (
        f"{_ends(kind)} MERGE (a)-[r:{_quoted(kind.type)}]->(b) "
        f"SET r = {_map(kind.properties, 2, gone=False)} RETURN count(r) AS written"
    )


def create_relationships(kind: RelationshipKind) -> str:
    """Create relationships that are known to be absent."""
    return (
        f"{_ends(kind)} CREATE (a)-[r:{_quoted(kind.type)}]->(b) "
        f"SET r = {_map(kind.properties, 2, gone=False)} RETURN count(r) AS written"
    )


def delete_stale_relationships(kind: RelationshipKind) -> str:
    """Delete a batch of relationships that the load has not written."""
    return (
        f"MATCH (:{_quoted(load_label(kind.start))})-[r:{_quoted(kind.type)}]->"
        f"(:{_quoted(load_label(kind.end))}) WHERE r.{LOADED} <> $key "
        f"WITH r LIMIT {CLEAN_UP_BATCH} DELETE r RETURN count(*) AS written"
    )


def mark_gone(kind: NodeKind) -> str:
    """Mark a batch of nodes that the load has not written, and that people or networks refer to.

    What was known of them by the day's tables alone goes, since no load keeps it true.
    """
    stale = " OR ".join(f"n.{_quoted(name)} IS NOT NULL" for name in kind.lost)
    lost = "".join(f", n.{_quoted(name)} = null" for name in kind.lost)
    return (
        f"MATCH (n:{_quoted(load_label(kind.label))}) WHERE n.{LOADED} <> $key "
        f"AND (n.{GONE} IS NULL{f' OR {stale}' if stale else ''}) AND {_REFERRED_TO} "
        f"WITH n LIMIT {CLEAN_UP_BATCH} SET n.{GONE} = true{lost} RETURN count(*) AS written"
    )


def delete_stale_nodes(kind: NodeKind) -> str:
    """Delete a batch of nodes that the load has not written, and that nobody refers to."""
    return (
        f"MATCH (n:{_quoted(load_label(kind.label))}) WHERE n.{LOADED} <> $key "
        f"AND NOT {_REFERRED_TO} "
        f"WITH n LIMIT {CLEAN_UP_BATCH} DETACH DELETE n RETURN count(*) AS written"
    )


def count_nodes(kind: NodeKind, during_load: bool = False) -> str:
    """Count a kind's nodes, gone ones included; answered from the server's own counts."""
    label = load_label(kind.label) if during_load else kind.label
    return f"MATCH (n:{_quoted(label)}) RETURN count(n) AS found"


def count_relationships(kind: RelationshipKind, during_load: bool = False) -> str:
    """Count a kind's relationships, as quickly; no two kinds have both start and type in common."""
    label = load_label(kind.start) if during_load else kind.start
    return f"MATCH (:{_quoted(label)})-[r:{_quoted(kind.type)}]->() RETURN count(r) AS found"


_REFERRED_TO = (
    "(EXISTS { (n)<-[:ON|SUCCEEDS]-() } "
    "OR (n.owner IS NOT NULL AND coalesce(n.review_state, 'open') <> 'done'))"
)
"""What no load deletes: judged, grown into another, or on somebody's desk."""

BEGIN_DRAFT = f"MATCH (n:{NETWORK.label}) WHERE NOT n:{DRAFT} SET n:{DRAFT}"
END_DRAFT = f"MATCH (n:{DRAFT}) SET n:{NETWORK.label} REMOVE n:{DRAFT}"


def _ends(kind: RelationshipKind) -> str:
    return (
        "UNWIND $rows AS row "
        f"MATCH (a:{_quoted(load_label(kind.start))} {{id: row[0]}}) "
        f"MATCH (b:{_quoted(load_label(kind.end))} {{id: row[1]}})"
    )


def _map(properties: Sequence[Property], first: int, gone: bool = True) -> str:
    entries = [
        f"{_quoted(each.name)}: {_value(each.kind, f'row[{place}]')}"
        for place, each in enumerate(properties, start=first)
    ]
    entries.append(f"{LOADED}: $key")
    if gone:
        entries.append(f"{GONE}: null")
    return "{" + ", ".join(entries) + "}"


def _value(kind: Kind, place: str) -> str:
    """A value from its wire form: times are sent as microseconds, dates as days, since 1970."""
    if kind == "datetime":
        time = f"datetime({{epochSeconds: 0}}) + duration({{microseconds: {place}}})"
    elif kind == "date":
        time = f"date({{year: 1970}}) + duration({{days: {place}}})"
    else:
        return place
    return f"CASE WHEN {place} IS NOT NULL THEN {time} END"


def _name(label: str, name: str) -> str:
    return _quoted(f"actorgraph_{label}_{name}".lower())


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
