"""Every saved query on a real server: anchored on an index, bounded, quick, and with an answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import neo4j
import pytest

from exporters.neo4j import Address, Database, read_password
from exporters.neo4j_guide import sample_values
from exporters.neo4j_load import define_schema
from exporters.neo4j_queries import Query, read_parameters, read_queries
from jobs import load_neo4j
from jobs.database.server import USER
from tests.integration.database.conftest import StartOwn
from tests.integration.sites import Site

PARAMETERS = read_parameters()
BY_A_PERSON = {"reason": "the same text, seconds apart", "reviewer": "reviewer-1", "text": "look"}
FORMS = [(query, form) for query in read_queries() for form in query.forms()]
MAY_BE_EMPTY = {
    "shared_devices",
    "content_within_minutes",
    "compare_networks",
    "evidence_both_sides",
    "near_enforced",
    "suspicious_hubs",
    "pruned_hubs",
    "merged_networks",
    "my_queue",
    "take_over_network",
    "verdicts_on",
    "withdraw_verdict",
}


@pytest.fixture(scope="module")
def known(connection: Database, site: Site, arguments: list[str]) -> Database:
    """The site's day, with an action against each member of ten networks."""
    connection.write("MATCH (n) DETACH DELETE n")
    assert load_neo4j.main(arguments, site.engine) == 0
    connection.write(
        "MATCH (n:Network) WITH n ORDER BY n.id LIMIT 10 SET n.enforced_accounts = n.accounts "
        "WITH n MATCH (n)<-[:MEMBER_OF]-(a) SET a.enforced = true"
    )
    return connection


def given(database: Database, query: Query) -> dict[str, Any]:
    values = sample_values(database, PARAMETERS) | BY_A_PERSON
    return {name: values.get(name, PARAMETERS[name].example) for name in query.parameters}


def sources(plan: dict[str, Any]) -> Iterator[str]:
    """The operators that rows come from."""
    children = plan.get("children", [])
    if not children:
        yield plan["operatorType"].split("@")[0]
    for child in children:
        yield from sources(child)


def test_the_server_knows_every_name_in_the_queries_before_anybody_judged(
    own_server: StartOwn,
) -> None:
    server = own_server()
    address = Address(server.uri, USER, read_password(server.password_file))
    with Database(address) as fresh:
        define_schema(fresh)
    login = (address.user, address.password)
    with neo4j.GraphDatabase.driver(address.uri, auth=login) as driver:
        for query, form in FORMS:
            examples = {name: PARAMETERS[name].example for name in query.parameters}
            told = driver.execute_query(f"EXPLAIN {query.forms()[form]}", examples)
            said = [each for each in told.summary.gql_status_objects if each.is_notification]
            assert [each.status_description for each in said] == [], query.id


@pytest.mark.parametrize(("query", "form"), FORMS, ids=lambda each: getattr(each, "id", each))
def test_a_query_is_anchored_on_an_index_and_answers_within_a_second(
    known: Database, query: Query, form: str
) -> None:
    text, values = query.forms()[form], given(known, query)
    found = set(sources(known.plan(text, **values))) - {"Argument"}
    assert found and all("Index" in each for each in found)
    run = known.write if query.writes else known.read
    seconds = []
    for _ in range(3):  # the first one compiles it
        started = time.perf_counter()
        rows = run(text, **values)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 1
    assert len(rows) <= query.limit
    assert rows or query.id in MAY_BE_EMPTY


@pytest.fixture(scope="module")
def crowded(known: Database) -> Database:
    """With a network of 408 accounts on one device, so that each is linked with each."""
    known.write(
        "CREATE (n:Network {id: 'crowd', accounts: 408, traces: ['shared_device'], "
        "trace_pairs: [83028], trace_surprises: [2.8]}), (d:Device {id: 'd', is_hub: false}) "
        "WITH n, d UNWIND range(1, 408) AS i CREATE (n)<-[:MEMBER_OF {strength: toFloat(i), "
        "role: 'bystander', role_reasons: ['it only uses a hub'], reasons: ['no signature'], "
        "linked_members: 407}]-(a:Account {id: 'crowd-' + i})-[:USED_DEVICE]->(d)"
    )
    known.write(
        "MATCH (:Network {id: 'crowd'})<-[:MEMBER_OF]-(a) WITH collect(a) AS members "
        "UNWIND members AS a UNWIND members AS b WITH a, b WHERE a.id < b.id "
        "CREATE (a)-[:LINKED_TO {weight: 0.5, traces: ['shared_device'], surprises: [2.8], "
        "evidence: ['1. device d: shared_device']}]->(b)"
    )
    return known


OF_NETWORK = [each for each in FORMS if each[0].parameters == ["network"]]


@pytest.mark.parametrize(("query", "form"), OF_NETWORK, ids=lambda each: getattr(each, "id", each))
def test_a_network_of_hundreds_on_one_device_is_answered_within_a_second(
    crowded: Database, query: Query, form: str
) -> None:
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        crowded.read(query.forms()[form], network="crowd")
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 1
