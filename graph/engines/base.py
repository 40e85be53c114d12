"""What differs between engines, and nothing else; all rules are DataFrame code above this."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol, TypeVar

import pyarrow as pa

from graph.frames import DataFrame

Item = TypeVar("Item")
Result = TypeVar("Result")

BatchFunction = Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]
"""Maps the record batches of one partition to record batches of the declared schema."""

GroupFunction = Callable[[pa.Table], pa.Table]
"""Maps all rows of one group to rows of the declared schema."""


UNPARSED = "_corrupt_record"
"""The column in which `Engine.read` keeps a row of csv or jsonl that it could not parse."""


NO_COLUMNS = "it holds no readable columns at all: is it of the format that `format` says?"
"""What an InputError says of a file of another format than declared."""


class InputError(Exception):
    """An input is missing or cannot be read; the message names it and what to do (exit 3)."""


class DependencyError(Exception):
    """Something the run depends on is missing or down; the message says how to get it (exit 5)."""


class KeyCounts(NamedTuple):
    """Rows of keys: all, those without a null, and the different hashes of the latter."""

    rows: int
    whole: int
    hashes: int


class Engine(Protocol):
    """One open session of Spark or of an embedded engine."""

    name: str
    api_root: str
    scratch: str
    """The folder of what the run needs meanwhile: all machines of the engine reach it.

    It is a URL where they share a store and no disk. Files elsewhere are carried (graph/reach.py).
    """
    streams_components: bool
    """Whether `connected_components` reads links as they come, in memory that accounts bound."""
    on_one_machine: bool
    """Whether all tasks of `map_arrow` run on this machine, and see what one writes to scratch."""

    def read(
        self,
        paths: Sequence[str],
        file_format: str,
        merge_columns: bool = False,
        source: str | None = None,
    ) -> DataFrame:
        """Read files or folders of parquet, csv or jsonl as one frame.

        csv has a header and its columns are strings. Rows of csv and jsonl that cannot be parsed
        are kept whole in the column UNPARSED, which is absent or null elsewhere. With
        `merge_columns`, a parquet file may lack columns that others have; they are null. `source`
        names a column to be added that holds the URL of each row's file. Raises InputError when a
        path is missing or unreadable.
        """

    def write(self, frame: DataFrame, path: str, files: int | None = None) -> None:
        """Write a frame as a new folder of parquet files; `files` bounds their number."""

    def materialize(self, frame: DataFrame, name: str) -> DataFrame:
        """Compute a frame once, under the run's scratch folder, and return it read back.

        Cuts lineage: what is used twice is not computed twice. A name used again replaces the
        earlier frame, which must no longer be read.
        """

    def from_arrow(self, table: pa.Table) -> DataFrame:
        """Turn a small in-memory table into a frame."""

    def to_arrow(self, frame: DataFrame) -> pa.Table:
        """Collect a frame; only for frames of a documented bound."""

    def count_keys(self, frame: DataFrame) -> KeyCounts:
        """Count the rows of a frame, those without a null, and their different 64-bit hashes."""

    def map_arrow(
        self,
        frame: DataFrame,
        function: BatchFunction,
        schema: pa.Schema,
        together: Sequence[str] = (),
    ) -> DataFrame:
        """Apply a function to each partition's record batches.

        Rows of equal values of the columns `together` share a partition; which others do is up to
        the engine.
        """

    def map_groups_arrow(
        self, frame: DataFrame, keys: Sequence[str], function: GroupFunction, schema: pa.Schema
    ) -> DataFrame:
        """Apply a function to all rows of each group of equal keys."""

    def independent(self, step: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Take a step for each item, at once where that fills the machine; results in their order.

        The steps share no name of a materialized frame. The first error is raised.
        """

    def connected_components(self, links: DataFrame) -> DataFrame:
        """Find components of any size by the engine's own means.

        From links account_a, account_b to rows account_id, component_id (the smallest member),
        and size, where the engine knows it.
        Raises DependencyError when the engine's graph library is missing.
        """

    def close(self) -> None:
        """End the session and remove the run's scratch folder."""
