"""Investigators' saved queries: one YAML file each in conf/neo4j/queries, checked when read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from exporters.neo4j_decisions import UNSETTLED
from exporters.neo4j_statements import COMPLETE, LOAD
from graph.conf_files import conf_file
from graph.database_schema import ENTITY_NODES, ENTITY_RELATIONSHIPS
from graph.entities import ENTITY_TYPES
from graph.errors import ConfigError
from graph.yaml_files import read_mapping
from signatures.inclusions import AWAITING, OBSTACLES
from signatures.investigated import policy_actions
from signatures.labels import VALUES
from signatures.life_cycle import WHY_NOT
from signatures.loading import load
from signatures.verdict_standing import BENIGN_HOLDS

Model = TypeVar("Model", bound="_Checked")

CATEGORIES = ("networks", "evidence", "entities", "hubs", "changes", "review", "verdicts")
"""In the order in which the guide shows them."""

EACH_ENTITY, SEEN_WITH, EVERY_USE = "$each_entity", "$seen_with", "$every_use"
"""In a query's text: a label of the schema's entities, the types of what accounts share, and these

with those that are derived from others.
"""

POLICIES = "$policies"
"""In a parameter's meaning: the ids of policies that two reviewers can propose an action under."""

DECLARED = {
    "$only_measuring": json.dumps([each.reason for each in OBSTACLES if each.name in AWAITING]),
    "$still_open": json.dumps([WHY_NOT[state] for state in UNSETTLED]),
    "$label_values": json.dumps(VALUES),
    "$verdict_holds": f"duration('P{BENIGN_HOLDS.days}D')",
    "$as_of": (
        f"COLLECT {{ MATCH (l:{LOAD} {{id: 'actorgraph'}}) RETURN l.ds + CASE WHEN l.{COMPLETE} "
        "THEN '' ELSE ': a load is under way or was cut off, so members and figures may be of two "
        "days' END }[0] AS as_of"
    ),
}
"""In a query's text: the reasons that only measuring takes away, and that so excuse nobody; those

of decisions that are not settled; what a verdict may say; how long one keeps a network from the
queue; and the column that says of which day an answer is.
"""

_ENDED = (
    r"EXISTS { (\1)-[:ON]->()<-[:ON]-(later:Verdict)"
    r" WHERE later.supersedes = \1.id AND trim(later.reason) > ''"
    r" AND toLower(trim(later.reviewer)) = toLower(trim(\1.reviewer)) }"
)
FORMULAS = {
    "at": r"left(replace(toString(\1), 'T', ' '), 19)",
    "is_me": r"toLower(trim(toStringOrNull(\1))) = toLower(trim($reviewer))",
    "ended": _ENDED,
    "chance": (
        r"CASE WHEN \1 >= 1 THEN 'by chance once in 10^' + toString(toInteger(\1)) "
        r"WHEN \1 < 1 THEN 'chance may explain it' END"
    ),
    "holds": (
        r"coalesce(\1.label IN $label_values AND NOT (\1.label = 'benign' "
        r"AND \1.reviewed_at <= datetime() - $verdict_holds), false) "
        rf"AND NOT {_ENDED} AND NOT EXISTS {{ MATCH (:Judgement {{id: \1.id, holds: false}}) }}"
    ),
}
"""In a query's text, `$name(...)`: a moment as people read it, to the second, UTC; that a name is

the reviewer's, however spelled; that a verdict was taken back or replaced; what a surprise says of
chance; and whether a verdict of this database holds.
"""


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Parameter(_Checked):
    """What a query asks for. `sample` is a query for a value that exists in a loaded database."""

    type: Literal["string", "integer", "strings"]
    meaning: str
    example: str | int | list[str]
    sample: str | None = None


class Query(_Checked):
    """A question, and how the database answers it: as a table, and where it helps as a picture."""

    id: str = Field(pattern=r"^[a-z][a-z_]*$")
    title: str
    category: Literal["networks", "evidence", "entities", "hubs", "changes", "review", "verdicts"]
    parameters: list[str]
    limit: int = Field(gt=0, le=1000)
    explanation: str
    table: str
    graph: str | None = None
    writes: bool = False

    def forms(self) -> dict[str, str]:
        """The query's texts by form, with the limit and what the schema says filled in."""
        texts = {"table": self.table, "graph": self.graph}
        return {
            form: _of_schema(text.strip()).replace("$limit", str(self.limit))
            for form, text in texts.items()
            if text
        }


def _of_schema(text: str) -> str:
    """Write a line with `$each_entity` once for each label of an entity, and `$seen_with` as types.

    So a question about all kinds of entities needs no change when a kind is added.
    """
    for name, formula in FORMULAS.items():
        text = re.sub(rf"\${name}\(([^()]+)\)", formula, text)
    for name, value in DECLARED.items():
        text = text.replace(name, value)
    lines = []
    for line in text.splitlines():
        labels = [kind.label for kind in ENTITY_NODES.values()] if EACH_ENTITY in line else [""]
        copies = [line.replace(EACH_ENTITY, label) for label in labels]
        lines.append(f"\n{_margin(line)}UNION\n".join(copies))
    every_use = "|".join(kind.type for kind in ENTITY_RELATIONSHIPS.values())
    return "\n".join(lines).replace(SEEN_WITH, "|".join(_seen_with())).replace(EVERY_USE, every_use)


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _seen_with() -> list[str]:
    """Relationships to what events name themselves; a derived entity only repeats another."""
    return [
        ENTITY_RELATIONSHIPS[entity.name].type
        for entity in ENTITY_TYPES
        if entity.derived_from is None
    ]


def read_parameters(signatures: Sequence[str | Path] = ()) -> dict[str, Parameter]:
    """All parameters by name; raises ConfigError for a wrong entry.

    Their meanings name the policies that the shipped signatures and a site's have an action for.
    """
    name = "neo4j/parameters.yml"
    policies = ", ".join(sorted(policy_actions(load(signatures))))
    text = conf_file(name).read_text(encoding="utf-8").replace(POLICIES, policies)
    document = read_mapping(text, f"conf/{name}")
    return {
        key: _checked(Parameter, value, f"conf/{name}: {key}")
        for key, value in document.data.items()
    }


def read_queries() -> list[Query]:
    """All queries by category, those of fewest parameters first.

    Raises ConfigError, naming file and mistake.
    """
    parameters = read_parameters()
    found = []
    for file in conf_file("neo4j/queries").iterdir():
        name = f"conf/neo4j/queries/{file.name}"
        query = _checked(Query, read_mapping(file.read_text(encoding="utf-8"), name).data, name)
        if file.name != f"{query.id}.yml":
            raise ConfigError(f"{name}: id {query.id} and the file's name differ")
        if unknown := [each for each in query.parameters if each not in parameters]:
            raise ConfigError(f"{name}: {unknown[0]} is not in conf/neo4j/parameters.yml")
        for form, text in query.forms().items():
            if "LIMIT" not in text:
                raise ConfigError(f"{name}: {form} has no LIMIT")
        found.append(query)
    return sorted(found, key=_place)


def _place(query: Query) -> tuple[int, int, str]:
    return CATEGORIES.index(query.category), len(query.parameters), query.title


def _checked(model: type[Model], data: object, name: str) -> Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise ConfigError(f"{name}: {place}: {problem['msg']}") from None
