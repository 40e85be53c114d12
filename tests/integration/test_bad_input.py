"""What is wrong is said in one line that helps, with its exit code; nothing is published."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graph.engines.base import Engine
from tests.integration.sites import DAY, Row, Site, event, seconds, write_log

GOOD = [event(account) for account in ("ann", "bob", "cem")]
COLUMNS = ("account_id", "event_time", "device_id")
LOG = "log.parquet"


@pytest.mark.embedded
@pytest.mark.parametrize("ds", ["22.11.2026", "2026-11-31", "yesterday"])
def test_a_wrong_date_ends_with_2(site: Site, capsys: pytest.CaptureFixture[str], ds: str) -> None:
    site.configure(LOG, COLUMNS)
    assert site.build("--ds", ds) == 2
    message = f"argument --ds: '{ds}' is not a day: write it as 2026-11-22"
    assert capsys.readouterr().err.splitlines()[-1].endswith(message)


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"look_back": "3d"},
            "site.yaml, line 1: look_back: unknown setting; did you mean lookback?",
        ),
        (
            {"networks": {"min_sise": 4}},
            "networks.min_sise: unknown setting; did you mean min_size?",
        ),
        (
            {"hubs": {"device": {"hrad": 9}}},
            "hubs.device.hrad: unknown setting; did you mean hard?",
        ),
        ({"lookback": "3 days"}, "lookback: '3 days' is not a duration"),
        (
            {"traces": {"mine": {"entity": "shoe", "family": "device"}}},
            "'shoe' is not an entity type",
        ),
    ],
    ids=str,
)
def test_a_wrong_setting_ends_with_2_and_names_the_nearest(
    site: Site, fails: Callable[..., None], settings: Row, message: str
) -> None:
    site.configure(LOG, COLUMNS, **settings)
    fails(2, message)


def garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 20)


def truncated(path: Path) -> None:
    write_log(path, GOOD * 1000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty_folder(path: Path) -> None:
    path.mkdir()


def other_day(path: Path) -> None:
    write_log(path / "ds=2026-11-21" / "a.parquet", GOOD)


def day_without_files(path: Path) -> None:
    other_day(path)
    (path / "ds=2026-11-22").mkdir()
    (path / "ds=2026-11-22" / "_SUCCESS").touch()


def no_rows(path: Path) -> None:
    write_log(path, [], pa.Table.from_pylist(GOOD).schema)


def only_yesterday(path: Path) -> None:
    write_log(path, [event(account, ds=DAY - timedelta(days=1)) for account in "abc"])


def in_milliseconds(path: Path) -> None:
    write_log(path, [row | {"event_time": row["event_time"] * 1000} for row in GOOD])


def no_device(path: Path) -> None:
    write_log(path, [{"account_id": "ann", "event_time": seconds(), "device_uid": "x", "os": 1}])


def ids_as_floats(path: Path) -> None:
    write_log(path, [row | {"account_id": 1234567890123456789.0} for row in GOOD])


def ids_in_objects(path: Path) -> None:
    write_log(path, [row | {"device_id": {"id": "x"}} for row in GOOD])


def times_as_flags(path: Path) -> None:
    write_log(path, [row | {"event_time": True} for row in GOOD])


def nanoseconds(path: Path) -> None:
    times = pa.array([seconds() * 10**9], pa.timestamp("ns"))
    pq.write_table(pa.table({"account_id": ["a"], "event_time": times, "device_id": ["x"]}), path)


def types_that_differ(path: Path) -> None:
    write_log(path / "ds=2026-11-21" / "a.parquet", [row | {"account_id": 1} for row in GOOD])
    write_log(path / "ds=2026-11-22" / "a.parquet", GOOD)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (garbage, "log.parquet is damaged or not of the declared format: replace it or check it"),
        (truncated, "log.parquet is damaged or not of the declared format"),
        (Path.touch, "log.parquet is damaged or not of the declared format"),
        (lambda path: None, "events.path: there is nothing at "),
        (empty_folder, "log.parquet as parquet: there are no such files in it"),
        (other_day, "log.parquet has no folder ds=2026-11-22: is the day ready?"),
        (day_without_files, "ds=2026-11-22 has no files: is the day ready?"),
        (no_rows, "log.parquet: no rows in the look-back that ends at 2026-11-22"),
        (
            only_yesterday,
            "log.parquet: no usable event on 2026-11-22 itself; its times are from 2026-11-21 to "
            "2026-11-21: is the day complete",
        ),
        (in_milliseconds, "from 58862-05-04 to 58862-05-04: is the day complete, and are the"),
        (
            no_device,
            "no column 'device_id' for device_id (events.columns.device_id); did you mean "
            "'device_uid'?; its columns are account_id, event_time, device_uid, os",
        ),
        (ids_as_floats, "column 'account_id' is of type double"),
        (ids_in_objects, "column 'device_id' is of type struct<id:string>"),
        (times_as_flags, "column 'event_time' is of type boolean, which is no time"),
        pytest.param(
            nanoseconds,
            "does not read times in nanoseconds: write them in microseconds",
            marks=pytest.mark.spark,
        ),
        (types_that_differ, "a column has one type in some files and another in others"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_log_that_cannot_be_used_ends_with_3(
    site: Site, fails: Callable[..., None], write: Callable[[Path], None], message: str
) -> None:
    site.configure(LOG, COLUMNS)
    write(site.folder / LOG)
    fails(3, message)


def test_the_embedded_engine_says_what_to_do_about_bytes_that_are_no_text(
    tmp_path: Path, duckdb_engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(tmp_path, duckdb_engine)
    site.configure("log", COLUMNS)
    bytes_that_are_no_text(site.folder / "log")
    assert site.build() == 3
    assert "holds text that is not UTF-8, which the embedded engine" in capsys.readouterr().err


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_a_binary_file_that_claims_to_be_text_ends_with_3(
    site: Site, fails: Callable[..., None], file_format: str
) -> None:
    site.configure("log", COLUMNS, {"format": file_format})
    write_log(site.folder / "log", GOOD)
    fails(3, "it holds no readable columns at all: is it of the format that `format` says?")


WRITERS = {
    "parquet": write_log,
    "csv": lambda path, rows: path.write_text(csv_text(rows)),
    "jsonl": lambda path, rows: path.write_text("\n".join(map(json.dumps, rows))),
}


def csv_text(rows: list[Row]) -> str:
    lines = [rows[0], *(row.values() for row in rows)]
    return "\n".join(",".join(map(str, line)) for line in lines)


@pytest.mark.parametrize(
    ("declared", "true"), [pair for pair in product(WRITERS, WRITERS) if len(set(pair)) == 2]
)
def test_a_log_of_another_format_than_declared_ends_with_3(
    site: Site, fails: Callable[..., None], declared: str, true: str
) -> None:
    site.configure("log", COLUMNS, {"format": declared})
    WRITERS[true](site.folder / "log", GOOD)
    fails(3, "of the declared format" if declared == "parquet" else "that `format` says?")


@pytest.mark.parametrize("text", ["", "\n", "{}\n{}\n", "[1]\n", "7\n", "null"])
def test_json_lines_without_a_single_key_end_with_3(
    site: Site, fails: Callable[..., None], text: str
) -> None:
    site.configure("log", COLUMNS, {"format": "jsonl"})
    (site.folder / "log").write_text(text)
    fails(3, "it holds no readable columns at all: is it of the format that `format` says?")


@pytest.mark.embedded
@pytest.mark.parametrize(("declared", "true"), [("csv", "jsonl"), ("jsonl", "csv")])
def test_a_small_table_of_another_format_than_declared_ends_with_3(
    site: Site, fails: Callable[..., None], declared: str, true: str
) -> None:
    table = site.folder / "table"
    site.configure(LOG, COLUMNS, inputs={"accounts": {"path": str(table), "format": declared}})
    write_log(site.folder / LOG, GOOD)
    WRITERS[true](table, [{"account_id": "ann", "market": "SE"}])
    fails(3, "inputs.accounts: ")
    assert "that `format` says?" in site.manifest("build_graph")["reason"]


@pytest.mark.parametrize(
    "other",
    ["device_id,event_time,account_id\nx,{t},bob\n", "account_id,event_time\nbob,{t}\n"],
    ids=["order", "number"],
)
def test_csv_files_with_different_headers_end_with_3(
    site: Site, fails: Callable[..., None], other: str
) -> None:
    """Spark would take the second file's columns by their places: devices for accounts."""
    site.configure("log", COLUMNS, {"format": "csv"})
    (site.folder / "log").mkdir()
    first = f"account_id,event_time,device_id\nann,{seconds()},x\n"
    (site.folder / "log" / "1.csv").write_text(first)
    (site.folder / "log" / "2.csv").write_text(other.format(t=seconds()))
    fails(3, ".csv has other columns than the files beside it")


def test_a_day_with_only_bad_rows_ends_with_4_and_counts_them_by_reason(
    site: Site, fails: Callable[..., None]
) -> None:
    site.configure(LOG, COLUMNS, max_quarantine_ratio=0.5)
    bad = [{"account_id": ""}, {"account_id": None}, {"event_time": None}]
    write_log(site.folder / LOG, [event("ann") | each for each in bad])
    fails(
        4,
        "quarantine: 3 of 3 rows are unusable (100.0%, limit 50.0%: max_quarantine_ratio); "
        "no account: 2 (column 'account_id', e.g. ''), no readable time: 1 (column 'event_time')",
    )


@pytest.mark.embedded
def test_times_from_a_wrong_column_are_named_with_an_example(
    site: Site, fails: Callable[..., None]
) -> None:
    columns = {"account_id": "account_id", "event_time": "event_type", "device_id": "device_id"}
    site.configure(LOG, columns)
    write_log(site.folder / LOG, GOOD)
    fails(4, "max_quarantine_ratio); no readable time: 3 (column 'event_type', e.g. 'post')")


def test_more_bad_rows_than_the_limit_end_with_4(site: Site, fails: Callable[..., None]) -> None:
    site.configure(LOG, COLUMNS)
    write_log(site.folder / LOG, [*GOOD * 6, event("")])
    fails(4, "quarantine: 1 of 19 rows are unusable (5.3%, limit 5.0%: max_quarantine_ratio)")


def csv_with_other_numbers_of_fields(path: Path) -> None:
    header = "account_id,event_time,device_id\n"
    path.write_text(f'{header}ann,{seconds()},x\nbob,{seconds()},x,y\ncem,{seconds()}\n,,"a\nb"\n')


def broken_json_lines(path: Path) -> None:
    lines = [*map(json.dumps, GOOD), '{"account_id": "dan"', "{]", '{"account_id": "eve"}']
    path.write_text("\n".join(lines))


def bytes_that_are_no_text(path: Path) -> None:
    ids = pa.array([b"x", b"\xff\xfe"])
    devices = pa.Array.from_buffers(pa.string(), len(ids), ids.buffers())
    times = [seconds()] * len(ids)
    pq.write_table(
        pa.table({"account_id": ["ann", "bob"], "event_time": times, "device_id": devices}), path
    )


@pytest.mark.parametrize(
    ("file_format", "write", "message"),
    [
        (
            "csv",
            csv_with_other_numbers_of_fields,
            "3 of 4 rows {}no account: 1 (column 'account_id'), unreadable row: 2",
        ),
        (
            "jsonl",
            broken_json_lines,
            "3 of 6 rows {}no readable time: 1 (column 'event_time'), unreadable row: 2",
        ),
        pytest.param(
            "parquet",
            bytes_that_are_no_text,
            "1 of 2 rows {}text that is not UTF-8: 1",
            marks=pytest.mark.spark,
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_rows_that_cannot_be_parsed_are_counted_too(
    site: Site,
    fails: Callable[..., None],
    file_format: str,
    write: Callable[[Path], None],
    message: str,
) -> None:
    site.configure("log", COLUMNS, {"format": file_format})
    write(site.folder / "log")
    before, after = message.split("{}")
    fails(4, before)
    assert site.manifest("build_graph")["reason"].endswith("; " + after)


@pytest.mark.embedded
def test_detect_networks_before_build_graph_ends_with_3(
    site: Site, fails: Callable[..., None]
) -> None:
    site.configure(LOG, COLUMNS)
    fails(3, "no day 2026-11-22 in ", job="detect_networks")


@pytest.mark.embedded
def test_detect_networks_without_any_trace_ends_with_2(
    site: Site, fails: Callable[..., None]
) -> None:
    site.configure(LOG, COLUMNS)
    fails(
        2,
        "traces: every trace is switched off; nothing can link accounts",
        "--set",
        "traces.shared_device=none",
        job="detect_networks",
    )


@pytest.mark.embedded
def test_a_home_that_is_a_file_ends_with_5(site: Site, fails: Callable[..., None]) -> None:
    site.configure(LOG, COLUMNS)
    site.home.touch()
    fails(5, "home/warehouse: Not a directory; set `home` to a folder that can be written")


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Nothing is read-only to root."""
    user = os.geteuid()
    os.seteuid(user or 65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.embedded
@pytest.mark.parametrize("closed", ["home", "home/warehouse"])
def test_a_home_that_cannot_be_written_ends_with_5(
    any_engine: Engine, capsys: pytest.CaptureFixture[str], closed: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        site = Site(folder, any_engine)
        site.configure(LOG, COLUMNS)
        (folder / closed).mkdir(parents=True)
        (folder / closed).chmod(0o555)
        with as_ordinary_user():
            assert site.build() == 5
    printed = capsys.readouterr().err
    assert "warehouse: Permission denied; set `home` to a folder that can be written" in printed
    assert "Traceback" not in printed
