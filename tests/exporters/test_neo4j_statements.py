"""The Cypher that follows from the schema; tests/integration/database runs it."""

from __future__ import annotations

from exporters.neo4j_statements import merge_nodes, merge_relationships, schema_statements
from graph.database_schema import ENTITY_NODES, NODES, RELATIONSHIPS, NodeKind, Property


def test_every_label_has_a_unique_id_and_what_is_searched_by_an_index() -> None:
    statements = schema_statements(NODES)
    for kind in NODES:
        assert any(f"FOR (n:`{kind.label}`) REQUIRE n.id IS UNIQUE" in each for each in statements)
    assert any("ON (n.`priority`)" in each for each in statements)
    assert all("IF NOT EXISTS" in each for each in statements)


def test_names_are_quoted_so_that_none_can_end_a_statement() -> None:
    odd = NodeKind("A`) DETACH DELETE n //", "", (Property("p`x", "string", ""),), "id", "#000000")
    statement = merge_nodes(odd)
    assert "(n:`A``) DETACH DELETE n //` {id: row[0]})" in statement
    assert "`p``x`: row[1]" in statement


def test_no_two_kinds_share_start_and_type() -> None:
    """Relationships are counted by these two, which the server does without reading any."""
    pairs = [(kind.start, kind.type) for kind in RELATIONSHIPS]
    assert len(set(pairs)) == len(pairs)


def test_values_are_parameters_only() -> None:
    for kind in RELATIONSHIPS:
        assert merge_relationships(kind).startswith("UNWIND $rows AS row MATCH")
    assert len(ENTITY_NODES) == len({kind.color for kind in ENTITY_NODES.values()})
