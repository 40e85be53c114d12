"""YAML that cannot surprise: no duplicate keys, no aliases, no objects; every key has its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from graph.errors import ConfigError

try:
    from yaml import CSafeLoader as _Parser
except ImportError:  # PyYAML was built where there was no libyaml
    from yaml import SafeLoader as _Parser  # type: ignore[assignment]

MAX_BYTES = 1 << 20
MAX_DEPTH = 32

KeyPath = tuple[str, ...]

BOOL = "tag:yaml.org,2002:bool"


class _Loader(_Parser):
    """With the booleans of YAML 1.2: a column may be called `on`, and a market `no`.

    Its parser is written in C: the one in Python took a command on a small site a third of its
    time, for settings and signatures.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [resolver for resolver in resolvers if resolver[0] != BOOL]
        for first, resolvers in _Parser.yaml_implicit_resolvers.items()
    }


_BOOLEANS = re.compile("^(true|True|TRUE|false|False|FALSE)$")
_Loader.add_implicit_resolver(BOOL, _BOOLEANS, list("tTfF"))


class _TellingLoader(yaml.SafeLoader):
    """The same in Python: slow, but it says better what is wrong, and where."""

    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


@dataclass(frozen=True)
class Document:
    """A YAML mapping, and the line of each of its keys and list entries (by their number)."""

    data: dict[str, Any]
    lines: dict[KeyPath, int] = field(default_factory=dict)


def read_mapping(text: str, name: str) -> Document:
    """Read a YAML mapping; an empty text is an empty one.

    Raises ConfigError, naming `name` and the line, for anything that is not plain data.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{name} is larger than {MAX_BYTES >> 20} MiB: that is no configuration")
    lines: dict[KeyPath, int] = {}
    node = _compose(text, name)
    if node is None:
        return Document({})
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{name}, line {_line(node)}: expected settings as `key: value` lines")
    for path, key in _keys(node, (), name):
        if path in lines:
            raise ConfigError(
                f"{name}, line {_line(key)}: {'.'.join(path)} was already given in line "
                f"{lines[path]}; keep one of them"
            )
        lines[path] = _line(key)
    return Document(_construct(node, name), lines)


def read_value(text: str, name: str) -> Any:
    """Read the value of one setting, e.g. `none`, `3` or `{quantile: 0.5}`."""
    return read_mapping(f"value: {text}", name).data["value"]


def _compose(text: str, name: str) -> yaml.Node | None:
    try:
        _refuse_bombs(text, name, _Loader)
        return yaml.compose(text, _Loader)
    except yaml.YAMLError:
        return _compose_or_tell(text, name)


def _compose_or_tell(text: str, name: str) -> yaml.Node | None:
    try:
        _refuse_bombs(text, name, _TellingLoader)
        return yaml.compose(text, _TellingLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{name}{line}: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{name} cannot be read as YAML: {error}") from None


def _refuse_bombs(text: str, name: str, loader: type[_Loader | _TellingLoader]) -> None:
    """Refuse aliases, a few of which can stand for gigabytes, tags, and bottomless nesting."""
    depth = 0
    for event in yaml.parse(text, loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise ConfigError(
                f"{name}, line {line}: write the value out instead of *{event.anchor}"
            )
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
            raise ConfigError(f"{name}, line {line}: write the value without the tag {event.tag}")
        if depth > MAX_DEPTH:
            raise ConfigError(f"{name}, line {line}: nested deeper than {MAX_DEPTH} levels")


def _construct(node: yaml.MappingNode, name: str) -> dict[str, Any]:
    try:
        data: dict[str, Any] = _Loader("").construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{name}{line}: {error.problem}") from None
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from None
    return data


def _keys(node: yaml.Node, above: KeyPath, name: str) -> Iterator[tuple[KeyPath, yaml.Node]]:
    """All keys of nested mappings and all entries of lists, depth first."""
    if isinstance(node, yaml.SequenceNode):
        for number, entry in enumerate(node.value):
            yield (*above, str(number)), entry
            yield from _keys(entry, (*above, str(number)), name)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                raise ConfigError(f"{name}, line {_line(key)}: write the key {key.value!r} quoted")
            path = (*above, key.value)
            yield path, key
            yield from _keys(value, path, name)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
