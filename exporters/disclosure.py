"""A table of networks in the form in which platforms publish what they took down.

No account is named. Followers are counted where the accounts' table tells them; somebody who
follows two accounts counts twice, as in platforms' own reports.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exporters.enforcement.csv_cells import cell
from exporters.enforcement.files import HashedFile
from exporters.enforcement.formats import Carried
from exporters.enforcement.rows import RowMaker

COLUMNS = (
    "network",
    "origin",
    "accounts",
    "followers",
    "what_it_did",
    "first_activity",
    "last_activity",
    "status",
)


class Disclosure:
    """Writes `disclosure.csv`; origin is the most frequent market, the smallest of equals."""

    def __init__(self, folder: Path, maker: RowMaker) -> None:
        self._maker = maker
        self._file = HashedFile(folder / "disclosure.csv")
        self._table = csv.writer(self._file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        self._table.writerow(COLUMNS)
        self._markets: Counter[str] = Counter()
        self._followers: list[int] = []

    def add(self, carried: Carried) -> None:
        """Count an account in."""
        self._markets[carried.account["market"] or "unknown"] += 1
        if carried.decided.followers is not None:
            self._followers.append(carried.decided.followers)

    def end_network(self, network: Mapping[str, Any]) -> None:
        """Write the network's line."""
        origin = min(self._markets, key=lambda market: (-self._markets[market], market))
        line = (
            network["network_id"],
            origin,
            network["accounts"],
            sum(self._followers) if self._followers else None,
            network["reason_text"],
            (network["first_at"] or "")[:10] or None,
            (network["last_at"] or "")[:10] or None,
            "removed" if self._maker.operation == "apply" else "restored",
        )
        self._table.writerow([cell(value) for value in line])
        self._file.rows += 1
        self._markets, self._followers = Counter(), []

    def close(self) -> list[dict[str, Any]]:
        """Finish the file."""
        self._file.close()
        return [self._file.entry()]


def open_format(folder: Path, maker: RowMaker) -> Disclosure:
    """Begin the table of a batch."""
    return Disclosure(folder, maker)
