"""The page docs/neo4j_schema.md: what stands in the investigators' database.

`python -m exporters.neo4j_schema_page > docs/neo4j_schema.md` writes it anew after a change.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from graph.database_schema import (
    INVESTIGATORS,
    NODES,
    ON,
    RELATIONSHIPS,
    WORK,
    NodeKind,
    Property,
    RelationshipKind,
)


def schema_page() -> str:
    """The whole page as Markdown."""
    lines = [
        "# What stands in Neo4j",
        "",
        "Written from `graph/database_schema.py`. Each label has a unique `id`; properties in bold "
        "are indexed. `loaded` is the loader's own; `gone` marks what the last day no longer has "
        "and people or later networks still refer to.",
        "",
        "## Nodes",
        "",
        *(line for node in NODES for line in _node(node)),
        "## Written by investigators, never by a load",
        "",
        *(line for node in INVESTIGATORS for line in _node(node)),
        f"`(:Verdict|Note)-[:{ON.type}]->(:Network|Account)`. On a Network: {_names(WORK)}.",
        "",
        "## Relationships",
        "",
        *(line for relationship in RELATIONSHIPS for line in _relationship(relationship)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _node(kind: NodeKind) -> Iterator[str]:
    yield f"### `(:{kind.label})`"
    yield ""
    yield kind.meaning
    yield ""
    yield from _table(kind.properties)


def _relationship(kind: RelationshipKind) -> Iterator[str]:
    yield f"### `(:{kind.start})-[:{kind.type}]->(:{kind.end})`"
    yield ""
    yield kind.meaning
    yield ""
    yield from _table(kind.properties)


def _table(properties: Sequence[Property]) -> Iterator[str]:
    if properties:
        yield "| property | type | meaning |"
        yield "| --- | --- | --- |"
        for each in properties:
            name = f"**{each.name}**" if each.indexed else each.name
            yield f"| {name} | {each.kind} | {each.meaning} |"
        yield ""


def _names(properties: Sequence[Property]) -> str:
    return ", ".join(f"`{each.name}` ({each.meaning})" for each in properties)


if __name__ == "__main__":
    sys.stdout.write(schema_page())
