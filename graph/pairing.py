"""Numbered rows become pairs, which are added up, sifted and judged in tasks over record batches.

Rows are brought together by entity and paired there in loops over numbers; the pairs are brought
together by accounts, and only those that pass the trace's minimums leave the task. Pairs outnumber
events, so they are never written out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from graph import pair_kernels
from graph.config import Trace
from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.numbers import Numbers
from graph.pair_kernels import NO_WINDOW, Pairs, Rows, every
from graph.pair_sieve import COUNTERS_A_PAIR, Sieve
from graph.sort_kernels import Places, order_by
from graph.tables import TIMESTAMP, columns

PAIRS_A_ROW = 8
"""What is guessed before any are counted: a simulated week of 10 million events makes 5."""

MOST_LAYERS = 4

ROWS_TO_SIFT = 3_000
"""Fewer rows make 4.5 million pairs at most."""

_ADDED_UP = columns(
    account_a="int32",
    account_b="int32",
    entity="int32",
    co_actions="int64",
    time_delta_us="int64",
    first_at=TIMESTAMP,
    last_at=TIMESTAMP,
)

_COUNTED = columns(pairs="int64")


def pair_rows(
    engine: Engine,
    name: str,
    trace: Trace,
    rows: DataFrame,
    stored: DataFrame,
    numbers: Numbers,
    window: int,
) -> DataFrame:
    """Pair rows, keep the accounts that pass the trace's minimums, and give ids back.

    `rows` has account, entity, at_us and stays, of windows also event, without one last_us and
    events; `stored` is what they were made of, as many rows or more. Gives TracePairs.pairs.
    """
    sieve = None
    needs_several = max(trace.min_co_actions, trace.min_entities) > 1
    if engine.on_one_machine and needs_several and (most_rows := stored.count()) >= ROWS_TO_SIFT:
        if "event" in rows.columns and not _is_event_shared(engine, stored):
            rows = rows.drop("event")
        rows = engine.materialize(rows, f"{name}.numbered")
        sieve = _sieve(engine, name, trace, rows, most_rows, window)
    add_up = partial(_add_up, window=window, sieve=sieve)
    pairs = engine.map_arrow(rows, add_up, _ADDED_UP, ["entity"])
    if numbers.counted_as is not None:
        pairs = pairs.join(numbers.counted_as, on="entity", how="left")
    judge = partial(
        _pass_minimums,
        has_window=window != NO_WINDOW,
        min_co_actions=trace.min_co_actions,
        min_entities=trace.min_entities,
    )
    passed = engine.map_arrow(pairs, judge, _ADDED_UP, ["account_a", "account_b"])
    found = engine.materialize(numbers.back(passed), f"{name}.pairs")
    if sieve:
        sieve.remove()
    return found


def _is_event_shared(engine: Engine, stored: DataFrame) -> bool:
    """Whether accounts have an event id in common; if not, no pair is of one event.

    It is told by the number of different hashes, which a chance of one in ten million may hide for
    a single such id among millions of rows.
    """
    events, of_accounts = (
        engine.count_keys(stored.select(*key)) for key in (["event"], ["event", "account_id"])
    )
    return events.hashes < of_accounts.hashes


def _sieve(
    engine: Engine, name: str, trace: Trace, rows: DataFrame, most_rows: int, window: int
) -> Sieve:
    """Count the pairs, anew among those that may be enough, until a layer has room for them.

    Where nearly all are left they are enough, and further layers would drop few.
    """
    sieve = Sieve(trace.min_co_actions, trace.min_entities)
    pairs, before = PAIRS_A_ROW * most_rows, None
    for number in range(MOST_LAYERS):
        sieve = sieve.finer(Path(engine.scratch) / f"{name}.counters-{number}", pairs)
        count = partial(_count, window=window, sieve=sieve)
        counted = engine.map_arrow(rows, count, _COUNTED, ["entity"])
        total = counted.agg(F.sum("pairs").cast("bigint").alias("pairs"))
        pairs = engine.to_arrow(total).column("pairs")[0].as_py() or 0
        fit = COUNTERS_A_PAIR * pairs <= sieve.layers[-1].counters
        if fit or (before is not None and 10 * pairs > 9 * before):
            break
        before = pairs
    return sieve


def paired_events(batches: Iterable[pa.RecordBatch], window: int) -> Iterator[pa.RecordBatch]:
    """The events of numbered rows that have a partner within the window: a column `event`."""
    table = pa.Table.from_batches(batches) if (batches := list(batches)) else None
    if table is None or not len(table):
        return
    rows, order = _rows(table)
    found = pair_kernels.paired(rows, pair_kernels.ends(rows, window))
    events = table.column("event").combine_chunks().take(pa.array(order[found]))
    yield pa.RecordBatch.from_arrays([events], names=["event"])


def _count(
    batches: Iterable[pa.RecordBatch], window: int, sieve: Sieve
) -> Iterator[pa.RecordBatch]:
    for pairs in _pairs(batches, window):
        yield pa.RecordBatch.from_pydict({"pairs": [sieve.count(pairs)]}, schema=_COUNTED)


def _add_up(
    batches: Iterable[pa.RecordBatch], window: int, sieve: Sieve | None
) -> Iterator[pa.RecordBatch]:
    for pairs in _pairs(batches, window, sieve.let_through if sieve else every):
        yield _as_batch(pairs, has_window=True)


def _pairs(
    batches: Iterable[pa.RecordBatch], window: int, wanted: Callable[[Pairs], Pairs] = every
) -> Iterator[Pairs]:
    table = pa.Table.from_batches(batches) if (batches := list(batches)) else None
    if table is not None and len(table):
        rows, _ = _rows(table)
        yield from pair_kernels.add_up(rows, pair_kernels.ends(rows, window), wanted)


def _rows(table: pa.Table) -> tuple[Rows, Places]:
    """Sort a partition's rows for pairing; also gives their order in the table."""
    columns_of = {name: table.column(name) for name in table.column_names}
    account, entity, at = (columns_of[name].to_numpy() for name in ("account", "entity", "at_us"))
    order = order_by(entity, at)
    event = account
    if "event" in columns_of:
        encoded = columns_of["event"].combine_chunks().dictionary_encode()
        event = encoded.indices.to_numpy()
    last_at = columns_of["last_us"].to_numpy() if "last_us" in columns_of else at
    ones = np.ones(len(at), np.int64)
    events = columns_of["events"].to_numpy() if "events" in columns_of else ones
    is_flagged = "stays" in columns_of
    stays = columns_of["stays"].to_numpy() if is_flagged else np.ones(len(at), np.bool_)
    rows = Rows(
        account=account[order],
        entity=entity[order],
        event=event[order],
        at=at[order],
        last_at=last_at[order],
        events=events[order],
        stays=stays[order],
    )
    return rows, order


def _pass_minimums(
    batches: Iterable[pa.RecordBatch], has_window: bool, min_co_actions: int, min_entities: int
) -> Iterator[pa.RecordBatch]:
    table = pa.Table.from_batches(batches) if (batches := list(batches)) else None
    if table is None or not len(table):
        return
    pairs = pair_kernels.by_accounts(
        Pairs(
            *(
                table.column(name).cast(pa.int64() if name.endswith("_at") else kind).to_numpy()
                for name, kind in zip(_ADDED_UP.names, _ADDED_UP.types, strict=True)
            )
        )
    )
    counted = None
    if "counts_as" in table.column_names:
        entities, places = np.unique(table.column("entity").to_numpy(), return_index=True)
        numbers = table.column("counts_as").fill_null(-1).to_numpy()[places]
        counted = numbers[np.searchsorted(entities, pairs.entity)]
    kept = pair_kernels.enough(pairs, counted, min_co_actions, min_entities)
    yield _as_batch(pairs, has_window).filter(pa.array(kept))


def _as_batch(pairs: Pairs, has_window: bool) -> pa.RecordBatch:
    absent = None if has_window else np.ones(len(pairs), np.bool_)
    arrays = [
        pa.array(pairs.account_a),
        pa.array(pairs.account_b),
        pa.array(pairs.entity),
        pa.array(pairs.co_actions),
        pa.array(pairs.time_delta, mask=absent),
        pa.array(pairs.first_at).cast(TIMESTAMP),
        pa.array(pairs.last_at).cast(TIMESTAMP),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=_ADDED_UP)
