"""What an entity type is: where its values come from and how they are cleaned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

PLACEHOLDERS = pa.array(["unknown", "null", "none", "nil", "n/a", "na", "undefined", "-"])
"""Texts that stand for a missing value in real logs, compared without regard to ASCII case."""

SEPARATORS_AND_ZERO = "0:.-"
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


def first_reasons(rejections: dict[str, pa.Array], rows: int) -> pa.Array:
    """Name for each row the first mask that holds, null where none does; masks may be null."""
    reasons = pa.nulls(rows, pa.string())
    for reason, mask in reversed(rejections.items()):
        if pc.any(mask).as_py():  # most masks hold nowhere, and texts cost more than asking
            reasons = pc.if_else(pc.fill_null(mask, False), reason, reasons)
    return reasons


def reject(ids: pa.Array, rejections: dict[str, pa.Array]) -> Cleaned:
    """Null the ids that some mask rejects; the first mask that holds names the reason."""
    reasons = first_reasons(rejections, len(ids))
    if reasons.null_count == len(ids):
        return Cleaned(ids, reasons)
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
    ids = pc.ascii_lower(trimmed)
    if not ids.equals(trimmed):  # else it is the same, and a regular expression is slow
        ids = pc.if_else(pc.match_substring_regex(trimmed, HEXADECIMAL), ids, trimmed)
    return reject(
        ids,
        {
            "empty": pc.equal(ids, ""),
            "placeholder": is_placeholder(ids),
            "all_zero": _is_all_zero(ids),
        },
    )


def _is_all_zero(ids: pa.Array) -> pa.Array:
    only_zeros = pc.equal(pc.ascii_trim(ids, SEPARATORS_AND_ZERO), "")
    return pc.and_(only_zeros, pc.match_substring(ids, "0"))
