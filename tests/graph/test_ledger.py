"""A ledger keeps every row that was ever appended, in order."""

from pathlib import Path

import pyarrow as pa

from graph.engines.base import Engine
from graph.ledger import appends, ledger_frame, read_ledger
from graph.tables import Table, columns
from tests.ledger_rows import append_to_ledger

NOTES = Table("notes", "note", ("note_id",), columns(note_id="string", words="string"))


def notes(*rows: tuple[str | None, str]) -> pa.Table:
    listed = [{"note_id": note_id, "words": words} for note_id, words in rows]
    return pa.Table.from_pylist(listed, NOTES.schema)


def test_rows_come_back_in_the_order_they_were_appended(tmp_path: Path) -> None:
    append_to_ledger(tmp_path, NOTES, notes(("b", "first"), ("a", "second")), "run-1")
    append_to_ledger(tmp_path, NOTES, notes(("c", "third")), "run-0")
    assert read_ledger(tmp_path, NOTES).column("words").to_pylist() == ["first", "second", "third"]
    assert [folder.name for folder in appends(tmp_path, NOTES)] == [
        "00000001-run-1",
        "00000002-run-0",
    ]


def test_an_empty_ledger_has_its_columns_and_no_rows(engine: Engine, tmp_path: Path) -> None:
    assert read_ledger(tmp_path, NOTES).schema == NOTES.schema
    assert ledger_frame(engine, tmp_path, NOTES).count() == 0


def test_engines_read_what_arrow_appended(engine: Engine, tmp_path: Path) -> None:
    append_to_ledger(tmp_path, NOTES, notes(("a", "one")), "x")
    append_to_ledger(tmp_path, NOTES, notes(("b", "two")), "y")
    rows = engine.to_arrow(ledger_frame(engine, tmp_path, NOTES)).to_pylist()
    assert sorted(row["words"] for row in rows) == ["one", "two"]


def test_what_older_rows_do_not_have_is_null(engine: Engine, tmp_path: Path) -> None:
    append_to_ledger(tmp_path, NOTES, notes(("a", "one")), "x")
    kinds = {"read": "bool", "at": pa.timestamp("us", "UTC"), "marks": pa.list_(pa.string())}
    schema = columns(note_id="string", words="string", **kinds)
    newer = Table("notes", "note", ("note_id",), schema)
    for appended in (False, True):
        if appended:
            row = {"note_id": "b", "words": "two", "read": True, "marks": ["x"]}
            append_to_ledger(tmp_path, newer, pa.Table.from_pylist([row], schema), "y")
        found = engine.to_arrow(ledger_frame(engine, tmp_path, newer)).to_pylist()
        (old,) = (row for row in found if row["note_id"] == "a")
        assert old == {"note_id": "a", "words": "one", **dict.fromkeys(kinds)}
        assert read_ledger(tmp_path, newer).column("read").to_pylist()[0] is None


def test_a_half_written_append_is_not_read(tmp_path: Path) -> None:
    append_to_ledger(tmp_path, NOTES, notes(("a", "one")), "x")
    half = tmp_path / "ledger" / "notes" / "_00000002-y"
    half.mkdir()
    (half / "part-00000.parquet").write_bytes(b"PAR1 and no more")
    assert read_ledger(tmp_path, NOTES).num_rows == 1
    append_to_ledger(tmp_path, NOTES, notes(("b", "two")), "y")
    assert read_ledger(tmp_path, NOTES).column("note_id").to_pylist() == ["a", "b"]
