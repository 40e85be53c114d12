"""The event table: numbers become text, a block of accounts on one day becomes one parquet file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.simulation.actions import NONE, POSTS, Event
from jobs.simulation.arrays import Array
from jobs.simulation.event_rows import FLAGGED, IPV6, UNKNOWN_DEVICE, ZERO_DEVICE, EventRows
from jobs.simulation.geography import MARKETS
from jobs.simulation.identifiers import Identifiers, Space, dotted

EVENTS_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("event_time", pa.timestamp("us", tz="UTC")),
        ("event_type", pa.string()),
        ("event_id", pa.string()),
        ("device_id", pa.string()),
        ("ip", pa.string()),
        ("content_hash", pa.string()),
        ("target_id", pa.string()),
        ("market", pa.string()),
    ]
)
ROW_GROUP = 1 << 20
_DICTIONARIES = [name for name in EVENTS_SCHEMA.names if name not in {"event_time", "event_id"}]
# Of one column of a row group; above it Arrow falls back to plain text, three times the size.
_DICTIONARY_BYTES = 8 << 20
_EVENT_NAMES = pa.array([event.name.lower() for event in Event])
_COUNTRIES = pa.array([market.country for market in MARKETS])


def event_table(rows: EventRows, market: Array, identifiers: Identifiers) -> pa.Table:
    """Rows as the table DESIGN calls events; texts are dictionary-encoded in memory only.

    `market` has each account's market.
    """
    home = market[np.maximum(rows.account, 0) & ~FLAGGED]
    columns = [
        _encoded(rows.account, lambda numbers: _account_text(numbers, identifiers)),
        pa.array(rows.time).cast(EVENTS_SCHEMA.field("event_time").type),
        pa.DictionaryArray.from_arrays(pa.array(rows.event), _EVENT_NAMES),
        identifiers.short(Space.EVENT, rows.number),
        _encoded(rows.device, lambda numbers: _device_text(numbers, identifiers)),
        _encoded(rows.ip, _ip_text),
        _encoded(rows.content, lambda numbers: _hash_text(Space.CONTENT, numbers, 32, identifiers)),
        _encoded(rows.target, lambda numbers: _target_text(numbers, identifiers)),
        pa.DictionaryArray.from_arrays(pa.array(home.astype(np.int8)), _COUNTRIES),
    ]
    return pa.Table.from_arrays(columns, names=EVENTS_SCHEMA.names)


def write_events(table: pa.Table, path: Path) -> None:
    """One part of a day; without Arrow's own schema, so that readers get plain strings."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        table,
        path,
        row_group_size=ROW_GROUP,
        use_dictionary=_DICTIONARIES,
        store_schema=False,
        compression="zstd",
        compression_level=1,
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
        write_statistics=["event_time", "event_type", "market"],
    )


def _encoded(numbers: Array, text: Callable[[Array], pa.Array]) -> pa.DictionaryArray:
    """Numbers as text, each distinct one written once; NONE is null.

    Two numbers may have one text (capitals of an id without letters), and Arrow writes a dictionary
    with a repeated value as plain text: hence the second encoding.
    """
    encoded = pa.array(numbers, mask=numbers == NONE).dictionary_encode()
    values = encoded.dictionary.to_numpy(zero_copy_only=False)
    texts = text(values).dictionary_encode()
    return pa.DictionaryArray.from_arrays(texts.indices.take(encoded.indices), texts.dictionary)


def _account_text(numbers: Array, identifiers: Identifiers) -> pa.Array:
    plain = identifiers.short(Space.ACCOUNT, numbers & ~FLAGGED)
    return _where(
        numbers & FLAGGED, plain, lambda odd: pc.binary_join_element_wise(" ", odd, "  ", "")
    )


def _hash_text(space: Space, numbers: Array, digits: int, identifiers: Identifiers) -> pa.Array:
    plain = identifiers.hexadecimal(space, numbers & ~FLAGGED, digits)
    return _where(numbers & FLAGGED, plain, pc.ascii_upper)


def _device_text(numbers: Array, identifiers: Identifiers) -> pa.Array:
    known = np.maximum(numbers, 0)
    text = _hash_text(Space.DEVICE, known, 16, identifiers)
    text = _where(numbers == UNKNOWN_DEVICE, text, lambda odd: pa.repeat("unknown", len(odd)))
    return _where(numbers == ZERO_DEVICE, text, lambda odd: pa.repeat("0" * 16, len(odd)))


def _target_text(numbers: Array, identifiers: Identifiers) -> pa.Array:
    post = numbers >= POSTS
    accounts = identifiers.short(Space.ACCOUNT, np.where(post, 0, numbers))
    posts = identifiers.short(Space.POST, np.where(post, numbers - POSTS, 0))
    return pc.if_else(pa.array(post), posts, accounts)


def _ip_text(numbers: Array) -> pa.Array:
    text = dotted(numbers & 0xFFFFFFFF)
    text = _where(
        numbers & FLAGGED, text, lambda odd: pc.binary_join_element_wise("::ffff:", odd, "")
    )
    six = (numbers & IPV6) != 0
    if not six.any():
        return text
    words = [
        f"2a10:{n >> 16 & 0xFFFF:x}:{n & 0xFFFF:x}:0:{n >> 32 & 0xFFFFFF:x}::1"
        for n in numbers[six].tolist()
    ]
    return pc.replace_with_mask(text, pa.array(six), pa.array(words))


def _where(odd: Array, text: pa.Array, rewrite: Callable[[pa.Array], pa.Array]) -> pa.Array:
    mask = pa.array(odd != 0)
    if not pc.any(mask).as_py():
        return text
    return pc.replace_with_mask(text, mask, rewrite(text.filter(mask)))
