"""Event times in whatever form a log has them, as microseconds since 1970 UTC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
"""Microseconds of each declared unit of a numeric time."""

SPAN = pa.schema([("from_us", pa.int64()), ("to_us", pa.int64())])

_LIMIT = 1 << 62  # far beyond any real time, and far from overflow


def read_times(values: pa.Array, unit: str) -> pa.Array:
    """Read timestamps, epoch numbers in `unit`, or texts of either; null where unreadable.

    Texts are ISO 8601; without a zone a time is UTC. Returns int64 microseconds.
    """
    kind = values.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return values.cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=False).cast(
            pa.int64()
        )
    if pa.types.is_integer(kind):
        return _scale(values.cast(pa.int64(), safe=False), MICROSECONDS[unit])
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _from_floats(values.cast(pa.float64()), MICROSECONDS[unit])
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_texts(values.cast(pa.string()), unit)
    return pa.nulls(len(values), pa.int64())


def time_spans(batches: Iterable[pa.RecordBatch], unit: str) -> Iterator[pa.RecordBatch]:
    """The earliest and the latest readable time of each batch's first column; rows of SPAN."""
    for batch in batches:
        found = pc.min_max(read_times(batch.column(0), unit))
        ends = [pa.array([found[end].as_py()], pa.int64()) for end in ("min", "max")]
        yield pa.RecordBatch.from_arrays(ends, schema=SPAN)


def _scale(numbers: pa.Array, factor: int) -> pa.Array:
    bound = _LIMIT // factor
    readable = pc.and_(pc.greater(numbers, -bound), pc.less(numbers, bound))
    return pc.multiply(pc.if_else(readable, numbers, pa.scalar(None, pa.int64())), factor)


def _from_floats(numbers: pa.Array, factor: int) -> pa.Array:
    micros = np.asarray(numbers.to_numpy(zero_copy_only=False), np.float64) * factor
    readable = np.abs(micros) < _LIMIT
    whole = np.floor(np.where(readable, micros, 0.0) + 0.5).astype(np.int64)
    return pa.array(whole, mask=~readable)


def _from_texts(values: pa.Array, unit: str) -> pa.Array:
    encoded = values.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    times = pa.array([_from_text(text.strip(), unit) for text in texts], pa.int64())
    return times.take(encoded.indices)


def _from_text(text: str, unit: str) -> int | None:
    try:
        if text.lstrip("-").isdecimal() and text.isascii():
            micros = int(text) * MICROSECONDS[unit]
            return micros if abs(micros) < _LIMIT else None
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _from_decimal(text, unit)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    elapsed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds


def _from_decimal(text: str, unit: str) -> int | None:
    try:
        number = float(text)
    except ValueError:
        return None
    micros: int | None = _from_floats(pa.array([number]), MICROSECONDS[unit])[0].as_py()
    return micros
