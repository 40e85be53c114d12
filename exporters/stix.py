"""STIX 2.1: a bundle with the accounts of each network, for threat-intelligence platforms.

Ids are UUIDv5, so that reruns and other batches merge. What is taken back leaves as a new version
of what was observed of it, marked revoked, and of its grouping: without it, or revoked where no
account of the grouping stands. Victims have a grouping of their own, which suspects nobody.

The internal bundle has plain addresses. All of its objects but accounts and contents are marked
TLP:RED and have ids of their own, so that a platform that gets both keeps them apart.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any

from exporters.enforcement.fields import INTERNAL
from exporters.enforcement.files import HashedFile
from exporters.enforcement.formats import Carried
from exporters.enforcement.rows import (
    REVERSE,
    Decided,
    NetworkText,
    RowMaker,
    deciding_signatures,
    first_seen_at,
    last_seen_at,
)
from graph.canonical import canonical_json
from signatures.frozen_evidence import SharedEntity
from signatures.tags import Technique, techniques

OBSERVABLES = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""The namespace of observables' ids (STIX 2.1, section 2.9)."""

OURS = uuid.uuid5(uuid.NAMESPACE_URL, "https://actorgraph.example/stix")
TLP_AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
TLP_RED = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
SHA256 = re.compile("[0-9a-f]{64}")

FIRST_PINNED = date(2026, 11, 24)
"""When techniques were first looked up; `created` of an attack pattern must never change."""

OBSERVED = 1
"""The number_observed (STIX 2.1, section 4.14) that is surely true of each object of an account.

Frozen evidence counts pairs of events, of which a few events make thousands.
"""

OBJECT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def observable(kind: str, **properties: Any) -> dict[str, Any]:
    """A cyber observable whose id follows from its properties, by the rule of STIX 2.1."""
    name = uuid.uuid5(OBSERVABLES, canonical_json(properties))
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{name}", **properties}


def domain_object(kind: str, key: str, marking: str, **properties: Any) -> dict[str, Any]:
    """A domain object whose id follows from `key`, and from the marking where that is TLP:RED."""
    inside = "internal " if marking == TLP_RED else ""
    identity = f"{kind}--{uuid.uuid5(OURS, f'{inside}{kind} {key}')}"
    marked = {"object_marking_refs": [marking]}
    return {"type": kind, "spec_version": "2.1", "id": identity, **properties, **marked}


@lru_cache(2)  # two bundles of one batch have the same account one after the other
def user_account(account_id: str) -> dict[str, Any]:
    """The observable of an account."""
    return observable("user-account", user_id=account_id)


def attack_pattern(tag: str, technique: Technique, marking: str) -> dict[str, Any]:
    """A technique of DISARM or ATT&CK, by its name and number there."""
    reference = {"source_name": technique.source_name, "external_id": technique.number}
    return domain_object(
        "attack-pattern",
        tag,
        marking,
        created=timestamp(midnight(FIRST_PINNED)),
        modified=timestamp(midnight(technique.looked_up)),
        name=technique.name,
        external_references=[{**reference, "url": technique.url}],
    )


def timestamp(at: datetime) -> str:
    """A time as STIX has it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def midnight(day: date) -> datetime:
    """The beginning of a day in UTC."""
    return datetime.combine(day, time(), UTC)


class _Group:
    """What is gathered of a network's decisions of one day and role in the batch that carries them.

    The batch is in the key, because a version of a grouping has all its members: a stage, or a
    second try, would take the others out. `refs` are ids in their order, of what stands, `gone` of
    what is taken back; `patterns` are ids by tag, `standing` the tags of what stands.
    """

    def __init__(self, decision: Mapping[str, Any], batch_id: str, maker: RowMaker) -> None:
        ds: date = decision["ds"]
        self.key = f"{decision['network_id']} {ds.isoformat()} {batch_id}"
        self.is_of_victims = decision["subject_role"] == "compromised"
        if self.is_of_victims:
            self.key += " compromised"
        self.refs: dict[str, None] = {}
        self.gone: dict[str, None] = {}
        self.patterns: dict[str, str] = {}
        self.standing: set[str] = set()
        self.text = NetworkText()
        self.gone_text = NetworkText()
        created = midnight(ds)
        self.version: dict[str, Any] = {
            "created": timestamp(created),
            "modified": timestamp(max(created, maker.created_at)),
        }


class StixBundle:
    """Writes `stix_bundle.json` or `internal/stix_internal.json`; memory holds one network."""

    def __init__(self, folder: Path, maker: RowMaker, internal: bool) -> None:
        self._maker = maker
        self._internal = internal
        self._marking = TLP_RED if internal else TLP_AMBER
        name = f"{INTERNAL}/stix_internal.json" if internal else "stix_bundle.json"
        self._file = HashedFile(folder, name)
        bundle = uuid.uuid5(OURS, f"bundle {maker.batch_id}{' internal' if internal else ''}")
        self._file.write(f'{{"type":"bundle","id":"bundle--{bundle}","objects":[')
        self._groups: dict[tuple[date, str, str], _Group] = {}
        self._entities: dict[tuple[str, str], str | None] = {}  # ids; None: may not leave
        self._users: set[str] = set()  # ids of what the network has
        self._patterns: dict[str, str] = {}  # ids of what the bundle has, by tag

    def add(self, carried: Carried) -> None:
        """Take an account, what it shared and when, and the techniques of its signatures."""
        decision = carried.decided.row
        if self._maker.operation == REVERSE:
            batches = self._maker.carried_by(carried.decided)
        else:
            batches = (self._maker.batch_id,)
        groups = []
        for batch_id in batches:
            key = (decision["ds"], batch_id, decision["subject_role"])
            if key not in self._groups:
                self._groups[key] = _Group(decision, batch_id, self._maker)
            groups.append(self._groups[key])
        self._take(carried.decided, groups, stands=self._maker.operation != REVERSE)

    def keep(self, decided: Decided) -> None:
        """Take an account that stands, where another of its grouping is taken back."""
        decision = decided.row
        group = self._groups.get((decision["ds"], decision["batch_id"], decision["subject_role"]))
        if group is not None:
            self._take(decided, [group], stands=True)

    def _take(self, decided: Decided, groups: Sequence[_Group], stands: bool) -> None:
        user = user_account(decided.row["account_id"])
        if user["id"] not in self._users:
            self._write(user)
            self._users.add(user["id"])
        mine = [user["id"]]
        for entity in decided.evidence.shared:
            found = self._entity(entity)
            if found is not None and found not in mine:
                mine.append(found)
        observed = self._observed(decided, mine, groups[0], stands)
        self._write(observed)
        used = {
            tag: self._pattern(tag)
            for signature in deciding_signatures(decided.row)
            for tag in self._maker.tags.get(signature, ())
            if tag in techniques() and not groups[0].is_of_victims  # a technique is its user's
        }
        for group in groups:
            refs = group.refs if stands else group.gone
            refs.update(dict.fromkeys([*mine, observed["id"]]))
            (group.text if stands else group.gone_text).add(decided, self._maker)
            group.patterns |= used
            group.standing.update(used if stands else ())

    def _observed(
        self, decided: Decided, refs: list[str], group: _Group, stands: bool
    ) -> dict[str, Any]:
        """That an account and what it shared were seen, from when to when."""
        day = group.version["created"]
        return self._object(
            "observed-data",
            decided.row["decision_id"],
            group,
            stands,
            first_observed=first_seen_at(decided.evidence) or day,
            last_observed=last_seen_at(decided.evidence) or day,
            number_observed=OBSERVED,
            object_refs=refs,
        )

    def _object(
        self, kind: str, key: str, group: _Group, stands: bool, **properties: Any
    ) -> dict[str, Any]:
        """The version of today of a domain object of a group, revoked unless it stands."""
        version = group.version if stands else {**group.version, "revoked": True}
        return domain_object(kind, key, self._marking, **version, **properties)

    def end_network(self, network: Mapping[str, Any]) -> None:
        """Group the accounts of a network by their batch, day and role, and say why."""
        for group in self._groups.values():
            self._end_group(group, network)
        self._groups = {}
        self._entities = {}
        self._users = set()

    def _end_group(self, group: _Group, network: Mapping[str, Any]) -> None:
        stands = bool(group.refs)
        text = group.text if stands else group.gone_text
        # A revoked version has what the last one had: a grouping cannot be of nothing.
        patterns = {tag: id_ for tag, id_ in group.patterns.items()
                    if not stands or tag in group.standing}  # fmt: skip
        about = "Victims in network" if group.is_of_victims else "Network"
        grouping = self._object(
            "grouping",
            group.key,
            group,
            stands,
            name=f"{about} {network['network_id']}",
            context="unspecified" if group.is_of_victims else "suspicious-activity",
            object_refs=[*(group.refs or group.gone), *patterns.values()],
        )
        self._write(grouping)
        self._write(
            self._object(
                "note",
                group.key,
                group,
                stands,
                content=text.sentence(self._maker, taken_back=not stands),
                object_refs=[grouping["id"]],
            )
        )
        for tag, pattern in group.patterns.items():
            self._write(
                self._object(
                    "relationship",
                    f"{group.key} {tag}",
                    group,
                    tag in group.standing,
                    relationship_type="related-to",
                    source_ref=grouping["id"],
                    target_ref=pattern,
                )
            )

    def close(self) -> list[dict[str, Any]]:
        """End the bundle."""
        self._file.write("]}\n")
        self._file.close()
        return [self._file.entry()]

    def _write(self, thing: Mapping[str, Any]) -> None:
        comma = "," if self._file.rows else ""
        self._file.write(comma + OBJECT(thing))
        self._file.rows += 1

    def _pattern(self, tag: str) -> str:
        """The id of a technique's object, which a bundle has once."""
        if tag not in self._patterns:
            pattern = attack_pattern(tag, techniques()[tag], self._marking)
            self._write(pattern)
            self._patterns[tag] = pattern["id"]
        return self._patterns[tag]

    def _entity(self, entity: SharedEntity) -> str | None:
        """The id of an entity's observable, which a network has once; None: it may not leave."""
        key = (entity.entity_type, entity.entity_id)
        if key not in self._entities:
            shared = self._observable(*key)
            if shared is not None:
                self._write(shared)
            self._entities[key] = None if shared is None else shared["id"]
        return self._entities[key]

    def _observable(self, kind: str, name: str) -> dict[str, Any] | None:
        """What may leave is the hash of a content; inside, an address as well."""
        if (kind, name) in self._maker.sensitive:
            return None
        if kind == "content" and SHA256.fullmatch(name):
            return observable("file", hashes={"SHA-256": name})
        if kind == "ip" and self._internal:
            address = observable("ipv6-addr" if ":" in name else "ipv4-addr", value=name)
            return {**address, "object_marking_refs": [self._marking]}
        return None


def open_format(folder: Path, maker: RowMaker) -> StixBundle:
    """Begin a bundle that may leave the platform: without addresses and devices."""
    return StixBundle(folder, maker, internal=False)


def open_internal(folder: Path, maker: RowMaker) -> StixBundle:
    """Begin a bundle with plain addresses, for use inside."""
    return StixBundle(folder, maker, internal=True)
