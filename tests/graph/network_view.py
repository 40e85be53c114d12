"""A network as a day's tables show it, in plain Python over lists of rows."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from tests.graph.feature_days import END, TRACES, Day, Row

Number = float | int | None


def share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def median(values: Iterable[Number]) -> float | None:
    """The lower median of those that are known."""
    known = sorted(value for value in values if value is not None)
    return statistics.median_low(known) if known else None


def events(rows: Iterable[Row]) -> int:
    return sum(row["events"] for row in rows)


class Network:
    """What a day's tables say of one network."""

    def __init__(self, day: Day, network_id: str) -> None:
        self.day = day
        self.row = next(row for row in day["networks"] if row["network_id"] == network_id)
        self.members = {
            row["account_id"]: row for row in day["memberships"] if row["network_id"] == network_id
        }
        self.core = {account for account, row in self.members.items() if row["is_core"]}
        self.all_edges = [row for row in day["edges"] if row["account_id"] in self.members]
        self.nodes = {(row["node_type"], row["node_id"]): row for row in day["nodes"]}
        self.accounts = {row["account_id"]: row for row in day["accounts"]}
        self.profiles = {row["account_id"]: row for row in day["account_profile"]}

    def known(self, column: str) -> dict[str, object]:
        """A column of the input accounts, of the members for which it is known."""
        values = {account: self.accounts.get(account, {}).get(column) for account in self.members}
        return {account: value for account, value in values.items() if value is not None}

    def share_of_members(self, has: Callable[[str], object]) -> float:
        return sum(bool(has(account)) for account in self.members) / len(self.members)

    # Links

    def links_of(self, account: str) -> list[tuple[str, Row]]:
        """The account_links rows of an account, with who is at the other end."""
        return [
            (b if a == account else a, row)
            for row in self.day["account_links"]
            for a, b in [(row["account_a"], row["account_b"])]
            if account in (a, b)
        ]

    def inside(self, rows: Iterable[Row]) -> list[Row]:
        """The rows on pairs of accounts of which both are members."""
        return [row for row in rows if {row["account_a"], row["account_b"]} <= set(self.members)]

    def core_links(self, account: str) -> list[Row]:
        return [row for other, row in self.links_of(account) if other in self.core]

    def core_families(self, account: str) -> set[str]:
        return {family for row in self.core_links(account) for family in row["families"]}

    def kept_links(self) -> list[Row]:
        return [row for row in self.inside(self.day["links"]) if row["kept"]]

    def evidence(self) -> list[Row]:
        """The evidence of kept links between members."""
        names = ("account_a", "account_b", "trace")
        kept = {tuple(row[name] for name in names) for row in self.kept_links()}
        rows = self.day["link_evidence"]
        return [row for row in rows if tuple(row[name] for name in names) in kept]

    # Entities

    def edges(self, entity_type: str) -> list[Row]:
        """Edges of members; not to devices that are hubs."""
        rows = [row for row in self.all_edges if row["entity_type"] == entity_type]
        return [row for row in rows if entity_type != "device" or not self.is_hub(row)]

    def is_hub(self, edge: Row) -> bool:
        return bool(self.node(edge)["is_hub"])

    def node(self, edge: Row) -> Row:
        return self.nodes[edge["entity_type"], edge["entity_id"]]

    def users(self, entity_type: str) -> dict[str, list[Row]]:
        """The edges of members by entity."""
        by_entity = defaultdict(list)
        for row in self.edges(entity_type):
            by_entity[row["entity_id"]].append(row)
        return by_entity

    def shared(self, entity_type: str) -> dict[str, list[Row]]:
        """The edges to what two members or more used and is no hub, who came first at the front."""
        return {
            entity: sorted(rows, key=lambda row: (row["first_seen_at"], row["account_id"]))
            for entity, rows in self.users(entity_type).items()
            if len(rows) >= 2 and not self.is_hub(rows[0])
        }

    def shared_edges(self, account: str, entity_type: str) -> list[tuple[Row, list[Row]]]:
        """The account's edges to shared entities, each with those of all members."""
        return [
            (row, rows)
            for rows in self.shared(entity_type).values()
            for row in rows
            if row["account_id"] == account
        ]

    # Time

    def age(self, account: str) -> timedelta | None:
        created = self.accounts.get(account, {}).get("created_at")
        if created is None or created > END:
            created = min(
                (
                    row["first_seen_at"]
                    for row in self.day["edge_activity"]
                    if row["account_id"] == account and row["event_type"] == "signup"
                ),
                default=None,
            )
        return None if created is None else END - created

    def ages(self) -> list[timedelta]:
        """The known ages, youngest first."""
        ages = [self.age(account) for account in self.members]
        return sorted(age for age in ages if age is not None)

    def moments(self, account: str) -> list[datetime]:
        rows = self.day["sightings"]
        return sorted({row["event_at"] for row in rows if row["account_id"] == account})

    def all_moments(self) -> Iterator[tuple[str, datetime]]:
        for account in self.members:
            yield from ((account, moment) for moment in self.moments(account))

    def activity(self, account: str) -> list[Row]:
        return [
            row
            for row in self.day["account_activity"]
            if row["account_id"] == account
            and row["entity_type"] == "any"
            and row["bin_width_us"] == 0
        ]

    def coordinated(self, account: str) -> int:
        """The account's distinct times and event types inside its coordinated moments."""
        spans = defaultdict(list)
        for row in self.evidence():
            of_account = account in (row["account_a"], row["account_b"])
            if of_account and TRACES[row["trace"]].window is not None:
                spans[row["trace"], row["entity_type"], row["entity_id"]].append(row)
        inside = set()
        for (trace, *entity), rows in spans.items():
            first, last = min(r["first_at"] for r in rows), max(r["last_at"] for r in rows)
            types = TRACES[trace].events
            inside |= {
                (row["event_at"], row["event_type"])
                for row in self.day["sightings"]
                if row["account_id"] == account
                and [row["entity_type"], row["entity_id"]] == entity
                and (types is None or row["event_type"] in types)
                and first <= row["event_at"] <= last
            }
        return len(inside)
