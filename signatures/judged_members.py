"""What the tables of a day say of the members of snapshots that people judged.

Verdicts say what people think; whether an innocent explanation matches, which signatures do, and
where an account is, they do not say. That is looked up here, in the tables of the day that was
judged and in those of the day that is scored: so an explanation holds a decision of people whenever
and however often scoring runs between their verdicts and an export.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from graph.frames import DataFrame, F
from signatures.overrides import EXPLANATIONS, explained_accounts

Row = Mapping[str, Any]


def members_of_day(
    findings: DataFrame, inclusions: DataFrame, accounts: DataFrame, overridden: DataFrame
) -> DataFrame:
    """What a day's tables say of some accounts: account_id (the key); without a network, no row.

    `findings` and `inclusions` are the day's, `accounts` has account_id, `overridden` the columns
    of overrides.OVERRIDDEN. Beside the key: network_id, market, signature_ids (of all signatures of
    abuse that match the network), and the columns of explained_accounts; null is nothing.
    """
    members = inclusions.select("network_id", "account_id", "market")
    members = members.join(accounts, on="account_id", how="left_semi")
    of_abuse = findings.filter((F.col("subject_type") == "network") & ~F.col("benign"))
    named = of_abuse.groupBy("network_id").agg(
        F.sort_array(F.collect_set("signature_id")).alias("signature_ids")
    )
    explained = explained_accounts(findings, members, overridden)
    return members.join(named, on="network_id", how="left").join(
        explained, on="account_id", how="left"
    )


@dataclass(frozen=True)
class Explanation:
    """An innocent explanation that stands: its title, what it matches, and where and when."""

    title: str
    subject: str
    network_id: str
    ds: date

    @property
    def way_out(self) -> str:
        """The command that overrides it; it names no account, for a decision is kept for years."""
        whom = f"--network {self.network_id}" if self.subject == "network" else "--account ACCOUNT"
        return f"actorgraph signatures override {shlex.quote(self.title)} {whom} --ds {self.ds}"


@dataclass(frozen=True)
class KnownMember:
    """What is known of a member of a snapshot, beside what people say of it.

    signature_ids and market are of the judged day; the first names all signatures of abuse that
    match the network. overridden_signature_ids are the benign ones that were overridden, there or
    where the account is on the day that is scored.
    """

    signature_ids: Sequence[str] = ()
    market: str | None = None
    explanations: Sequence[Explanation] = ()
    overridden_signature_ids: Sequence[str] = ()
    overridden_at: datetime | None = None

    @property
    def explained_by(self) -> str:
        """The titles of what explains it, in words; empty where nothing does."""
        return ", ".join(dict.fromkeys(each.title for each in self.explanations))

    @property
    def way_out(self) -> str:
        """How what explains it is overridden."""
        return " and ".join(f"`{each.way_out}`" for each in self.explanations)


@dataclass(frozen=True)
class JudgedMembers:
    """By day and account: rows of `members_of_day`, of judged days and of the one being scored.

    A day whose tables were purged is not there, and says nothing.
    """

    day: date
    by_day: Mapping[date, Mapping[str, Row]]

    def of(self, member: Row) -> KnownMember:
        """What is known of a member; `member` has SNAPSHOTS' columns."""
        then, now = self._on(member["ds"], member), self._on(self.day, member)
        here = [row for row in (then, now) if row]
        overridden = {name for row in here for name in row["overridden_signature_ids"] or ()}
        times = [row["overridden_at"] for row in here if row["overridden_at"]]
        standing = {
            (each.title, each.subject, each.network_id): each
            for ds, row in ((member["ds"], then), (self.day, now))
            for each in _explanations(row, ds)
        }
        return KnownMember(
            signature_ids=then.get("signature_ids") or (),
            market=then.get("market"),
            explanations=[standing[key] for key in sorted(standing)],
            overridden_signature_ids=sorted(overridden),
            overridden_at=max(times, default=None),
        )

    def _on(self, ds: date, member: Row) -> Row:
        return self.by_day.get(ds, {}).get(member["account_id"], {})


def _explanations(row: Row, ds: date) -> Iterator[Explanation]:
    for subject, titles in EXPLANATIONS.items():
        for title in row.get(titles) or ():
            yield Explanation(title, subject, row["network_id"], ds)
