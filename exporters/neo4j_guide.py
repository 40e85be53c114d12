"""What investigators get beside the database: Browser's style, saved queries, and a guide.

All of it is derived from the schema and conf/neo4j, and written to a folder that the local server
serves on loopback. Values that come from the database are escaped for where they stand.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from exporters.neo4j import Database
from exporters.neo4j_queries import CATEGORIES, Parameter, Query, read_parameters, read_queries
from graph.database_schema import (
    INVESTIGATORS,
    NODES,
    ON,
    RELATIONSHIPS,
    NodeKind,
    RelationshipKind,
)

Values = Mapping[str, Any]

FORMS = {"table": "As a table", "graph": "As a picture"}
STYLE, GUIDE, FAVOURITES = "style.grass", "guide.html", "favourites"


def style() -> str:
    """Browser's style sheet (GraSS): captions, colours and sizes by kind."""
    rules = [
        "node {\n  diameter: 50px;\n  color: #A5ABB6;\n  border-color: #9AA1AC;\n"
        "  border-width: 2px;\n  text-color-internal: #FFFFFF;\n  font-size: 10px;\n}\n",
        "relationship {\n  color: #A5ABB6;\n  shaft-width: 1px;\n  font-size: 8px;\n"
        "  padding: 3px;\n  text-color-external: #000000;\n  text-color-internal: #FFFFFF;\n"
        '  caption: "<type>";\n}\n',
        *(_node_rule(kind) for kind in (*NODES, *INVESTIGATORS)),
        *{kind.type: _relationship_rule(kind) for kind in (*RELATIONSHIPS, ON)}.values(),
    ]
    return "".join(rules)


def _node_rule(kind: NodeKind) -> str:
    return (
        f"node.{kind.label} {{\n  color: {kind.color};\n  border-color: {kind.color};\n"
        f"  text-color-internal: #FFFFFF;\n  diameter: {kind.diameter}px;\n"
        f'  caption: "{{{kind.caption}}}";\n}}\n'
    )


def _relationship_rule(kind: RelationshipKind) -> str:
    is_property = kind.caption not in ("", "<type>")
    caption = f"{{{kind.caption}}}" if is_property else kind.caption
    return (
        f"relationship.{kind.type} {{\n  color: {kind.color};\n  shaft-width: {kind.width}px;\n"
        f'  caption: "{caption}";\n}}\n'
    )


def favourite(query: Query, form: str, parameters: Mapping[str, Parameter], values: Values) -> str:
    """A saved script: its first comment is its name, then what it says and needs."""
    suffix = "" if form == "table" else " (picture)"
    lines = [f"// {query.title}{suffix}", f"// {query.explanation}"]
    lines += [
        f"// :param {name} => {literal(_value(name, parameters, values))}   // {meaning}"
        for name in query.parameters
        for meaning in [parameters[name].meaning]
    ]
    return "\n".join([*lines, query.forms()[form]]) + "\n"


def literal(value: Any) -> str:
    """A value as :param takes it: a literal of JavaScript and of Cypher alike."""
    return json.dumps(value, ensure_ascii=True)


def _value(name: str, parameters: Mapping[str, Parameter], values: Values) -> Any:
    return values.get(name, parameters[name].example)


def guide(
    queries: Sequence[Query], parameters: Mapping[str, Parameter], values: Values, url: str
) -> str:
    """The guide that Browser plays: a slide a category, each query with its parameters."""
    slides = [_first_slide(url)]
    for category in CATEGORIES:
        chosen = [query for query in queries if query.category == category]
        body = "".join(_section(query, parameters, values) for query in chosen)
        slides.append(
            _slide(category.capitalize(), "Click a box, then run what stands in the editor.", body)
        )
    deck = f'<carousel class="deck container-fluid">{"".join(slides)}</carousel>'
    return f'<article class="guide">{deck}</article>\n'


def _first_slide(url: str) -> str:
    body = (
        "<p>Networks are groups of accounts that acted together. That is not yet abuse: families, "
        "offices and fan clubs are coordinated too. Read both sides of the evidence, then give a "
        "verdict with a reason. All times are UTC.</p>"
        "<h4>First, load the colours and captions</h4>"
        f"{_runnable(f':style {url}/{STYLE}')}"
        f"<p>The saved queries are also at <code>{escape(url)}/{FAVOURITES}.zip</code>: unpack it, "
        "and drop the files on Browser's favourites.</p>"
        "<h4>Colours</h4><p>"
        + " ".join(
            f'<span style="background:{kind.color};color:#fff;padding:2px 8px;border-radius:8px">'
            f"{escape(kind.label)}</span>"
            for kind in (*NODES, *INVESTIGATORS)
        )
        + "</p>"
    )
    return _slide("actorgraph", "Investigating networks", body)


def _slide(title: str, lead: str, body: str) -> str:
    return (
        '<slide class="row-fluid"><div class="col-sm-3">'
        f'<h3>{escape(title)}</h3><p class="lead">{escape(lead)}</p></div>'
        f'<div class="col-sm-9">{body}</div></slide>'
    )


def _section(query: Query, parameters: Mapping[str, Parameter], values: Values) -> str:
    given = {name: _value(name, parameters, values) for name in query.parameters}
    entries = ", ".join(f"{name}: {literal(value)}" for name, value in given.items())
    meanings = "".join(
        f"<li><code>{escape(name)}</code>: {escape(parameters[name].meaning)}</li>"
        for name in query.parameters
    )
    needed = _named("First its parameters", f":params {{{entries}}}") if given else ""
    needed += f"<ul>{meanings}</ul>" if given else ""
    forms = "".join(_named(FORMS[form], text) for form, text in query.forms().items())
    return f"<h4>{escape(query.title)}</h4><p>{escape(query.explanation)}</p>{needed}{forms}"


def _named(name: str, text: str) -> str:
    return f"<p><strong>{escape(name)}</strong></p>{_runnable(text)}"


def _runnable(text: str) -> str:
    return f'<figure><pre class="pre-scrollable code runnable">{escape(text)}</pre></figure>'


def sample_values(database: Database, parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """Values that exist in the database, by parameter; those without one are left out."""
    values = {}
    for name, parameter in parameters.items():
        found = database.read(parameter.sample) if parameter.sample else []
        if found and _is_plain(found[0]["value"]):
            values[name] = found[0]["value"]
    return values


def _is_plain(value: Any) -> bool:
    """Whether a value may stand in a text that people run; ids can hold anything."""
    texts = value if isinstance(value, list) else [value]
    return all(isinstance(text, str) and re.fullmatch(r"[\w.:@/+-]{1,200}", text) for text in texts)


def write_guide(
    folder: Path, url: str, values: Values, signatures: Sequence[str | Path] = ()
) -> None:
    """Write style, guide and saved queries to the folder that the local server serves.

    `signatures` are the site's files and folders of them: their policies are those to choose from.
    """
    queries, parameters = read_queries(), read_parameters(signatures)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / STYLE).write_text(style(), encoding="utf-8")
    (folder / GUIDE).write_text(guide(queries, parameters, values, url), encoding="utf-8")
    scripts = folder / FAVOURITES
    scripts.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{FAVOURITES}.zip", "w") as archive:
        for query in queries:
            for form in query.forms():
                name = query.id if form == "table" else f"{query.id}_picture"
                text = favourite(query, form, parameters, values)
                (scripts / f"{name}.cypher").write_text(text, encoding="utf-8")
                archive.writestr(f"{query.category}/{name}.cypher", text)
