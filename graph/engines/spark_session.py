"""Starting Spark: the settings that this program relies on, and a JVM that keeps quiet.

Under spark-submit the JVM is there before Python, and what was given to spark-submit wins; without
it, a session on this machine is started with settings that suit one machine.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from graph.engines.base import DependencyError

GATEWAY = "PYSPARK_GATEWAY_PORT"
"""The environment variable by which spark-submit tells Python where its JVM listens."""

# A shuffle is cut into many small partitions and merged again by adaptive execution, so that small
# inputs do not pay for large ones; aggregates of nearly distinct keys run fastest when small.
DEFAULTS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "32m",
    # Below this a partition is joined by a hash table instead of being sorted on both sides.
    "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold": "32m",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # It notes the Python line of every expression, which takes longer than building it.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
    "spark.sql.execution.arrow.maxBytesPerBatch": "64m",
    # As the embedded engine writes: a fifth less work, for files half as large again. A dictionary
    # of ids is tried in vain, up to its limit.
    "spark.sql.parquet.compression.codec": "zstd",
    "parquet.compression.codec.zstd.level": "1",
    "parquet.dictionary.page.size": "65536",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.sources.useV1SourceList": "avro,csv,json,kafka,orc,parquet,text",
    "spark.ui.showConsoleProgress": "false",
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}

# One process on one machine needs no name service and no web server.
ONE_MACHINE = {
    "spark.master": "local[*]",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
}

LOG_LEVELS = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{ISO8601}{UTC} %p %c: %m%n%ex
"""


def start_session(application: str, scratch: Path, settings: dict[str, str]) -> SparkSession:
    """Start a session with `settings`, or take the one that spark-submit configured.

    Properties given to spark-submit win over `settings`, these over the defaults above. Raises
    DependencyError when no JVM can be started.
    """
    wanted = {**DEFAULTS, **settings}
    if GATEWAY in os.environ:
        SparkContext._ensure_initialized()
        given = dict(SparkConf().getAll())
        wanted = {key: value for key, value in wanted.items() if key not in given}
    elif SparkContext._gateway is None:
        if settings.get("spark.master", "local").startswith("local"):
            wanted = {**ONE_MACHINE, **wanted}
        _launch(scratch, wanted)
    builder = SparkSession.builder.appName(application)
    for key, value in wanted.items():
        builder = builder.config(key, value)
    on_interrupt = signal.getsignal(signal.SIGINT)
    session = builder.getOrCreate()
    if threading.current_thread() is threading.main_thread():
        # Spark's own handler calls the JVM, in the middle of whatever call was interrupted.
        signal.signal(signal.SIGINT, on_interrupt)
    session.sparkContext.setLogLevel("ERROR")
    return session


def kill_jvm() -> None:
    """End the JVM that start_session started, whatever it is doing; the process is of no more use.

    After an interrupt nothing else can be said to it: the next answer would be the last call's.
    """
    process = getattr(SparkContext._gateway, "proc", None)
    if process is not None:
        process.kill()
        process.wait()


def _launch(scratch: Path, settings: dict[str, str]) -> None:
    """Start the JVM; what it and its Python workers print goes to a file in the scratch folder."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    scratch.mkdir(parents=True, exist_ok=True)
    levels, printed = scratch / "log4j2.properties", scratch / "jvm.log"
    levels.write_text(LOG_LEVELS, encoding="utf-8")
    options = "spark.driver.extraJavaOptions"
    settings[options] = f"{settings.get(options, '')} -Dlog4j2.configurationFile={levels}".strip()
    conf = SparkConf(loadDefaults=False).setAll(list(settings.items()))
    try:
        with printed.open("wb") as log:
            gateway = launch_gateway(conf, {"stderr": log})  # type: ignore[no-untyped-call]
    except (PySparkRuntimeError, OSError) as error:
        said = printed.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
        raise DependencyError(
            f"Spark cannot start a Java virtual machine ({' / '.join(said) or error}): run "
            "`actorgraph doctor`"
        ) from None
    SparkContext._ensure_initialized(gateway=gateway)
