"""Tables are written in their declared form, checked, and replaced together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from graph.engines.base import DependencyError, Engine, InputError
from graph.ledger import read_ledger
from graph.tables import TIMESTAMP, Table, columns, sql_type
from jobs.errors import DataStop
from jobs.warehouse import Publication, Warehouse

EDGES = Table(
    name="edges",
    grain="account and entity",
    key=("account_id", "entity_id"),
    schema=columns(account_id="string", entity_id="string", events="int64", seen_at=TIMESTAMP),
)
DAY = date(2026, 11, 22)
SEEN = datetime(2026, 11, 22, 3, 4, 5, 678901, tzinfo=UTC)


def rows(*edges: tuple[str | None, str | None, int]) -> pa.Table:
    account, entity, events = zip(*edges, strict=True) if edges else ((), (), ())
    return pa.table(
        {
            "unused": pa.array([True] * len(edges)),
            "events": pa.array(events, pa.int32()),
            "entity_id": pa.array(entity, pa.string()),
            "account_id": pa.array(account, pa.string()),
            "seen_at": pa.array([SEEN] * len(edges), TIMESTAMP),
        }
    )


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    warehouse = Warehouse(tmp_path / "home" / "warehouse")
    warehouse.create()
    return warehouse


def publish(warehouse: Warehouse, engine: Engine, run_id: str, table: pa.Table) -> int:
    with warehouse.writing("test"):
        publication = Publication(warehouse, engine, run_id)
        count = publication.stage(EDGES, DAY, engine.from_arrow(table))
        publication.publish()
    return count


def test_a_table_is_published_in_its_declared_form(warehouse: Warehouse, engine: Engine) -> None:
    assert publish(warehouse, engine, "first", rows(("u1", "d1", 2), ("u2", "d1", 1))) == 2
    published = engine.to_arrow(warehouse.read(engine, EDGES, DAY).orderBy("account_id"))
    assert published.schema.names == EDGES.columns
    assert published.schema.types == EDGES.schema.types
    assert published.to_pylist()[0] == {
        "account_id": "u1",
        "entity_id": "d1",
        "events": 2,
        "seen_at": SEEN,
    }
    assert warehouse.describe("edges", DAY) == {
        "table": "edges",
        "grain": "account and entity",
        "key": ["account_id", "entity_id"],
        "schema_version": 1,
        "columns": {
            "account_id": "string",
            "entity_id": "string",
            "events": "int64",
            "seen_at": "timestamp[us, tz=UTC]",
        },
        "rows": 2,
        "run_id": "first",
    }


def test_a_rerun_replaces_the_day_even_by_nothing(warehouse: Warehouse, engine: Engine) -> None:
    publish(warehouse, engine, "first", rows(("u1", "d1", 2)))
    publish(warehouse, engine, "second", rows())
    assert warehouse.read(engine, EDGES, DAY).count() == 0
    assert warehouse.tables() == ["edges"]


def test_a_run_reads_its_own_staged_tables_and_others_do_not(
    warehouse: Warehouse, engine: Engine
) -> None:
    publish(warehouse, engine, "first", rows(("u1", "d1", 2)))
    with warehouse.writing("test"):
        publication = Publication(warehouse, engine, "second")
        publication.stage(EDGES, DAY, engine.from_arrow(rows(("u2", "d2", 1), ("u3", "d2", 1))))
        assert publication.read(EDGES, DAY).count() == 2
        assert warehouse.read(engine, EDGES, DAY).count() == 1
        warehouse.discard_staged()
        assert publication.read(EDGES, DAY).count() == 1


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (rows(("u1", "d1", 1), ("u1", "d1", 2)), "2 rows have only 1 different account_id, ent"),
        (rows(("u1", None, 1), ("u2", "d1", 2)), "1 of 2 rows have a null account_id, entity_id"),
        (rows(("u1", "d1", 1)).drop_columns("events"), "table edges lacks events"),
    ],
)
def test_a_table_that_breaks_its_declaration_is_not_published(
    warehouse: Warehouse, engine: Engine, table: pa.Table, message: str
) -> None:
    publish(warehouse, engine, "first", rows(("u9", "d9", 9)))
    with pytest.raises(DataStop, match=message):
        publish(warehouse, engine, "second", table)
    warehouse.recover("test")
    assert engine.to_arrow(warehouse.read(engine, EDGES, DAY))["account_id"].to_pylist() == ["u9"]


def test_the_same_table_cannot_be_staged_twice(warehouse: Warehouse, engine: Engine) -> None:
    publication = Publication(warehouse, engine, "first")
    publication.stage(EDGES, DAY, engine.from_arrow(rows(("u1", "d1", 1))))
    with pytest.raises(ValueError, match="staged twice"):
        publication.stage(EDGES, DAY, engine.from_arrow(rows(("u1", "d1", 1))))


def test_days_are_found_in_order(warehouse: Warehouse) -> None:
    for day in ("2026-11-20", "2026-11-22", "2026-09-30", "not-a-day"):
        (warehouse.folder / "edges" / f"ds={day}").mkdir(parents=True)
    days = [date(2026, 9, 30), date(2026, 11, 20), DAY]
    assert warehouse.days("edges") == days
    assert warehouse.latest_before("edges", DAY) == days[1]
    assert warehouse.latest_before("edges", days[0]) is None
    assert warehouse.days("links") == []


def test_a_missing_or_outdated_day_says_what_to_run(warehouse: Warehouse, engine: Engine) -> None:
    with pytest.raises(InputError, match="table edges has no day 2026-11-22"):
        warehouse.read(engine, EDGES, DAY)
    publish(warehouse, engine, "first", rows(("u1", "d1", 2)))
    newer = replace(EDGES, version=2)
    with pytest.raises(InputError, match=r"schema version 1, this program's is 2\): run the job"):
        warehouse.read(engine, newer, DAY)
    changed = replace(EDGES, schema=EDGES.schema.append(pa.field("kind", pa.string())))
    with pytest.raises(InputError, match="was written in another form"):
        warehouse.read(engine, changed, DAY)


def test_home_is_closed_to_other_users(warehouse: Warehouse) -> None:
    for folder in (warehouse.folder, warehouse.folder.parent):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_home_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DependencyError, match=r"cannot write to .*; set `home`"):
        Warehouse(tmp_path / "file" / "home" / "warehouse").create()


def test_every_type_that_tables_may_have_is_known() -> None:
    assert sql_type(pa.list_(pa.string())) == "array<string>"
    assert sql_type(pa.struct({"a": pa.int64(), "b": TIMESTAMP})) == "struct<a:bigint,b:timestamp>"
    with pytest.raises(ValueError, match="decimal128"):
        sql_type(pa.decimal128(10, 2))


def append(warehouse: Warehouse, engine: Engine, run_id: str, table: pa.Table) -> int:
    with warehouse.writing("test"):
        publication = Publication(warehouse, engine, run_id)
        count = publication.append(EDGES, engine.from_arrow(table))
        publication.publish()
    return count


def test_a_ledger_grows_with_the_tables_of_a_run(warehouse: Warehouse, engine: Engine) -> None:
    assert append(warehouse, engine, "first", rows(("u1", "d1", 2))) == 1
    assert append(warehouse, engine, "second", rows()) == 0
    assert append(warehouse, engine, "third", rows(("u2", "d1", 1))) == 1
    ledger = read_ledger(warehouse.folder.parent, EDGES)
    assert ledger.column("account_id").to_pylist() == ["u1", "u2"]


def test_a_ledger_refuses_a_key_that_it_has(warehouse: Warehouse, engine: Engine) -> None:
    append(warehouse, engine, "first", rows(("u1", "d1", 2)))
    with pytest.raises(DataStop, match="ledger edges: 1 of 2 new rows have a key it has"):
        append(warehouse, engine, "second", rows(("u1", "d1", 3), ("u2", "d1", 1)))
    assert read_ledger(warehouse.folder.parent, EDGES).num_rows == 1


@pytest.mark.parametrize(
    "edges",
    [
        pytest.param([("u1", "d1", 1), ("u1", "d1", 2)], id="a key twice"),
        pytest.param([(None, "d1", 1)], id="no key"),
    ],
)
def test_a_ledger_refuses_rows_without_a_key_of_their_own(
    warehouse: Warehouse, engine: Engine, edges: list[tuple[str | None, str, int]]
) -> None:
    with pytest.raises(DataStop, match="table edges"):
        append(warehouse, engine, "first", rows(*edges))
    assert read_ledger(warehouse.folder.parent, EDGES).num_rows == 0
