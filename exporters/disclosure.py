"""A table of networks in the form in which platforms publish what they took action on.

No account is named. The table tells what its batch orders, or takes back; what was carried out,
receipts tell. Victims are counted apart: nobody took anything from them. Followers are counted
where the accounts' table tells them; somebody who follows two accounts counts twice, as in
platforms' own reports.
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
from exporters.enforcement.rows import Decided, RowMaker

COLUMNS = (
    "network",
    "batch",
    "stage",
    "operation",
    "actions",
    "accounts",
    "victims",
    "network_accounts",
    "origin",
    "followers",
    "what_it_did",
    "first_activity",
    "last_activity",
)


def origin(markets: Mapping[str | None, int]) -> str | None:
    """The market of more than half of accounts that are counted by market; None: there is none."""
    total = sum(markets.values())
    return next((name for name, accounts in markets.items() if 2 * accounts > total), None)


class Disclosure:
    """Writes `disclosure.csv`, a line a network.

    `actions` has each action with its number of accounts; `accounts` and `victims` are those of the
    batch, or of this stage of it, and `network_accounts` all that the network had. Followers are of
    `accounts`. Origin is a market only where more than half of the accounts of the whole batch are
    there, so that no stage tells where somebody is whom the batch does not.
    """

    def __init__(self, folder: Path, maker: RowMaker) -> None:
        self._maker = maker
        self._file = HashedFile(folder, "disclosure.csv")
        self._table = csv.writer(self._file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        self._table.writerow(COLUMNS)
        self._begin()

    def _begin(self) -> None:
        self._actions: Counter[str] = Counter()
        self._markets: Counter[str | None] = Counter()
        self._followers: list[int] = []

    def add(self, carried: Carried) -> None:
        """Count an account in."""
        self._actions[carried.account["action"]] += 1
        if carried.account["subject_role"] != "actor":
            return
        self._markets[carried.account["market"]] += 1
        if carried.decided.followers is not None:
            self._followers.append(carried.decided.followers)

    def keep(self, decided: Decided) -> None:
        """A line tells only what is ordered."""

    def end_network(self, network: Mapping[str, Any]) -> None:
        """Write the network's line."""
        accounts = self._markets.total()
        line = (
            network["network_id"],
            network["batch_id"],
            self._maker.stage,
            self._maker.operation,
            "; ".join(f"{action}: {self._actions[action]}" for action in sorted(self._actions)),
            accounts,
            network["accounts"] - accounts,
            network["members"],
            self._origin(network["network_id"]),
            sum(self._followers) if self._followers else None,
            network["reason_text"],
            (network["first_at"] or "")[:10] or None,
            (network["last_at"] or "")[:10] or None,
        )
        self._table.writerow([cell(value) for value in line])
        self._file.rows += 1
        self._begin()

    def _origin(self, network_id: str) -> str | None:
        if self._maker.stage is not None:
            return self._maker.origins.get(network_id)
        return origin(self._markets)

    def close(self) -> list[dict[str, Any]]:
        """Finish the file."""
        self._file.close()
        return [self._file.entry()]


def open_format(folder: Path, maker: RowMaker) -> Disclosure:
    """Begin the table of a batch."""
    return Disclosure(folder, maker)
