"""Input files as queries of DuckDB: parquet, csv and jsonl, with the rows that cannot be parsed."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import duckdb

from graph.engines.base import NO_COLUMNS, UNPARSED, InputError
from graph.engines.duckdb_frames import TYPES, quoted

MAX_LINE_BYTES = 8 << 20
LONGEST_LINE_BYTES = 512 << 20
BUFFER_BYTES = 4 * MAX_LINE_BYTES

# Characters of a file's name that Spark writes as %XX where it names a row's file.
ESCAPED = '%" <>?#[]\\^`{|}'

JSON_TYPES = {"NULL": "VARCHAR", "JSON": "VARCHAR"}
"""What stands for DuckDB's types of JSON values; of mixed or unknown types the text is kept."""

WHOLE_TYPES = ("UBIGINT", "BIGINT", "HUGEINT")
WIDE = "DECIMAL(38,0)"
"""What holds whole numbers where some may not be an int64; Spark takes a decimal for them, too."""

LONG_INTEGER = r"[:,\[]\s*-?(9[2-9][0-9]{17}|[0-9]{20,})\s*[,}\]]"
"""What every line has that holds such a number. Others may, too: then only time is lost."""

_tables = count()


def query_of_files(
    connection: duckdb.DuckDBPyConnection,
    paths: Sequence[str],
    file_format: str,
    merge_columns: bool,
    source: str | None,
) -> str:
    """The query that reads the files under `paths`; see Engine.read."""
    read = {"parquet": _parquet, "csv": _csv, "jsonl": _jsonl}[file_format]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    where = f"cannot read {paths[0]}{more} as {file_format}"
    files = [str(file) for path in paths for file in _files(path, where)]
    if not files:
        raise InputError(f"{where}: there are no such files in it")
    name = "NULL" if source is None else _file_name(files)
    try:
        columns, query = read(connection, files, merge_columns)
    except (duckdb.Error, UnicodeDecodeError, OSError, csv.Error) as error:
        is_binary = file_format != "parquet" and re.search(
            "utf-?8|unicode|CSV Error", str(error), re.I
        )
        reason = NO_COLUMNS if is_binary else damaged(str(error)) or str(error)
        raise InputError(f"{where}: {reason}") from None
    if source is not None:
        columns = [*columns, f"{name} AS {quoted(source)}"]
    return f"SELECT {', '.join(columns)} FROM {query}"


def damaged(text: str) -> str | None:
    """What an error of DuckDB says of a file that it cannot make sense of, if it is one."""
    named = re.search(r"""file ["'](.+?)["']|["']([^"']+)["'] too small""", text)
    name = named and (named[1] or named[2])
    if name is None:
        return None
    if "is not valid UTF8" in text:
        return (
            f"{name} holds text that is not UTF-8, which the embedded engine cannot read: use "
            "--engine spark, which puts such rows aside"
        )
    return f"{name} is damaged or not of the declared format: replace it or check it"


def _files(path: str, where: str) -> Iterator[Path]:
    """The files of a folder and its key=value folders; names with a dot or underscore are not."""
    root = Path(path.removeprefix("file://"))
    if "://" in str(root):
        raise InputError(f"{where}: the embedded engine reads local files; use --engine spark")
    if not root.exists():
        raise InputError(f"{where}: there is nothing of that name")
    if not root.is_dir():
        yield root.absolute()
        return
    for file in sorted(root.iterdir()):
        if file.name[0] in "._":
            continue
        if file.is_file():
            yield file.absolute()
        elif "=" in file.name:
            yield from _files(str(file), where)


def _file_name(files: Sequence[str]) -> str:
    """SQL that names a row's file as Spark does: as a URL."""
    name = "filename"
    for character in ESCAPED:
        if any(character in file for file in files):
            name = f"replace({name}, {_text(character)}, '%{ord(character):02X}')"
    return f"'file://' || {name}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _list(files: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, files))}]"


def _parquet(
    connection: duckdb.DuckDBPyConnection, files: Sequence[str], merge_columns: bool
) -> tuple[list[str], str]:
    """Types that Spark has not are read as text."""
    query = (
        f"read_parquet({_list(files)}, union_by_name = {merge_columns}, "
        "hive_partitioning = false, filename = true)"
    )
    relation = connection.sql(f"FROM {query}")
    found = dict(zip(relation.columns, relation.types, strict=True))
    columns = [
        quoted(name) if _is_known(kind) else f"{quoted(name)}::VARCHAR AS {quoted(name)}"
        for name, kind in found.items()
        if name != "filename"
    ]
    if merge_columns:
        _check_types(connection, files, list(found))
    return columns, query


def _check_types(
    connection: duckdb.DuckDBPyConnection, files: Sequence[str], columns: Sequence[str]
) -> None:
    """Raise InputError for a column that is text in some files and something else in others."""
    mixed = connection.execute(
        f"""
        SELECT name FROM parquet_schema({_list(files)}) WHERE type IS NOT NULL AND name IN ?
        GROUP BY name HAVING bool_or(type = 'BYTE_ARRAY') AND bool_or(type != 'BYTE_ARRAY')
        """,
        [columns],
    ).fetchall()
    if mixed:
        raise InputError(
            f"{Path(files[0]).parent}: a column has one type in some files and another in others: "
            f"write them alike ({', '.join(sorted(name for (name,) in mixed))})"
        )


def _is_known(kind: Any) -> bool:
    return kind.id in ("list", "array", "struct", "map", "decimal") or str(kind) in TYPES


def _csv(
    connection: duckdb.DuckDBPyConnection, files: Sequence[str], merge_columns: bool
) -> tuple[list[str], str]:
    """All columns are text; rows of too few or too many fields, or an open quote, are kept whole.

    Columns go by their places, so all files must have the same header.
    """
    names = _header(files[0])
    for file in files[1:]:
        if _header(file) != names:
            raise InputError(
                f"{file} has other columns than the files beside it, or two of one name, or one "
                "without: give all of them the same header"
            )
    number = next(_tables)
    rows, errors, scans = (f"scratch_{kind}_{number}" for kind in ("csv", "errors", "scans"))
    types = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in names)
    connection.execute(f"""
        CREATE TABLE {rows} AS FROM read_csv(
            {_list(files)}, auto_detect = false, header = true, columns = {{{types}}},
            delim = ',', quote = '"', escape = '"', allow_quoted_nulls = false, filename = true,
            max_line_size = {MAX_LINE_BYTES}, buffer_size = {BUFFER_BYTES},
            store_rejects = true, rejects_limit = 0,
            rejects_table = '{errors}', rejects_scan = '{scans}'
        )
    """)
    # The tables of rejects belong to this connection; others are to read the rows.
    connection.execute(f"""
        CREATE TABLE {rows}_unparsed AS
        SELECT ltrim(any_value(csv_line), chr(10) || chr(13)) AS {UNPARSED}, file_path AS filename
        FROM {errors} JOIN {scans} USING (scan_id, file_id) GROUP BY file_path, line_byte_position
    """)
    query = f"(FROM {rows} UNION ALL BY NAME FROM {rows}_unparsed)"
    return [*map(quoted, names), UNPARSED], query


def _header(file: str) -> list[str]:
    opened = gzip.open if file.endswith(".gz") else open
    with opened(file, "rt", encoding="utf-8-sig", newline="") as lines:
        names = next(csv.reader(lines), [])
    return [name or f"_c{place}" for place, name in enumerate(names)]


def _jsonl(
    connection: duckdb.DuckDBPyConnection, files: Sequence[str], merge_columns: bool
) -> tuple[list[str], str]:
    """Each object is a row; lines that are no object are kept whole, blank ones are nothing."""
    lines = f"scratch_lines_{next(_tables)}"
    _store_lines(connection, files, lines)
    structure = connection.execute(
        f"SELECT json_group_structure(row::JSON) FROM {lines}"
    ).fetchall()[0][0]
    found = json.loads(structure or "null")
    if not isinstance(found, dict):  # no object has a key: all that DuckDB tells is a type
        return [UNPARSED], lines
    if _any_row(connection, lines, LONG_INTEGER):
        found = {
            name: "HUGEINT" if kind == "DOUBLE" and _is_whole(connection, lines, name) else kind
            for name, kind in found.items()
        }
        whole = WIDE
    else:
        whole = "BIGINT"
    types = {name: _json_type(kind, whole) for name, kind in found.items()}
    query = f"""(
        SELECT unnest(json_transform(row, {_text(json.dumps(types))})), {UNPARSED}, filename
        FROM {lines}
    )"""
    return [*map(quoted, types), UNPARSED], query


def _store_lines(connection: duckdb.DuckDBPyConnection, files: Sequence[str], table: str) -> None:
    """Make a table of lines: those that are an object as `row`, others as UNPARSED."""
    is_row = "CASE WHEN json_valid(line) THEN json_type(line) END = 'OBJECT'"
    longest = MAX_LINE_BYTES
    while True:
        try:
            connection.execute(f"""
                CREATE TABLE {table} AS
                SELECT CASE WHEN {is_row} THEN line END AS row,
                       CASE WHEN {is_row} THEN NULL ELSE line END AS {UNPARSED}, filename
                FROM (
                    SELECT ltrim(line, chr(65279)) AS line, filename
                    FROM read_csv(
                        {_list(files)}, auto_detect = false, header = false,
                        columns = {{line: 'VARCHAR'}}, delim = '\x01', quote = '', escape = '',
                        max_line_size = {longest}, buffer_size = {max(longest, BUFFER_BYTES)},
                        filename = true
                    )
                )
                WHERE trim(line) != ''
            """)
            return
        except duckdb.InvalidInputException as error:
            if "Maximum line size" not in str(error):
                raise
            if longest == LONGEST_LINE_BYTES:
                raise InputError(
                    f"{files[0]} or a file beside it has a line of more than {longest >> 20} MiB"
                ) from None
            longest = LONGEST_LINE_BYTES  # which takes its memory, so only where it must be


def _any_row(connection: duckdb.DuckDBPyConnection, lines: str, pattern: str) -> bool:
    query = f"SELECT count(*) FROM {lines} WHERE regexp_matches(row, {_text(pattern)})"
    return bool(connection.execute(query).fetchall()[0][0])


def _is_whole(connection: duckdb.DuckDBPyConnection, lines: str, name: str) -> bool:
    """Whether what DuckDB takes for doubles are whole numbers that it has no integer for."""
    value = f"json_extract(row, {_text('$.' + json.dumps(name, ensure_ascii=False))})::VARCHAR"
    query = f"SELECT bool_and(regexp_matches({value}, '^(-?[0-9]{{1,38}}|null)$')) FROM {lines}"
    return bool(connection.execute(query).fetchall()[0][0])


def _json_type(kind: Any, whole: str) -> Any:
    if isinstance(kind, list):
        return [_json_type(kind[0], whole)]
    if isinstance(kind, dict):
        return {name: _json_type(child, whole) for name, child in kind.items()}
    return whole if kind in WHOLE_TYPES else JSON_TYPES.get(kind, kind)
