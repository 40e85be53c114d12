"""The saved queries as files: complete, and what people get made of them."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from exporters import neo4j_queries
from exporters.neo4j_guide import guide, literal, style, write_guide
from exporters.neo4j_queries import CATEGORIES, read_parameters, read_queries
from exporters.neo4j_schema_page import schema_page
from graph.database_schema import ENTITY_NODES, INVESTIGATORS, NODES, RELATIONSHIPS
from graph.entities import ENTITY_TYPES
from signatures.investigated import policy_actions
from signatures.loading import load


def test_every_category_has_questions() -> None:
    queries = read_queries()
    assert {query.category for query in queries} == set(CATEGORIES)
    assert len({query.title for query in queries}) == len(queries) >= 20


def test_every_parameter_is_used() -> None:
    used = {name for query in read_queries() for name in query.parameters}
    assert used == set(read_parameters())


def test_every_parameter_of_a_text_is_declared() -> None:
    for query in read_queries():
        for text in query.forms().values():
            assert all(f"${name}" in "".join(query.forms().values()) for name in query.parameters)
            assert "$limit" not in text


@pytest.mark.parametrize("name", ["pruned_hubs", "suspicious_hubs", "on_one_entity"])
def test_a_new_entity_type_is_in_the_questions_about_all_of_them(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet = replace(ENTITY_NODES["device"], label="Wallet")
    monkeypatch.setitem(neo4j_queries.ENTITY_NODES, "wallet", wallet)
    (query,) = [each for each in read_queries() if each.id == name]
    for text in query.forms().values():
        for kind in ENTITY_NODES.values():
            assert len(re.findall(rf"MATCH \(e:{kind.label}\b", text)) == 1
        assert text.count("UNION") == len(ENTITY_NODES) - 1


def test_no_question_lists_kinds_of_entities_by_hand() -> None:
    for query in read_queries():
        written = f"{query.table} {query.graph or ''}"
        named = [kind.label for kind in ENTITY_NODES.values() if f":{kind.label}" in written]
        assert len(named) <= 1, f"{query.id} names {named}: use $each_entity"


def test_the_style_has_a_rule_for_every_kind() -> None:
    text = style()
    for kind in (*NODES, *INVESTIGATORS):
        assert f"node.{kind.label} {{" in text
    for relationship in RELATIONSHIPS:
        assert f"relationship.{relationship.type} {{" in text
    assert all(f"node.{entity.label} {{" in text for entity in ENTITY_TYPES)


def test_a_guide_cannot_be_broken_by_what_the_database_holds() -> None:
    hostile = '</pre><script>alert("x")</script>'
    text = guide(read_queries(), read_parameters(), {"network": hostile}, "http://127.0.0.1:1")
    assert "<script>" not in text
    assert literal(hostile).startswith('"') and "\n" not in literal("a\nb")


def test_the_guide_starts_with_what_asks_for_nothing_and_says_what_a_box_is() -> None:
    text = guide(read_queries(), read_parameters(), {}, "http://127.0.0.1:1")
    titles = re.findall(r"<h4>(.*?)</h4>", text)
    questions = [title for title in titles if title.endswith("?")]
    assert questions[0] == "Which networks should be looked at first?"
    boxes = text.count("<pre") - 1  # the first slide's is for colours
    assert boxes == len(re.findall("<strong>(First its parameters|As a table|As a picture)<", text))


def test_moments_are_written_to_the_second() -> None:
    (query,) = [each for each in read_queries() if each.id == "why_linked"]
    text = query.forms()["table"]
    assert "left(replace(toString(first.first_seen_at), 'T', ' '), 19) AS a_from" in text
    assert not [each.id for each in read_queries() if "$at" in "".join(each.forms().values())]


def test_every_answer_says_of_which_day_it_is_and_whether_a_load_is_under_way() -> None:
    for query in read_queries():
        if not query.writes:
            assert "l.complete THEN ''" in query.forms()["table"], query.id


def test_nobodys_name_or_reason_is_made_up() -> None:
    parameters = read_parameters()
    text = guide(read_queries(), parameters, {}, "http://127.0.0.1:1")
    assert "reason: &quot;&quot;, reviewer: &quot;&quot;}" in text
    for name in ("reason", "reviewer", "text"):
        assert "fill it in" in parameters[name].meaning
        assert f"<code>{name}</code>: {parameters[name].meaning}" in text


def test_the_guide_names_the_policies_that_people_can_propose_under() -> None:
    text = guide(read_queries(), read_parameters(), {}, "http://127.0.0.1:1")
    assert set(policy_actions(load())) <= set(re.findall(r"\w+", text))


def test_what_only_measuring_takes_away_speaks_for_neither_side() -> None:
    (query,) = [each for each in read_queries() if each.id == "evidence_both_sides"]
    assert '"the signature is not stable yet"' in query.forms()["table"]
    assert "the account is protected" not in query.forms()["table"]


def test_the_folder_holds_guide_style_and_one_script_a_query(tmp_path: Path) -> None:
    write_guide(tmp_path, "http://127.0.0.1:1", {"network": "n-1"})
    script = (tmp_path / "favourites" / "open_network.cypher").read_text(encoding="utf-8")
    assert script.startswith("// Who is in this network, and what do they share?\n")
    assert '// :param network => "n-1"' in script
    names = zipfile.ZipFile(tmp_path / "favourites.zip").namelist()
    assert "networks/open_network_picture.cypher" in names
    assert {path.name for path in tmp_path.iterdir()} == {
        "guide.html",
        "style.grass",
        "favourites",
        "favourites.zip",
    }


def test_the_schema_page_is_that_of_the_schema() -> None:
    page = Path(__file__).parents[2] / "docs" / "neo4j_schema.md"
    assert page.read_text(encoding="utf-8") == schema_page()
