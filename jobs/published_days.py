"""The published tables of a day that a snapshot of its networks is made of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from graph.build import EDGES, NODES
from graph.config import Config
from graph.engines.base import Engine
from graph.evidence import LINK_EVIDENCE
from graph.frames import DataFrame
from graph.links import LINKS
from graph.networks import MEMBERSHIPS
from graph.tables import Table
from jobs.inputs import read_declared_networks
from signatures.frozen_networks import PublishedDay
from signatures.inclusions import INCLUSIONS
from signatures.scores import SCORES


def published_day(
    engine: Engine, config: Config, read: Callable[[Table, date], DataFrame], ds: date
) -> PublishedDay:
    """The tables of a day by `read`; raises InputError where one is not there."""
    return PublishedDay(
        ds,
        inclusions=read(INCLUSIONS, ds),
        memberships=read(MEMBERSHIPS, ds),
        links=read(LINKS, ds),
        link_evidence=read(LINK_EVIDENCE, ds),
        scores=read(SCORES, ds),
        edges=read(EDGES, ds),
        nodes=read(NODES, ds),
        traces=config.active_traces,
        declared_networks=read_declared_networks(engine, config, ds),
    )
