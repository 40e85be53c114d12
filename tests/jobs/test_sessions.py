"""The settings that an engine is opened with fit the machine and the input."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from graph.config import Config
from jobs import sessions
from jobs.configuration import load
from jobs.errors import ConfigError
from jobs.log_files import log_bytes
from jobs.sessions import (
    driver_memory_gib,
    duckdb_settings,
    engine_name,
    java_options,
    machine_memory_gib,
    shuffle_partitions,
    spark_settings,
    too_large_for_duckdb,
)


def config(path: Path | str, *overrides: str) -> Config:
    return load(overrides=[f"events.path={path}", *overrides])


def test_small_inputs_do_not_pay_for_many_partitions(tmp_path: Path) -> None:
    (tmp_path / "small.parquet").write_bytes(bytes(1000))
    assert shuffle_partitions(config(tmp_path), cores=2) == 4
    assert "TieredStopAtLevel=1" in java_options(config(tmp_path)), "nor for long compilations"


def test_large_inputs_get_a_partition_for_every_few_megabytes(tmp_path: Path) -> None:
    folder = tmp_path / "ds=2026-11-22"
    folder.mkdir()
    for name in ("a", "b"):
        with (folder / name).open("wb") as file:
            file.truncate(256 << 20)
    assert shuffle_partitions(config(tmp_path), cores=2) == 64
    assert shuffle_partitions(config(tmp_path, "events.format=csv"), cores=2) == 13
    assert "TieredStopAtLevel" not in java_options(config(tmp_path))


def test_inputs_that_cannot_be_measured_get_sparks_default() -> None:
    assert shuffle_partitions(config("s3a://bucket/events"), cores=2) == 200


def test_the_heap_leaves_room_and_respects_a_containers_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(sessions, "CONTAINER_LIMITS", (limit,))
    limit.write_text("max\n")
    unlimited = machine_memory_gib()
    limit.write_text(f"{5 << 29}\n")
    assert machine_memory_gib() == min(2.5, unlimited)
    assert driver_memory_gib() == 1


def test_the_config_wins_over_what_fits(tmp_path: Path) -> None:
    chosen = config(tmp_path, "spark.driver.memory=3g", "spark.master=local[1]")
    settings = spark_settings(chosen, tmp_path, Path("/graphframes.jar"))
    assert settings["spark.driver.memory"] == "3g"
    assert settings["spark.master"] == "local[1]"
    assert settings["spark.jars"] == "/graphframes.jar"


def test_under_spark_submit_sizes_are_left_to_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    settings = spark_settings(config(tmp_path), tmp_path)
    assert set(settings) == {"spark.sql.warehouse.dir"}


def test_the_embedded_engine_is_used_unless_a_spark_master_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert engine_name(None, config(tmp_path)) == "duckdb"
    assert engine_name("spark", config(tmp_path)) == "spark"
    clustered = config(tmp_path, "spark.master=spark://host:7077")
    assert engine_name(None, clustered) == "spark"
    assert engine_name("duckdb", clustered) == "duckdb"
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    assert engine_name(None, config(tmp_path)) == "spark"
    with pytest.raises(ConfigError, match="spark-submit is always Spark"):
        engine_name("duckdb", config(tmp_path))


def gib(settings: dict[str, str]) -> float:
    return float(settings["memory_limit"].removesuffix("GiB"))


def test_the_embedded_engines_settings_fit_the_machine_and_the_config_wins(tmp_path: Path) -> None:
    fitting = duckdb_settings(config(tmp_path), tmp_path)
    most = sessions.machine_memory_gib() * sessions.MOST_DUCKDB_MEMORY_SHARE
    assert gib(fitting) == pytest.approx(min(sessions.MIN_DUCKDB_GIB, most), abs=0.01)
    with (tmp_path / "log.parquet").open("wb") as file:
        file.truncate(1 << 40)
    large = duckdb_settings(config(tmp_path / "log.parquet"), tmp_path)
    assert gib(large) == pytest.approx(most, abs=0.01)
    chosen = duckdb_settings(config(tmp_path, "duckdb.memory_limit=7GiB"), tmp_path)
    assert chosen["memory_limit"] == "7GiB"
    assert chosen["temp_directory"] == fitting["temp_directory"]


def test_a_log_that_is_large_for_the_machine_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log.parquet"
    log.touch()
    assert too_large_for_duckdb(config(log)) is None
    with log.open("wb") as file:
        file.truncate(1 << 40)
    assert "has 1024.0 GiB to be read, and the embedded engine is meant" in str(
        too_large_for_duckdb(config(log))
    )


def test_only_what_a_run_reads_of_a_log_in_days_counts(tmp_path: Path) -> None:
    """A log of years does not make the look-back of one day large."""
    for day, size in {"2025-01-01": 1 << 40, "2026-11-20": 1 << 20, "2026-11-22": 1 << 20}.items():
        (tmp_path / f"ds={day}").mkdir()
        with (tmp_path / f"ds={day}" / "log.parquet").open("wb") as file:
            file.truncate(size)
    days = config(tmp_path, "lookback=3d")
    assert log_bytes(days, date(2026, 11, 22)) == 2 << 20
    assert too_large_for_duckdb(days, date(2026, 11, 22)) is None
    assert too_large_for_duckdb(days, date(2025, 1, 3)) is not None
    assert shuffle_partitions(days, cores=2, ds=date(2026, 11, 22)) == 4
    assert gib(duckdb_settings(days, tmp_path, date(2026, 11, 22))) <= sessions.MIN_DUCKDB_GIB
