"""Networks frozen after their day, from its published tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from graph.build import EDGES, NODES
from graph.config import Config
from graph.engines.base import Engine
from graph.evidence import LINK_EVIDENCE
from graph.frames import DataFrame
from graph.ledger import read_ledger
from graph.links import LINKS
from graph.networks import MEMBERSHIPS
from graph.tables import Table
from jobs.inputs import read_declared_networks
from signatures.frozen_networks import PublishedDay, as_first_frozen, freeze_published
from signatures.inclusions import INCLUSIONS
from signatures.scores import SCORES
from signatures.snapshots import SNAPSHOTS


@dataclass(frozen=True)
class PublishedDays:
    """The published tables of a home, which `read` gives; it raises InputError for absent ones."""

    engine: Engine
    config: Config
    home: Path
    read: Callable[[Table, date], DataFrame]

    def frozen(self, networks: Mapping[date, Set[str]]) -> pa.Table:
        """Networks as the tables of their days have them; rows of SNAPSHOTS in memory.

        Those that were frozen on their day with the same members are as they were then.
        """
        rows = [SNAPSHOTS.schema.empty_table()]
        for ds, names in sorted(networks.items()):
            frozen = freeze_published(self.engine, self._day(ds), names)
            rows.append(self.engine.to_arrow(frozen).select(SNAPSHOTS.columns))
        taken = pa.concat_tables(rows)
        chosen = pc.field("network_id").isin(taken.column("network_id").combine_chunks())
        return as_first_frozen(taken, read_ledger(self.home, SNAPSHOTS, chosen))

    def not_in_ledger(self, snapshots: pa.Table) -> pa.Table:
        """The rows of snapshots that the ledger has not."""
        names = pa.array(sorted(set(snapshots.column("snapshot_sha256").to_pylist())), pa.string())
        there = read_ledger(self.home, SNAPSHOTS, pc.field("snapshot_sha256").isin(names))
        known = there.column("snapshot_sha256").combine_chunks()
        return snapshots.filter(pc.invert(pc.is_in(snapshots.column("snapshot_sha256"), known)))

    def _day(self, ds: date) -> PublishedDay:
        return PublishedDay(
            ds,
            inclusions=self.read(INCLUSIONS, ds),
            memberships=self.read(MEMBERSHIPS, ds),
            links=self.read(LINKS, ds),
            link_evidence=self.read(LINK_EVIDENCE, ds),
            scores=self.read(SCORES, ds),
            edges=self.read(EDGES, ds),
            nodes=self.read(NODES, ds),
            traces=self.config.active_traces,
            declared_networks=read_declared_networks(self.engine, self.config, ds),
        )
