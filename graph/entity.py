"""What an entity type is: where its values come from and how they are cleaned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

PLACEHOLDERS = pa.array(["unknown", "null", "none", "nil", "n/a", "na", "undefined", "-"])
"""Texts that stand for a missing value in real logs, compared without regard to ASCII case."""

ALL_ZERO = r"^[0:.\-]*0[0:.\-]*$"
HEXADECIMAL = r"^[0-9A-Fa-f]{16,}$"


@dataclass(frozen=True)
class Cleaned:
    """Canonical ids beside the reason why a value became none; both null where nothing was given.

    `ids` and `reasons` are string arrays of the input's length; a row has at most one of them.
    """

    ids: pa.Array
    reasons: pa.Array


Cleaner = Callable[[pa.Array], Cleaned]
"""Brings a string array to canonical ids."""


@dataclass(frozen=True)
class EntityType:
    """One kind of thing that accounts share.

    `column` names the event column of its values (a string or a list of strings); a `derived` type
    instead has its ids made from those of another type, in graph/events.py. `label` and
    `relationship` are its names in the investigators' database.
    """

    name: str
    label: str
    relationship: str
    column: str | None = None
    clean: Cleaner | None = None
    derived_from: str | None = None


def reject(ids: pa.Array, rejections: dict[str, pa.Array]) -> Cleaned:
    """Null the ids that some mask rejects; the first mask that holds names the reason."""
    reasons = pa.nulls(len(ids), pa.string())
    for reason, mask in reversed(rejections.items()):
        reasons = pc.if_else(pc.fill_null(mask, False), reason, reasons)
    return Cleaned(pc.if_else(pc.is_valid(reasons), pa.scalar(None, pa.string()), ids), reasons)


def is_placeholder(values: pa.Array) -> pa.Array:
    """Tell which values are a word for "no value"."""
    return pc.is_in(pc.ascii_lower(values), value_set=PLACEHOLDERS)


def clean_text(values: pa.Array) -> Cleaned:
    """Trim; nothing else is changed, for ids in which case and form carry meaning."""
    ids = pc.utf8_trim_whitespace(values)
    return reject(ids, {"empty": pc.equal(ids, ""), "placeholder": is_placeholder(ids)})


def clean_hash(values: pa.Array) -> Cleaned:
    """Trim, and lower-case ids of at least 16 hexadecimal digits; all-zero ids identify nobody."""
    trimmed = pc.utf8_trim_whitespace(values)
    is_hexadecimal = pc.match_substring_regex(trimmed, HEXADECIMAL)
    ids = pc.if_else(is_hexadecimal, pc.ascii_lower(trimmed), trimmed)
    return reject(
        ids,
        {
            "empty": pc.equal(ids, ""),
            "placeholder": is_placeholder(ids),
            "all_zero": pc.match_substring_regex(ids, ALL_ZERO),
        },
    )
