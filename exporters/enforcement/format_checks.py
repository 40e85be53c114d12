"""Whether the files of a batch's other formats are as their JSON Schemas say.

Asked before a batch is published; who imports them has the checksums. Accounts, networks and
evidence have checks of their own (row_checks.py), STIX has its standard's schemas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from exporters.dsa_statements import Corrections, Statements
from exporters.enforcement.manifest import Strict
from exporters.id_lists import IdList
from exporters.signals import Signal


@dataclass(frozen=True)
class FormatFile:
    """Files of a format: the name of their schema, which names are theirs, and their model."""

    schema: str
    pattern: str
    model: type[Strict]
    is_lines: bool = False

    def problems(self, path: Path) -> Iterator[str]:
        """Say what is wrong with a file, of each line or the whole."""
        with path.open("rb") as file:
            parts = enumerate(file, start=1) if self.is_lines else [(0, file.read())]
            for number, part in parts:
                try:
                    self.model.model_validate_json(part)
                except ValidationError as error:
                    first = error.errors()[0]
                    place = ".".join(map(str, first["loc"])) or "the whole"
                    line = f", line {number}" if number else ""
                    yield f"{path.name}{line}: {place}: {first['msg']}"


FORMAT_FILES = (
    FormatFile("ids", "ids-*.json", IdList),
    FormatFile("dsa_statements", "dsa_statements-*.json", Statements),
    FormatFile("dsa_corrections", "dsa_corrections-*.json", Corrections),
    FormatFile("signals", "signals*.jsonl", Signal, is_lines=True),
)


def check_formats(folder: Path) -> Iterator[str]:
    """Say what is wrong with the other formats of a batch, a line each."""
    for each in FORMAT_FILES:
        for path in sorted(folder.glob(each.pattern)):
            yield from each.problems(path)
