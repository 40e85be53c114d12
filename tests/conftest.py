"""Fixtures that the whole suite shares: one session of each engine for all tests."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

from graph.engines.base import DependencyError, Engine
from graph.frames import engine_api
from graph.jvm_artifacts import graphframes_jar
from jobs.java import QUICK_COMPILER
from tests.object_store import ObjectStore, object_store

# The first call of a compiled loop takes as long as thousands of later ones.
settings.register_profile("actorgraph", deadline=None)
settings.load_profile("actorgraph")

# So many objects are held that to look for garbage among them takes a twentieth of the time of the
# batches' tests.
gc.set_threshold(200_000, 50, 1_000)


def pytest_configure() -> None:
    """Hear interrupts, which a shell in the background ignores for all that are started from it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def missing(reason: str) -> None:
    """Skip loudly on a user's machine, fail in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of real inputs with answers that other programs computed."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ACTORGRAPH_REFERENCE_DATA", default))
    if not folder.is_dir():
        missing(f"no reference data at {folder}: set ACTORGRAPH_REFERENCE_DATA")
    return folder


@pytest.fixture(scope="session")
def spark_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One local Spark session for the whole run."""
    from graph.engines.spark import open_spark

    os.environ["PYSPARK_PYTHON"] = sys.executable
    scratch = tmp_path_factory.mktemp("scratch")
    properties = {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "4",
        "spark.driver.memory": "2g",
        # Compiling each query takes longer than it runs on a few rows; test_engines.py and
        # spark-submit run compiled ones.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        # Most of what a small query makes is garbage: where it has room, less is copied.
        "spark.driver.extraJavaOptions": f"{QUICK_COMPILER} -XX:+UseSerialGC -Xmn1g",
        "spark.sql.warehouse.dir": str(scratch / "spark-warehouse"),
    }
    with suppress(DependencyError):
        properties["spark.jars"] = str(graphframes_jar())
    engine = open_spark("actorgraph-tests", scratch, properties)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def duckdb_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One embedded engine for the whole run."""
    from graph.engines.duckdb import open_duckdb

    engine = open_duckdb(tmp_path_factory.mktemp("duckdb"), {"memory_limit": "1GiB"})
    yield engine
    engine.close()


@pytest.fixture(scope="session", params=["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def any_engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn; a test or module that is marked `spark` runs on Spark alone."""
    engine: Engine = request.getfixturevalue(f"{request.param}_engine")
    return engine


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    """An S3 server on loopback, named in the environment, and an empty place on it."""
    with object_store() as store:
        yield store


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave tests that are marked for one engine out of the other's turn."""
    items[:] = [item for item in items if _is_meant_for(item)]


def _is_meant_for(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    engine = call.params.get("any_engine") if call else None
    own = {mark.name for mark in item.iter_markers()}
    if engine == "spark":
        return "embedded" not in own
    return engine is None or "spark" not in own


@pytest.fixture
def engine(any_engine: Engine) -> Iterator[Engine]:
    """The engine under test, with its API active."""
    with engine_api(any_engine.api_root):
        yield any_engine


@pytest.fixture
def graphframes(engine: Engine) -> None:
    """Asked for by tests that need GraphFrames' JVM half."""
    from graph.engines.spark_components import require_graphframes

    try:
        require_graphframes(engine.session)
    except DependencyError as error:
        missing(str(error))
