"""What another format of a batch must do, and the list of them; each is one file in exporters/."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from exporters.enforcement.rows import Decided, RowMaker


@dataclass(frozen=True)
class Carried:
    """An account that is carried: its decision, and the rows that the batch has of it."""

    decided: Decided
    account: Mapping[str, Any]
    evidence: Sequence[Mapping[str, Any]]


class FormatWriter(Protocol):
    """Writes one format, account by account; all accounts of a network come one after the other."""

    def add(self, carried: Carried) -> None:
        """Take an account."""

    def keep(self, decided: Decided) -> None:
        """Take an account that stands; of its network others are taken back, and came before."""

    def end_network(self, network: Mapping[str, Any]) -> None:
        """Take the network whose accounts were taken since the last one."""

    def close(self) -> list[dict[str, Any]]:
        """Finish the files; returns what the manifest says of each."""


@dataclass(frozen=True)
class Format:
    """A format by its name, and the function of a module that begins it."""

    name: str
    module: str
    meaning: str
    function: str = "open_format"

    def open(self, folder: Path, maker: RowMaker) -> FormatWriter:
        """Begin the format's files in a batch's folder."""
        begin: Callable[[Path, RowMaker], FormatWriter] = getattr(
            import_module(self.module), self.function
        )
        return begin(folder, maker)


FORMATS = (
    Format("stix", "exporters.stix", "STIX 2.1 bundle for threat-intelligence platforms"),
    Format(
        "stix-internal",
        "exporters.stix",
        "the same with plain addresses, for use inside the platform only",
        "open_internal",
    ),
    Format("dsa", "exporters.dsa_statements", "EU statements of reasons, 100 a file"),
    Format("signals", "exporters.signals", "content hashes in ThreatExchange style"),
    Format("ids", "exporters.id_lists", "account ids by action, 1,000 a file"),
    Format("disclosure", "exporters.disclosure", "a table of networks, as platforms publish it"),
)


def formats(names: Sequence[str]) -> list[Format]:
    """The formats of these names, in the order of the list."""
    return [each for each in FORMATS if each.name in names]
