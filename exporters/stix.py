"""STIX 2.1: a bundle with the accounts of each network, for threat-intelligence platforms.

Ids are UUIDv5, so that reruns and other batches merge. What is taken back leaves as a new version
of its grouping, and of all that speaks of its accounts, marked revoked.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any

from exporters.enforcement.files import HashedFile
from exporters.enforcement.formats import Carried
from exporters.enforcement.rows import REVERSE, RowMaker
from graph.canonical import canonical_json
from signatures.frozen_evidence import SharedEntity
from signatures.tags import Technique, techniques

OBSERVABLES = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""The namespace of observables' ids (STIX 2.1, section 2.9)."""

OURS = uuid.uuid5(uuid.NAMESPACE_URL, "https://actorgraph.example/stix")
TLP_AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
SHA256 = re.compile("[0-9a-f]{64}")

FIRST_PINNED = date(2026, 11, 24)
"""When techniques were first looked up; `created` of an attack pattern must never change."""

MOST_OBSERVED = 999_999_999
"""The largest number_observed (STIX 2.1, section 4.14)."""

OBJECT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def observable(kind: str, **properties: Any) -> dict[str, Any]:
    """A cyber observable whose id follows from its properties, by the rule of STIX 2.1."""
    name = uuid.uuid5(OBSERVABLES, canonical_json(properties))
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{name}", **properties}


def domain_object(kind: str, key: str, **properties: Any) -> dict[str, Any]:
    """A domain object whose id follows from `key`."""
    identity = f"{kind}--{uuid.uuid5(OURS, f'{kind} {key}')}"
    marked = {"object_marking_refs": [TLP_AMBER]}
    return {"type": kind, "spec_version": "2.1", "id": identity, **properties, **marked}


@lru_cache(2)  # two bundles of one batch have the same account one after the other
def user_account(account_id: str) -> dict[str, Any]:
    """The observable of an account."""
    return observable("user-account", user_id=account_id)


def attack_pattern(tag: str, technique: Technique) -> dict[str, Any]:
    """A technique of DISARM or ATT&CK, by its name and number there."""
    reference = {"source_name": technique.source_name, "external_id": technique.number}
    return domain_object(
        "attack-pattern",
        tag,
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
    """What is gathered of a network's decisions of one day in the batch that carries them out.

    The batch is in the key, because a version of a grouping has all its members: a stage, or a
    second try, would take the others out. `refs` are ids in their order.
    """

    def __init__(self, network_id: str, ds: date, batch_id: str, maker: RowMaker) -> None:
        self.key = f"{network_id} {ds.isoformat()} {batch_id}"
        self.refs: dict[str, None] = {}
        self.patterns: dict[str, str] = {}  # ids by tag
        created = midnight(ds)
        self.version: dict[str, Any] = {
            "created": timestamp(created),
            "modified": timestamp(max(created, maker.created_at)),
        }
        if maker.operation == REVERSE:
            self.version["revoked"] = True


class StixBundle:
    """Writes `stix_bundle.json` or `stix_internal.json`; memory holds one network."""

    def __init__(self, folder: Path, maker: RowMaker, internal: bool) -> None:
        self._maker = maker
        self._internal = internal
        self._file = HashedFile(folder / ("stix_internal.json" if internal else "stix_bundle.json"))
        bundle = uuid.uuid5(OURS, f"bundle {maker.batch_id}")
        self._file.write(f'{{"type":"bundle","id":"bundle--{bundle}","objects":[')
        self._groups: dict[tuple[date, str], _Group] = {}
        self._entities: dict[tuple[str, str], str | None] = {}  # ids; None: may not leave
        self._patterns: dict[str, str] = {}  # ids of what the bundle has, by tag

    def add(self, carried: Carried) -> None:
        """Take an account, what it shared and when, and the techniques of its signatures."""
        decision = carried.decided.row
        is_reverse = self._maker.operation == REVERSE
        key = (decision["ds"], decision["batch_id"] if is_reverse else self._maker.batch_id)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(decision["network_id"], *key, self._maker)
        user = user_account(decision["account_id"])
        if user["id"] not in group.refs:
            self._write(user)
        mine = [user["id"]]
        for entity in carried.decided.evidence.shared:
            found = self._entity(entity)
            if found is not None and found not in mine:
                mine.append(found)
        observed = self._observed(carried, mine, group)
        self._write(observed)
        group.refs.update(dict.fromkeys([*mine, observed["id"]]))
        for signature in decision["signature_ids"] or ():
            for tag in self._maker.tags.get(signature, ()):
                if tag in techniques():
                    group.patterns[tag] = self._pattern(tag)

    def _observed(self, carried: Carried, refs: list[str], group: _Group) -> dict[str, Any]:
        """That an account and what it shared were seen: how often, from when to when."""
        account, shared = carried.account, carried.decided.evidence.shared
        day = group.version["created"]
        pairs = sum(entity.co_actions for entity in shared)
        return domain_object(
            "observed-data",
            account["decision_id"],
            **group.version,
            first_observed=account["first_seen_at"] or day,
            last_observed=account["last_seen_at"] or day,
            number_observed=min(max(pairs, 1), MOST_OBSERVED),
            object_refs=refs,
        )

    def end_network(self, network: Mapping[str, Any]) -> None:
        """Group the accounts of a network by their batch and day, and say why."""
        for group in self._groups.values():
            self._end_group(group, network)
        self._groups = {}
        self._entities = {}

    def _end_group(self, group: _Group, network: Mapping[str, Any]) -> None:
        grouping = domain_object(
            "grouping",
            group.key,
            **group.version,
            name=f"Network {network['network_id']}",
            context="suspicious-activity",
            object_refs=[*group.refs, *group.patterns.values()],
        )
        self._write(grouping)
        about = [grouping["id"]]
        text = network["reason_text"]
        self._write(
            domain_object("note", group.key, **group.version, content=text, object_refs=about)
        )
        for tag, pattern in group.patterns.items():
            ends = {"source_ref": grouping["id"], "target_ref": pattern}
            self._write(
                domain_object(
                    "relationship",
                    f"{group.key} {tag}",
                    **group.version,
                    relationship_type="related-to",
                    **ends,
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
            pattern = attack_pattern(tag, techniques()[tag])
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
            return observable("ipv6-addr" if ":" in name else "ipv4-addr", value=name)
        return None


def open_format(folder: Path, maker: RowMaker) -> StixBundle:
    """Begin a bundle that may leave the platform: without addresses and devices."""
    return StixBundle(folder, maker, internal=False)


def open_internal(folder: Path, maker: RowMaker) -> StixBundle:
    """Begin a bundle with plain addresses, for use inside."""
    return StixBundle(folder, maker, internal=True)
