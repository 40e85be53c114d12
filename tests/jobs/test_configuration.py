"""Where settings come from, which source wins, and what is said when one is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graph.config import Config, HubLimits
from graph.yaml_files import read_mapping
from jobs.configuration import MASK, config_sha256, load, masked
from jobs.errors import ConfigError

TRACE = "{entity: content, family: content, window: 60s, filter: {quantile: 0.5}}"


@pytest.fixture
def site(tmp_path: Path) -> Any:
    """Writes a config file and returns its path."""

    def write(text: str, name: str = "site.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def refused(*arguments: Any, **keywords: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load(*arguments, **keywords)
    return str(caught.value)


def test_the_shipped_settings_are_complete_and_equal_the_models_defaults() -> None:
    shipped = load()
    bare = Config(events=shipped.events)
    left = {"hubs", "traces"}
    assert shipped.model_dump(exclude=left) == bare.model_dump(exclude=left)
    text = (Path(__file__).parents[2] / "conf" / "default.yaml").read_text()
    assert set(read_mapping(text, "default.yaml").data) == set(Config.model_fields) - {"traces"}


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "On", "NO", "y", "truest"])
def test_words_that_yaml_once_took_for_booleans_are_words(site: Any, word: str) -> None:
    events = f"{{path: log, columns: {{account_id: {word}, event_time: ts, ip: ip}}}}"
    assert load([site(f"events: {events}")]).events.columns["account_id"] == word
    assert read_mapping(f"{word}: {{x: {word}}}", "file").data == {word: {"x": word}}


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "yes", "on"])
def test_a_setting_that_is_a_switch_takes_them_all(site: Any, word: str) -> None:
    assert load([site("events: {deduplicate: false}")]).events.deduplicate is False
    assert load([site(f"events: {{deduplicate: {word}}}")]).events.deduplicate is True
    assert read_mapping("a: true\nb: FALSE", "file").data == {"a": True, "b": False}


def test_a_config_file_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / "nope.yaml"
    assert refused([path]) == f"cannot read the config file {path}: No such file or directory"


@pytest.mark.parametrize(
    ("value", "file_format"),
    [
        ("in/accounts.csv", "csv"),
        ("in/accounts.CSV.gz", "csv"),
        ("in/accounts.jsonl", "jsonl"),
        ("in/accounts", "parquet"),
        ("{path: in/accounts.csv}", "csv"),
        ("{path: in/accounts.csv, format: jsonl}", "jsonl"),
    ],
)
def test_an_input_has_the_format_that_its_name_ends_with(value: str, file_format: str) -> None:
    source = load(overrides=[f"inputs.accounts={value}"]).inputs.accounts
    assert source is not None and source.format == file_format


def test_each_source_wins_over_those_before_it(site: Any) -> None:
    first = site("networks: {min_size: 4, small: 40, dense: 0.4}\nlookback: 7d", "first.yaml")
    second = site("networks: {small: 41, dense: 0.41}", "second.yaml")
    environment = {"ACTORGRAPH__NETWORKS__DENSE": "0.42", "ACTORGRAPH_HOME": "/data/home"}
    config = load([first, second], ["networks.core_cut=0.5"], environment)
    assert config.networks.min_size == 4
    assert config.networks.small == 41
    assert config.networks.dense == 0.42
    assert config.networks.core_cut == 0.5
    assert config.networks.max_rounds == 20
    assert config.lookback_days == 7
    assert config.home == Path("/data/home")
    assert load(environment={**environment, "ACTORGRAPH__HOME": "there"}).home == Path("there")
    assert load(overrides=["home=here"], environment=environment).home == Path("here")


def test_traces_and_hubs_are_merged_by_name(site: Any) -> None:
    first = site(f"traces: {{a: {TRACE}, b: {TRACE}, c: {TRACE}}}\n", "first.yaml")
    second = site(
        "traces: {a: {window: 5s}, b: none, c: {enabled: false}}\nhubs: {ip: {hard: 99}}\n"
    )
    config = load([first, second])
    assert config.traces["a"] is not None
    assert config.traces["a"].window == 5_000_000
    assert config.traces["a"].entity == "content"
    assert not {"b", "c"} & set(config.active_traces)
    assert config.hubs["ip"] == HubLimits(soft=50, hard=99)
    assert config.hubs["device"] == HubLimits(soft=500, hard=500)


def test_columns_and_filters_are_replaced_as_a_whole(site: Any) -> None:
    columns = "{account_id: user, event_time: ts, content_hash: object_id}"
    first = site(f"traces: {{a: {TRACE}}}\nevents: {{columns: {columns}}}", "first.yaml")
    config = load([first], ["traces.a.filter={at_least: 2}"])
    assert set(config.events.columns) == {"account_id", "event_time", "content_hash"}
    assert config.traces["a"] is not None and config.traces["a"].filter is not None
    assert config.traces["a"].filter.model_dump(exclude_none=True) == {"at_least": 2}


def test_spark_properties_are_set_by_their_own_name() -> None:
    config = load(overrides=["spark.sql.shuffle.partitions=8", "spark.ui.enabled=false"])
    assert config.spark == {"spark.sql.shuffle.partitions": "8", "spark.ui.enabled": "false"}


def test_a_mistake_is_named_with_its_file_line_and_nearest_known_key(site: Any) -> None:
    path = site("networks:\n  min_size: 3\n  min_sise: 4\nhubs:\n  ip: {soft: 9, hrd: 10}\n")
    lines = refused([path]).splitlines()
    assert f"{path}, line 3: networks.min_sise: unknown setting; did you mean min_size?" in lines
    assert f"{path}, line 5: hubs.ip.hrd: unknown setting; did you mean hard?" in lines


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lookback: 28", "line 1: lookback: 28 is not a duration: write a whole number and a unit"),
        ("max_quarantine_ratio: 2", "max_quarantine_ratio: Input should be less than or equal to"),
        ("traces: {a: {entity: content}}", "line 1: traces.a.family: is required"),
        (f"traces: {{a: {TRACE}, b: {{windw: 1s}}}}", "b.windw: unknown setting; did you mean win"),
        (f"traces: {{window: {TRACE}}}\nhups: 1", "line 2: hups: unknown setting; did you mean hu"),
        ("zzz: 1", "line 1: zzz: unknown setting; known: home, lookback"),
        ("events: {columns: {account_id: a}}", "events.columns: name the event log's column for"),
        ("networks: 3", "line 1: networks: Input should be"),
        ("home: a\nlookback: 1d\nhome: b", "line 3: home was already given in line 1; keep one"),
        ("networks: {small: 1, small: 1}", "line 1: networks.small was already given in line 1"),
        ("a: &x [1]\nb: *x", "line 2: write the value out instead of *x"),
        ("a: [1, 2", "line 1: expected ',' or ']'"),
        ("- 1", "line 1: expected settings as `key: value` lines"),
        ("1: 2", "line 1: write the key '1' quoted"),
        ("a: !!python/object:os.system x", "line 1: write the value without the tag tag:yaml"),
        ("a: [{b: 1, c: 2}, {b: 1, b: 2}]", "line 1: a.1.b was already given in line 1"),
        ("a: 2026-13-45", "month must be in 1..12"),
        ("a: " + "[" * 20_000, "nested deeper than 32 levels"),
        ("# " + "x" * (1 << 20), "larger than 1 MiB: that is no configuration"),
        ("a: \x00", "cannot be read as YAML"),
    ],
)
def test_a_config_that_cannot_be_meant_is_refused(site: Any, text: str, message: str) -> None:
    path = site(text)
    assert message in refused([path])
    assert refused([path]).startswith(str(path)) or str(path) in refused([path])


def test_mistakes_outside_of_files_name_their_place_too() -> None:
    assert refused(overrides=["networks.small=x"]).startswith("--set networks.small: networks.sma")
    assert refused(overrides=["networks"]).startswith("--set networks: write key=value")
    assert refused(overrides=["a=[1"]).startswith("--set a, line 1: ")
    place = "environment ACTORGRAPH__NETWORKS__SMAL"
    message = refused(environment={"ACTORGRAPH__NETWORKS__SMAL": "3"})
    assert message == f"{place}: networks.smal: unknown setting; did you mean small?"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert "cannot read the config file absent.yaml" in refused(["absent.yaml"])
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe")
    assert f"cannot read the config file {binary}" in refused([binary])


def test_an_empty_file_changes_nothing(site: Any) -> None:
    assert load([site("# nothing\n")]) == load()


def test_secrets_are_never_shown() -> None:
    config = load(
        overrides=[
            "spark.hadoop.fs.s3a.secret.key=hunter2",
            "events.path=https://me:hunter2@host/events",
        ]
    )
    shown = masked(config)
    assert "hunter2" not in str(shown)
    assert shown["spark"]["spark.hadoop.fs.s3a.secret.key"] == MASK
    assert shown["events"]["path"] == f"https://{MASK}@host/events"
    assert "hunter2" not in refused(overrides=["spark.my.password=[hunter2]"])


def test_the_hash_names_the_settings_and_not_where_they_came_from(site: Any) -> None:
    by_file = load([site("networks: {small: 9}\nlookback: 48h")])
    by_argument = load(overrides=["lookback=2d", "networks.small=9"])
    assert config_sha256(by_file) == config_sha256(by_argument)
    assert config_sha256(by_file) != config_sha256(load())
