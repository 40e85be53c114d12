"""Investigators' verdicts on their way back: from nodes of the database to rows of `labels`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from exporters.neo4j import Database
from exporters.neo4j_load import indexed_id
from graph.canonical import canonical_json, canonical_sha256
from graph.people import person_key
from graph.suggestions import nearest
from signatures.labels import LABELS, VALUES
from signatures.snapshots import SNAPSHOTS
from signatures.verdict_standing import BENIGN_HOLDS

WITHDRAWN = "withdrawn"

PAGE = 1_000
MOST_MEMBERS = 1_000_000

_READ = """
MATCH (v:Verdict) WHERE v.id > $after
WITH v ORDER BY v.id LIMIT $page
RETURN v.id AS id, properties(v) AS verdict, [(v)-[:ON]->(x) | x.id] AS subjects
ORDER BY id
"""


Freeze = Callable[[Mapping[date, set[str]]], pa.Table]
"""Rows of SNAPSHOTS for networks as a day's tables have them, by day; none where they have not."""


@dataclass(frozen=True)
class Pulled:
    """Rows for the ledgers `labels` and `snapshots`, and lines on single verdicts.

    refused: what is wrong with one that was left out. without_roles: that the tables of its day
    have not the network that it judges. unknown_policies: that it names a policy nobody knows.
    """

    labels: pa.Table
    snapshots: pa.Table
    refused: list[str]
    without_roles: list[str]
    unknown_policies: list[str]


def read_verdicts(database: Database) -> Iterable[Mapping[str, Any]]:
    """All verdict nodes with the ids of what they are about, in pages."""
    after = ""
    while page := database.read(_READ, after=after, page=PAGE):
        yield from page
        after = page[-1]["id"]


def pull(
    found: Iterable[Mapping[str, Any]],
    known: set[str],
    frozen: Mapping[str, set[str]],
    latest: datetime,
    freeze: Freeze = lambda networks: SNAPSHOTS.schema.empty_table(),
    policies: Collection[str] = (),
    long_ids: Mapping[str, str] = MappingProxyType({}),
) -> Pulled:
    """Turn verdicts that are not `known` (label ids) into labels.

    A verdict binds the members of its moment: those of the snapshot that it names, or else of the
    network as the tables of its day have it, with roles and evidence; `freeze` makes that snapshot.
    Where the tables have not the network, it binds its own list, without roles. `frozen` are the
    members of the snapshots of the ledger, `latest` the latest time that a verdict may have,
    `policies` the ids that it may name (none: any), `long_ids` accounts by ids that the database
    cuts. What is malformed is refused and named, and nothing else.
    """
    usable, refused = _checked(list(found), known, frozen, latest)
    taken = freeze(_without_snapshot(verdict for _, verdict in usable))
    names = _names(taken)
    members = {**frozen, **snapshot_members(taken)}
    labels, without_roles = [], []
    own: dict[str, list[dict[str, Any]]] = {}
    for name, verdict in usable:
        snapshot = _snapshot_of(verdict, names)
        if snapshot is not None and (stranger := _stranger(verdict, members[snapshot])):
            refused.append(
                f"Verdict {name}: {stranger} was no member of network {verdict['subject_id']} on "
                f"{_native(verdict['ds'], date)}"
            )
            continue
        if snapshot is None and verdict["subject_type"] == "network":
            rows = _own_snapshot(verdict)
            snapshot = rows[0]["snapshot_sha256"]
            own[snapshot] = rows
            without_roles.append(
                f"Verdict {name}: no roles are known: the tables of {rows[0]['ds']} have not "
                f"network {verdict['subject_id']}"
            )
        label = _label(name, verdict, snapshot, members.get(snapshot or ""))
        labels.append(
            label | {"subject_id": long_ids.get(label["subject_id"], label["subject_id"])}
        )
    judged = pa.array(sorted({row["snapshot_sha256"] for row in labels} - {None}), pa.string())
    made = [row for snapshot, rows in own.items() if snapshot not in frozen for row in rows]
    snapshots = [
        taken.filter(pc.is_in(taken.column("snapshot_sha256"), judged)),
        pa.Table.from_pylist(made, schema=SNAPSHOTS.schema),
    ]
    return Pulled(
        pa.Table.from_pylist(labels, schema=LABELS.schema),
        pa.concat_tables(snapshots),
        refused,
        without_roles,
        list(_unknown_policies(labels, policies)),
    )


def _unknown_policies(
    labels: Iterable[Mapping[str, Any]], policies: Collection[str]
) -> Iterable[str]:
    for row in labels:
        policy = row["policy_id"]
        if policy and policies and policy not in policies:
            known = (
                nearest(policy.casefold(), policies) or f"; known: {', '.join(sorted(policies))}"
            )
            yield f"Verdict {row['label_id']}: there is no policy {policy!r}{known}"


def _checked(
    verdicts: Sequence[Mapping[str, Any]],
    known: set[str],
    frozen: Mapping[str, set[str]],
    latest: datetime,
) -> tuple[list[tuple[str, Mapping[str, Any]]], list[str]]:
    """Verdicts that are new and can be used, each with its id; and what is wrong with others."""
    given = dict.fromkeys(known) | {str(each["id"]): each["verdict"] for each in verdicts}
    usable, refused = [], []
    for each in verdicts:
        if each["id"] in known:
            continue
        if problem := _problem(each, given, frozen, latest):
            refused.append(f"Verdict {each['id']}: {problem}")
        else:
            usable.append((each["id"], each["verdict"]))
    return usable, refused


def _snapshot_of(verdict: Mapping[str, Any], names: Mapping[Any, str]) -> str | None:
    """The snapshot that a verdict on a network names, or else that of its day, if there is one."""
    if verdict["subject_type"] != "network":
        return None
    if verdict.get("snapshot") is not None:
        return str(verdict["snapshot"])
    return names.get((_native(verdict["ds"], date), verdict["subject_id"]))


def _stranger(verdict: Mapping[str, Any], frozen: Iterable[str]) -> str | None:
    """The first account that a verdict judges and that is not among the members of a snapshot."""
    return min(set(verdict["members"]) - _as_there(frozen).keys(), default=None)


def _as_there(accounts: Iterable[str]) -> dict[str, str]:
    """Accounts by the ids that they have in the database, where long ones are cut."""
    return {indexed_id(each): each for each in accounts}


def _without_snapshot(verdicts: Iterable[Mapping[str, Any]]) -> dict[date, set[str]]:
    """The networks, by day, of verdicts that name no snapshot."""
    networks: dict[date, set[str]] = defaultdict(set)
    for verdict in verdicts:
        if verdict["subject_type"] == "network" and verdict.get("snapshot") is None:
            networks[_native(verdict["ds"], date)].add(verdict["subject_id"])
    return networks


def _names(snapshots: pa.Table) -> dict[tuple[date, str], str]:
    """The snapshot of each day and network."""
    rows = snapshots.select(["ds", "network_id", "snapshot_sha256"]).to_pylist()
    return {(row["ds"], row["network_id"]): row["snapshot_sha256"] for row in rows}


def _problem(
    each: Mapping[str, Any],
    given: Mapping[str, Any],
    frozen: Mapping[str, set[str]],
    latest: datetime,
) -> str | None:
    """What is wrong with a verdict; None when it can be used. `given` are all, as far as known."""
    verdict, subjects = each["verdict"], each["subjects"]
    if not_text := _not_text(verdict):
        return f"{not_text} must be a text"
    if verdict["label"] not in (*VALUES, WITHDRAWN):
        return f"label {verdict['label']!r} is none of {', '.join((*VALUES, WITHDRAWN))}"
    if verdict["subject_type"] not in ("network", "account"):
        return f"subject_type {verdict['subject_type']!r} is neither network nor account"
    if list(subjects) != [verdict["subject_id"]]:
        return "it must stand ON exactly the node that it names"
    at = _native(verdict.get("reviewed_at"), datetime)
    if at is None or at > latest:
        return "reviewed_at must be a time with its zone, and not be to come"
    if _native(verdict.get("ds"), date) is None:
        return "ds must be a date"
    return _replacing_problem(verdict, given) or _member_problem(verdict, frozen)


def _replacing_problem(verdict: Mapping[str, Any], given: Mapping[str, Any]) -> str | None:
    replaced = verdict.get("supersedes")
    if not replaced:
        is_withdrawal = verdict["label"] == WITHDRAWN
        return "a withdrawal must name in supersedes what it takes back" if is_withdrawal else None
    if replaced not in given:
        return f"supersedes names no verdict: {replaced!r}"
    owner = (given[replaced] or verdict).get("reviewer")
    if person_key(str(owner)) != person_key(verdict["reviewer"]):
        return f"supersedes names a verdict of {owner}, who alone may replace it"
    return None


def _not_text(verdict: Mapping[str, Any]) -> str | None:
    """The first property of a verdict that must be a text and is none."""
    for name in ("label", "reason", "reviewer", "subject_id", "subject_type"):
        if not isinstance(verdict.get(name), str) or not verdict[name].strip():
            return name
    optional = ("abuse_type", "policy_id", "supersedes")
    return next((each for each in optional if not isinstance(verdict.get(each) or "", str)), None)


def _member_problem(verdict: Mapping[str, Any], frozen: Mapping[str, set[str]]) -> str | None:
    members = verdict.get("members")
    if not isinstance(members, list) or not all(isinstance(each, str) for each in members):
        return "members must be a list of account ids"
    if not 0 < len(members) <= MOST_MEMBERS or len(set(members)) != len(members):
        return "members must be some accounts, each once"
    snapshot = verdict.get("snapshot")
    if snapshot is not None:
        if snapshot not in frozen:
            return f"snapshot {snapshot!r} is not in the ledger"
        if stranger := _stranger(verdict, frozen[snapshot]):
            return f"{stranger} is not a member of the snapshot"
    return None


def _native(value: Any, kind: type) -> Any:
    """A time or date of the driver as Python's; None for anything else."""
    if hasattr(value, "to_native"):
        value = value.to_native()
    if kind is datetime:
        return value if isinstance(value, datetime) and value.tzinfo else None
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _own_snapshot(verdict: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of SNAPSHOTS for a network that no table has as it was judged: its members alone."""
    evidence: dict[str, list[str]] = {"for": [], "against": []}
    members = [
        {"account_id": account, "role": None, "is_core": None, "evidence": evidence}
        for account in sorted(verdict["members"])
    ]
    digest = canonical_sha256({"network_id": verdict["subject_id"], "members": members})
    return [
        {
            **member,
            "snapshot_sha256": digest,
            "network_id": verdict["subject_id"],
            "ds": _native(verdict["ds"], date),
            "evidence": canonical_json(evidence),
        }
        for member in members
    ]


def _label(
    name: str,
    verdict: Mapping[str, Any],
    snapshot: str | None,
    frozen: set[str] | None,
) -> dict[str, Any]:
    """A row of LABELS; `frozen` are the members of the snapshot, None where it has no other."""
    at = _native(verdict["reviewed_at"], datetime).astimezone(UTC)
    there = _as_there(frozen or ())
    judged = {there.get(each, each) for each in verdict["members"]}
    is_withdrawal = verdict["label"] == WITHDRAWN
    label = "unsure" if is_withdrawal else verdict["label"]
    return {
        "label_id": name,
        "subject_type": verdict["subject_type"],
        "subject_id": verdict["subject_id"],
        "snapshot_sha256": snapshot,
        "label": label,
        "abuse_type": (verdict.get("abuse_type") or "").strip() or None,
        "policy_id": (verdict.get("policy_id") or "").strip() or None,
        "source": "investigation",
        "blind": False,
        "reviewer": verdict["reviewer"].strip(),
        "labelled_at": at,
        "supersedes": verdict.get("supersedes"),
        "withdrawn_at": at if is_withdrawal else None,
        "expires_at": at + BENIGN_HOLDS if label == "benign" else None,
        "reason": verdict["reason"],
        "members": None if frozen is None or judged == frozen else sorted(judged),
    }


def snapshot_members(rows: pa.Table) -> dict[str, set[str]]:
    """The members of each snapshot of the ledger."""
    members: dict[str, set[str]] = {}
    names: Sequence[str] = rows.column("snapshot_sha256").to_pylist()
    accounts: Sequence[str] = rows.column("account_id").to_pylist()
    for name, account in zip(names, accounts, strict=True):
        members.setdefault(name, set()).add(account)
    return members
