"""Opening the engine that a run asks for, with settings that fit the machine and the input."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

from graph.config import Config
from graph.engines.base import DependencyError, Engine
from graph.filesystems import remove_all
from graph.frames import engine_api
from jobs.errors import ConfigError, as_stop
from jobs.files import remove
from jobs.interrupts import heard_at_once
from jobs.java import QUICK_COMPILER, require_java
from jobs.log_files import log_bytes

SCRATCH = "_scratch"
"""The folder on a store for what the machines of a cluster need meanwhile."""

GIB = 1 << 30
MEMORY_SHARE = 0.4

# DuckDB keeps within its limit and spills beyond it; numpy and compiled loops work beside it. Some
# aggregates must fit: 10 million events, 270 MB of parquet, end at 2 GiB and are done in 3. What is
# too large for comfort gets more: the graph of 100 million could not be built in 6 GiB, and was in
# 9.6, which is 60 % of 16.
DUCKDB_MEMORY_SHARE = 0.4
MOST_DUCKDB_MEMORY_SHARE = 0.6
MIN_DUCKDB_GIB = 2.0
DUCKDB_TIMES_INPUT = {"parquet": 12.0, "csv": 2.4, "jsonl": 2.4}
LITTLE_MEMORY = {
    "memory_limit": "768MiB",
    "threads": "2",
    "allocator_background_threads": "true",
    "allocator_flush_threshold": "8MiB",
}
"""What suffices where no log is read and most of the work is done in Python.

By default DuckDB's allocator keeps what it once had, a few hundred MiB, while Python works.
"""

CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
MAX_MEMORY_GIB = 6
MIN_MEMORY_GIB = 1

# Bytes of input for one partition of a shuffle. Measured on 10 million events: aggregates of
# nearly distinct keys are fastest with 64 partitions. Text is about five times larger than parquet.
PARTITION_BYTES = {"parquet": 8 << 20, "csv": 40 << 20, "jsonl": 40 << 20}
MAX_PARTITIONS = 2000
SMALL_BYTES = 32 << 20


def engine_name(asked: str | None, config: Config) -> str:
    """The engine of a run: as asked, else Spark where a master is configured, else DuckDB.

    Raises ConfigError when spark-submit is to start anything but Spark.
    """
    if under_spark_submit():
        if asked == "duckdb":
            raise ConfigError("--engine duckdb: spark-submit is always Spark; use `actorgraph`")
        return "spark"
    return asked or ("spark" if "spark.master" in config.spark else "duckdb")


@contextmanager
def engine_session(
    name: str,
    application: str,
    config: Config,
    scratch: Path,
    jar: Path | None = None,
    ds: date | None = None,
) -> Iterator[Engine]:
    """Open an engine, make its API the active one, and close it at the end.

    `jar` is the JVM half of GraphFrames, if the run needs it; `ds` the day whose look-back of the
    log the settings are to fit. Raises ConfigError for a setting that the engine does not know,
    DependencyError when the engine cannot be started.
    """
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    if name == "duckdb":
        opened = _duckdb_session(config, scratch, ds)
    else:
        opened = _spark_session(application, config, scratch, jar, ds)
    try:
        with opened as engine, engine_api(engine.api_root):
            yield engine
    finally:
        remove(scratch)


@contextmanager
def _duckdb_session(config: Config, scratch: Path, ds: date | None) -> Iterator[Engine]:
    from graph.engines.duckdb import UnknownSetting, open_duckdb

    try:
        engine = open_duckdb(scratch, duckdb_settings(config, scratch, ds))
    except UnknownSetting as error:
        raise ConfigError(f"duckdb: {error}") from None
    try:
        # Where one of its threads has all the work, DuckDB does not ask for signals meanwhile.
        with heard_at_once(engine.interrupt):
            yield engine
    finally:
        engine.close()


@contextmanager
def _spark_session(
    application: str, config: Config, scratch: Path, jar: Path | None, ds: date | None
) -> Iterator[Engine]:
    from graph.engines.spark import open_spark
    from graph.engines.spark_session import kill_jvm

    if not under_spark_submit():
        os.environ["JAVA_HOME"] = str(require_java().home)
    store = f"{config.warehouse}/{SCRATCH}" if config.warehouse else None
    settings = spark_settings(config, scratch, jar, ds)
    engine = open_spark(application, scratch, settings, store)
    try:
        with _empty(store):
            yield engine
    except BaseException as error:
        # After an interrupt, or once Java is gone, there is nothing more to be said to it.
        gone = isinstance(as_stop(error), KeyboardInterrupt | DependencyError)
        kill_jvm() if gone else engine.close()
        raise
    engine.close()


@contextmanager
def _empty(store: str | None) -> Iterator[None]:
    """Empty a folder on a store before, of a run that was killed, and after."""
    if store is None:
        yield
        return
    remove_all(store)
    try:
        yield
    finally:
        remove_all(store)


def duckdb_settings(config: Config, scratch: Path, ds: date | None = None) -> dict[str, str]:
    """The DuckDB settings of a run: what fits the input and the machine, then the config's own."""
    needed = (log_bytes(config, ds) or 0) * DUCKDB_TIMES_INPUT[config.events.format] / GIB
    most = machine_memory_gib() * MOST_DUCKDB_MEMORY_SHARE
    memory = min(max(MIN_DUCKDB_GIB, needed), most)
    fitting = {
        "memory_limit": f"{memory:.2f}GiB",
        "temp_directory": str(scratch / "spilled"),
    }
    return fitting | config.duckdb


def too_large_for_duckdb(config: Config, ds: date | None = None) -> str | None:
    """Say so when the log to be read is larger than the embedded engine should take here."""
    size = log_bytes(config, ds)
    memory = machine_memory_gib() * DUCKDB_MEMORY_SHARE * GIB
    most = memory / DUCKDB_TIMES_INPUT[config.events.format]
    if size is None or size <= most:
        return None
    return (
        f"{config.events.path} has {size / GIB:.1f} GiB to be read, and the embedded engine is "
        f"meant for up to {most / GIB:.1f} GiB of {config.events.format} on this machine"
    )


def spark_settings(
    config: Config, scratch: Path, jar: Path | None = None, ds: date | None = None
) -> dict[str, str]:
    """The Spark properties of a run: what fits this machine, then the config's own.

    Under spark-submit, sizes are left to whoever wrote that command.
    """
    fitting = {"spark.sql.warehouse.dir": str(scratch / "spark-warehouse")}
    if not under_spark_submit():
        cores = os.cpu_count() or 1
        fitting |= {
            "spark.driver.memory": f"{driver_memory_gib()}g",
            "spark.local.dir": str(scratch / "spark"),
            "spark.sql.shuffle.partitions": str(shuffle_partitions(config, cores, ds)),
            "spark.driver.extraJavaOptions": java_options(config, ds),
        }
        if jar is not None:
            fitting["spark.jars"] = str(jar)
    return fitting | config.spark


def under_spark_submit() -> bool:
    """Whether spark-submit started this process, and so decides about jars, memory and masters."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def machine_memory_gib() -> float:
    """The memory that this process may use, in GiB: the machine's, or its container's limit."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in CONTAINER_LIMITS:
        with suppress(OSError, ValueError):  # no such file, or the word "max"
            memory = min(memory, int(limit.read_text()))
    return memory / GIB


def driver_memory_gib() -> int:
    """GiB of heap for Spark on this machine: the rest is for Python workers and file caches."""
    share = int(machine_memory_gib() * MEMORY_SHARE)
    return max(MIN_MEMORY_GIB, min(MAX_MEMORY_GIB, share))


def java_options(config: Config, ds: date | None = None) -> str:
    """Options of Spark's JVM on this machine.

    Stopping all threads collects garbage fastest. On a small input the optimising compiler takes a
    quarter of all the time and is not done when the run is, so the quick one has to do.
    """
    size = log_bytes(config, ds)
    quick = f" {QUICK_COMPILER}" if size is not None and size < SMALL_BYTES else ""
    return f"-XX:+UseParallelGC{quick}"


def shuffle_partitions(config: Config, cores: int, ds: date | None = None) -> int:
    """Partitions of a shuffle, by the size of the events; small inputs must not pay for many."""
    size = log_bytes(config, ds)
    if size is None:
        return 200
    partitions = -(-size // PARTITION_BYTES[config.events.format])
    return min(MAX_PARTITIONS, max(2 * cores, partitions))
