"""The condition of a signature: a text becomes a small tree over the names of its selections.

    all of selection_* and not 1 of filter_*
    (selection_devices or 2 of selection_timing_*) and not filter_household

`not` binds more strongly than `and`, `and` more strongly than `or`. `all of` and `N of` (at least
N) take a name, or the beginning of names and a star. Nothing is ever executed: a text that is
accepted is one of these four nodes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graph.suggestions import nearest

MAX_LENGTH = 1_000
MAX_DEPTH = 16
WORDS = ("and", "or", "not", "of", "all")
TOKEN = re.compile(r"\s*(?:([a-z][a-z0-9_]*\*?|[0-9]{1,4}|[()])|(\S))", re.ASCII)


class ConditionError(ValueError):
    """A text that is no condition over the given names; says where, and what to write."""


@dataclass(frozen=True)
class Name:
    """True when the selection or filter of that name holds."""

    name: str


@dataclass(frozen=True)
class Not:
    """True when its part is not."""

    part: Node


@dataclass(frozen=True)
class All:
    """True when all of its parts are."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class AtLeast:
    """True when `count` of its parts are, or more; `or` is at least one."""

    count: int
    parts: tuple[Node, ...]


Node = Name | Not | All | AtLeast


def combine(node: Node, truths: Mapping[str, bool]) -> bool:
    """The truth of a condition, given the truth of each name in it."""
    match node:
        case Name(name):
            return truths[name]
        case Not(part):
            return not combine(part, truths)
        case All(parts):
            return all(combine(part, truths) for part in parts)
        case AtLeast(count, parts):
            return sum(combine(part, truths) for part in parts) >= count


def names_in(node: Node) -> Iterator[str]:
    """The names that a condition rests on, in the order of the text, each time they stand there."""
    match node:
        case Name(name):
            yield name
        case Not(part):
            yield from names_in(part)
        case All(parts) | AtLeast(_, parts):
            for part in parts:
                yield from names_in(part)


def parse(text: str, names: Sequence[str]) -> Node:
    """Parse a condition over the given names; raises ConditionError for any other text."""
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"longer than {MAX_LENGTH} characters: split the signature")
    parser = _Parser(_tokens(text), names)
    node = parser.any_of(0)
    if parser.token:
        raise ConditionError(f"{parser.place}: expected `and`, `or` or the end")
    return node


def _tokens(text: str) -> list[str]:
    tokens = []
    for match in TOKEN.finditer(text):
        if match[2]:
            raise ConditionError(
                f"{match[2]!r} at character {match.start(2) + 1}: a condition has only names, "
                "and, or, not, `all of`, `1 of`, and parentheses"
            )
        tokens.append(match[1])
    return tokens


class _Parser:
    """Descends the tokens once, from the left; `names` are those that a condition may use."""

    def __init__(self, tokens: Sequence[str], names: Sequence[str]) -> None:
        self.tokens = tokens
        self.names = names
        self.position = 0

    @property
    def token(self) -> str:
        """The token to be read next; empty at the end."""
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    @property
    def place(self) -> str:
        """Where the parser stands, for a message."""
        if not self.token:
            return "at the end"
        return f"at word {self.position + 1}, {self.token!r}"

    def take(self, *expected: str) -> bool:
        """Step over the next token if it is one of those expected."""
        found = self.token in expected
        self.position += found
        return found

    def any_of(self, depth: int) -> Node:
        parts = [self.all_of(depth)]
        while self.take("or"):
            parts.append(self.all_of(depth))
        return parts[0] if len(parts) == 1 else AtLeast(1, tuple(parts))

    def all_of(self, depth: int) -> Node:
        parts = [self.term(depth)]
        while self.take("and"):
            parts.append(self.term(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def term(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ConditionError(f"{self.place}: nested deeper than {MAX_DEPTH} levels")
        if self.take("not"):
            return Not(self.term(depth + 1))
        if self.take("("):
            inner = self.any_of(depth + 1)
            if not self.take(")"):
                raise ConditionError(f"{self.place}: expected `)`")
            return inner
        if self.token == "all" or self.token.isdigit():
            return self.quantified()
        return self.named()

    def quantified(self) -> Node:
        count = self.token
        self.position += 1
        if not self.take("of"):
            raise ConditionError(f"{self.place}: expected `of` after {count!r}")
        chosen = tuple(Name(name) for name in self.matching())
        if count == "all":
            return All(chosen)
        if not 1 <= int(count) <= len(chosen):
            raise ConditionError(
                f"`{count} of` {len(chosen)} names: write a number from 1 to {len(chosen)}"
            )
        return AtLeast(int(count), chosen)

    def matching(self) -> list[str]:
        """The names that a pattern stands for."""
        pattern = self.token
        if not pattern.endswith("*"):
            return [self.named().name]
        chosen = [name for name in self.names if name.startswith(pattern[:-1])]
        if not chosen:
            raise ConditionError(f"{self.place}: no selection or filter begins like that")
        self.position += 1
        return chosen

    def named(self) -> Name:
        name = self.token
        if not name or name in WORDS or name == ")" or name.isdigit():
            raise ConditionError(f"{self.place}: expected the name of a selection or filter")
        if name.endswith("*"):
            raise ConditionError(f"{self.place}: write `1 of {name}` or `all of {name}`")
        if name not in self.names:
            hint = nearest(name, self.names) or f"; there are {', '.join(self.names)}"
            raise ConditionError(f"{self.place}: no selection or filter has this name{hint}")
        self.position += 1
        return Name(name)
