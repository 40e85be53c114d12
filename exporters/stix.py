"""STIX 2.1: a bundle with the accounts of each network, for threat-intelligence platforms.

Ids are UUIDv5, so that reruns and other batches merge. What is taken back leaves as a new version
of its grouping, marked revoked.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from exporters.enforcement.files import HashedFile
from exporters.enforcement.formats import Carried
from exporters.enforcement.rows import REVERSE, RowMaker
from graph.canonical import canonical_json
from signatures.frozen_evidence import SharedEntity

OBSERVABLES = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""The namespace of observables' ids (STIX 2.1, section 2.9)."""

OURS = uuid.uuid5(uuid.NAMESPACE_URL, "https://actorgraph.example/stix")
TLP_AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
SHA256 = re.compile("[0-9a-f]{64}")


def observable(kind: str, **properties: Any) -> dict[str, Any]:
    """A cyber observable whose id follows from its properties, by the rule of STIX 2.1."""
    name = uuid.uuid5(OBSERVABLES, canonical_json(properties))
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{name}", **properties}


def domain_object(kind: str, key: str, **properties: Any) -> dict[str, Any]:
    """A domain object whose id follows from `key`."""
    identity = f"{kind}--{uuid.uuid5(OURS, f'{kind} {key}')}"
    marked = {"object_marking_refs": [TLP_AMBER]}
    return {"type": kind, "spec_version": "2.1", "id": identity, **properties, **marked}


def timestamp(at: datetime) -> str:
    """A time as STIX has it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class StixBundle:
    """Writes `stix_bundle.json` or `stix_internal.json`; memory holds one network."""

    def __init__(self, folder: Path, maker: RowMaker, internal: bool) -> None:
        self._maker = maker
        self._internal = internal
        self._file = HashedFile(folder / ("stix_internal.json" if internal else "stix_bundle.json"))
        bundle = uuid.uuid5(OURS, f"bundle {maker.batch_id}")
        self._file.write(f'{{"type":"bundle","id":"bundle--{bundle}","objects":[')
        self._groups: dict[date, dict[str, None]] = {}
        self._entities: set[str] = set()

    def add(self, carried: Carried) -> None:
        """Take an account, and the entities that it shared."""
        decision = carried.decided.row
        user = observable("user-account", user_id=decision["account_id"])
        refs = self._groups.setdefault(decision["ds"], {})
        if user["id"] not in refs:
            self._write(user)
            refs[user["id"]] = None
        for entity in carried.decided.evidence.shared:
            for shared in self._shared(entity):
                if shared["id"] not in self._entities:
                    self._entities.add(shared["id"])
                    self._write(shared)
                refs[shared["id"]] = None

    def end_network(self, network: Mapping[str, Any]) -> None:
        """Group the accounts of a network by the day of their decisions, and say why."""
        revoked = {"revoked": True} if self._maker.operation == REVERSE else {}
        for ds, refs in self._groups.items():
            key = f"{network['network_id']} {ds.isoformat()}"
            created = datetime.combine(ds, time(), UTC)
            times = {
                "created": timestamp(created),
                "modified": timestamp(max(created, self._maker.created_at)),
            }
            group = domain_object(
                "grouping",
                key,
                **times,
                **revoked,
                name=f"Network {network['network_id']}",
                context="suspicious-activity",
                object_refs=list(refs),
            )
            note = domain_object(
                "note",
                key,
                **times,
                **revoked,
                content=network["reason_text"],
                object_refs=[group["id"]],
            )
            self._write(group)
            self._write(note)
        self._groups = {}
        self._entities = set()

    def close(self) -> list[dict[str, Any]]:
        """End the bundle."""
        self._file.write("]}\n")
        self._file.close()
        return [self._file.entry()]

    def _write(self, thing: Mapping[str, Any]) -> None:
        comma = "," if self._file.rows else ""
        self._file.write(comma + json.dumps(thing, ensure_ascii=False, separators=(",", ":")))
        self._file.rows += 1

    def _shared(self, entity: SharedEntity) -> Iterator[dict[str, Any]]:
        """The observable of an entity that may leave: a content's hash, inside also addresses."""
        kind, name = entity.entity_type, entity.entity_id
        if (kind, name) in self._maker.sensitive:
            return
        if kind == "content" and SHA256.fullmatch(name):
            yield observable("file", hashes={"SHA-256": name})
        elif kind == "ip" and self._internal:
            yield observable("ipv6-addr" if ":" in name else "ipv4-addr", value=name)


def open_format(folder: Path, maker: RowMaker) -> StixBundle:
    """Begin a bundle that may leave the platform: without addresses and devices."""
    return StixBundle(folder, maker, internal=False)


def open_internal(folder: Path, maker: RowMaker) -> StixBundle:
    """Begin a bundle with plain addresses, for use inside."""
    return StixBundle(folder, maker, internal=True)
