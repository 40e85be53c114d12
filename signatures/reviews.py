"""What reviewers said of the subjects that were drawn for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from graph.people import person_key
from signatures.estimators import Agreement, Integers, agreement
from signatures.roles import ACTOR

Row = Mapping[str, Any]
Place = tuple[str, str, str]
"""Sample, subject type and subject."""


@dataclass(frozen=True)
class Review:
    """A drawn subject (a row of REVIEW_SAMPLES) and the verdict on it.

    abusive only if all who judged it say so: a doubt never speaks against anybody. as_said: it is
    abusive in the very role that the program gave it; a verdict without a role means an actor.
    """

    row: Row
    abusive: bool
    as_said: bool
    labelled_at: datetime


def reviews(samples: Iterable[Row], labels: Iterable[Row]) -> list[Review]:
    """Bring drawn subjects and the labels that hold together; those not judged yet are left out."""
    given = by_place(labels)
    found = []
    for row in samples:
        verdicts = given.get(_place(row), [])
        if not verdicts:
            continue
        abusive = all(each["label"] == "abusive" for each in verdicts)
        role = row["role"]
        as_said = abusive and all(
            role is None or (each["role"] or ACTOR) == role for each in verdicts
        )
        found.append(Review(row, abusive, as_said, max(each["labelled_at"] for each in verdicts)))
    return found


def by_place(labels: Iterable[Row]) -> dict[Place, list[Row]]:
    """The labels of samples by what they judge, each subject's in the order of their ids."""
    given: dict[Place, list[Row]] = defaultdict(list)
    for each in sorted(labels, key=lambda each: str(each["label_id"])):
        if each["source"] == "sample":
            given[_place(each)].append(each)
    return given


def _place(row: Row) -> Place:
    return row["sample_id"], row["subject_type"], row["subject_id"]


def blind_agreement(samples: Iterable[Row], labels: Iterable[Row]) -> Agreement:
    """How two reviewers agree on subjects that both judged without knowing of the other."""
    given = by_place(labels)
    first, second = [], []
    for row in samples:
        blind: dict[str, str] = {}
        for each in given.get(_place(row), []):
            if each["blind"]:
                blind.setdefault(person_key(each["reviewer"]), each["label"])
        if len(blind) >= 2:
            one, other = list(blind.values())[:2]
            first.append(one)
            second.append(other)
    return agreement(first, second)


def clusters(found: Sequence[Review]) -> Integers:
    """The number of each review's cluster: networks with a common ancestor are one.

    So a network that is sampled on two days, or that split, is one observation. An account in no
    network is a cluster of its own.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    names = []
    for each in found:
        ids = each.row["lineage"] or [f"account {each.row['subject_id']}"]
        for other in ids[1:]:
            parent[root(other)] = root(ids[0])
        names.append(ids[0])
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(root(name), len(numbers)) for name in names], np.int64)
