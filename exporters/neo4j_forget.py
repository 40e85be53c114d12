"""Forgetting an account in Neo4j: its node goes, and what people wrote names a keyed hash instead.

Verdicts are never deleted. One that stands on the account stands on a bare node of the hash from
then on. Remarks in free text are found and reported, not changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from exporters.neo4j import Database
from exporters.neo4j_load import indexed_id
from graph.database_schema import (
    ACCOUNT,
    ENTITY_NODES,
    ENTITY_RELATIONSHIPS,
    GONE,
    JUDGEMENT,
    LINKED_TO,
    LOADED,
    MEMBER_OF,
    NOTE,
    VERDICT,
)

TARGET_TYPE = "target"
TARGET = ENTITY_NODES[TARGET_TYPE]
"""Accounts that are followed or reported are nodes of this kind, too."""

_VERDICTS = f"""
MATCH (v:{VERDICT.label}) WHERE v.subject_id = $id OR $id IN v.members
SET v.subject_id = CASE v.subject_id WHEN $id THEN $name ELSE v.subject_id END,
    v.members = [each IN v.members | CASE each WHEN $id THEN $name ELSE each END]
RETURN count(v) AS found
"""

_JUDGEMENTS = f"""
MATCH (j:{JUDGEMENT.label} {{subject_type: 'account', subject_id: $account}})
SET j.subject_id = $name RETURN count(j) AS found
"""

_EVIDENCE = f"""
MATCH (:{TARGET.label} {{id: $id}})<-[:{ENTITY_RELATIONSHIPS[TARGET_TYPE].type}]-(a)
MATCH (a)-[r:{LINKED_TO.type}]-() WHERE any(each IN r.evidence WHERE each CONTAINS $told)
WITH DISTINCT r SET r.evidence = [each IN r.evidence | replace(each, $told, $instead)]
RETURN count(r) AS found
"""

_NETWORKS = f"""
MATCH (:{ACCOUNT.label} {{id: $id}})-[:{MEMBER_OF.type}]->(n)
SET n.forgotten_accounts = coalesce(n.forgotten_accounts, 0) + 1
"""

_REMARKS = f"""
MATCH (n:{VERDICT.label}|{NOTE.label})
WHERE n.reason CONTAINS $account OR n.text CONTAINS $account
RETURN n.id AS id ORDER BY id
"""


@dataclass(frozen=True)
class ForgottenThere:
    """Nodes deleted, verdicts and links changed, and remarks that a person must look at."""

    nodes: int
    verdicts: int
    links: int
    remarks: list[str]


def forget_in_database(database: Database, account: str, name: str) -> ForgottenThere:
    """Delete an account's nodes and put `name` in its place where people judged it.

    Its network counts it as forgotten, as the next load does.
    """
    ids = {"id": indexed_id(account), "name": name}
    told, instead = (f" {TARGET_TYPE} {each}: " for each in (account, name))
    links = database.write(_EVIDENCE, id=ids["id"], told=told, instead=instead)[0]["found"]
    verdicts = database.write(_VERDICTS, **ids)[0]["found"]
    database.write(_JUDGEMENTS, account=account, name=name)
    database.write(_NETWORKS, id=ids["id"])
    nodes = 0
    for label in (ACCOUNT.label, TARGET.label):
        database.write(_judged(label), **ids)
        nodes += database.write(_delete(label), id=ids["id"])[0]["found"]
    remarks = [each["id"] for each in database.read(_REMARKS, account=account)]
    return ForgottenThere(nodes, verdicts, links, [str(each) for each in remarks])


def _judged(label: str) -> str:
    """Move what people wrote about a node to the node that takes its place.

    No load has written that one, so it has no load's key: the next load counts by these.
    """
    return (
        f"MATCH (a:{label} {{id: $id}})<-[:ON]-(work) "
        f"MERGE (b:{label} {{id: $name}}) ON CREATE SET b.{LOADED} = 0, b.{GONE} = true "
        "MERGE (work)-[:ON]->(b)"
    )


def _delete(label: str) -> str:
    return f"MATCH (a:{label} {{id: $id}}) DETACH DELETE a RETURN count(*) AS found"
