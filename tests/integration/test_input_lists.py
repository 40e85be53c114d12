"""The small tables beside the log: the examples are read, and mistakes are told at once, early."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa
import pytest

from graph.config import Inputs
from graph.frames import engine_api
from graph.ip_networks import IP_NETWORKS
from graph.shared_entities import SHARED_ENTITIES
from graph.trust_lists import DECLARED_NETWORKS, PROTECTED_ACCOUNTS, SENSITIVE_ENTITIES
from jobs.configuration import load
from jobs.inputs import (
    ACCOUNTS,
    read_accounts,
    read_declared_networks,
    read_ip_networks,
    read_protected_accounts,
    read_sensitive_entities,
    read_shared_entities,
)
from signatures.labels import VALUES
from signatures.roles import ROLES
from tests.integration.sites import DAY, Site, event, write_log

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "conf" / "examples"
SCHEMAS = {
    "accounts": ACCOUNTS,
    "ip_networks": IP_NETWORKS,
    "shared_entities": SHARED_ENTITIES,
    "protected_accounts": PROTECTED_ACCOUNTS,
    "declared_networks": DECLARED_NETWORKS,
    "sensitive_entities": SENSITIVE_ENTITIES,
}
COLUMNS = ("account_id", "event_time", "device_id")


def from_csv(folder: Path, names: Iterable[str]) -> dict[str, dict[str, str]]:
    return {name: {"path": str(folder / f"{name}.csv"), "format": "csv"} for name in names}


def header(name: str) -> list[str]:
    with (EXAMPLES / f"{name}.csv").open(newline="") as file:
        return next(csv.reader(file))


def test_every_input_has_an_example_with_all_its_columns() -> None:
    assert set(SCHEMAS) == set(Inputs.model_fields) - {"labels"}
    assert {name: header(name) for name in SCHEMAS} == {
        name: schema.names for name, schema in SCHEMAS.items()
    }


def test_the_readme_tells_the_columns_of_every_input() -> None:
    text = (ROOT / "README.md").read_text()
    for name, schema in SCHEMAS.items():
        (row,) = (line for line in text.splitlines() if line.startswith(f"| `{name}`"))
        own = [c for c in schema.names if c not in ("added_by", "approved_by", "added_at")]
        assert all(column in row for column in own if column != "expires_at"), name


def test_the_readme_tells_what_a_label_may_say() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    for field, values in {"label": VALUES, "role": ROLES}.items():
        (row,) = (line for line in lines if line.startswith(f"| `{field}` |"))
        assert all(value in row for value in values), field


def test_the_examples_are_read_and_every_row_is_in_force(site: Site) -> None:
    inputs = from_csv(EXAMPLES, SCHEMAS)
    arguments = site.configure("log.parquet", COLUMNS, inputs=inputs)
    config = load([arguments[1]])
    with engine_api(site.engine.api_root):
        of_day = (site.engine, config, DAY)
        shared = read_shared_entities(*of_day)
        assert shared is not None and (shared.ids.num_rows, len(shared.blocks)) == (1, 1)
        networks, _ = read_ip_networks(*of_day).of(pa.array(["192.0.2.1", "198.51.100.1"]))
        assert networks.to_pylist() == ["AS64496", "AS64497"]
        declared, accounts = read_declared_networks(*of_day), read_accounts(site.engine, config)
        assert declared is not None and accounts is not None
        assert (declared.count(), accounts.count()) == (2, 2)
        assert read_protected_accounts(*of_day).count() == 1
        assert read_sensitive_entities(site.engine, config).num_rows == 1


def test_all_bad_rows_of_all_inputs_are_told_before_the_log_is_read(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    signed = "analyst-1,lead-1,2026-11-01,2027-04-01"
    own = "analyst-1,analyst-1,2026-11-01,2027-04-01"
    rows = {
        "declared_networks": [f"a{n},net,owner,co_posts,{signed}" for n in range(12)],
        "protected_accounts": [f"a1,known,{signed}", f"a2,known,{own}"],
        "accounts": ["a1,,,,yes,", "a2,,,,false,many"],
    }
    for name, lines in rows.items():
        text = "\n".join([",".join(header(name)), *lines])
        (site.folder / f"{name}.csv").write_text(f"{text}\n")
    # Nothing in the log can be read, so a run that got to it would say so.
    write_log(site.folder / "log.parquet", [event("a1") | {"event_time": True}])
    site.configure("log.parquet", COLUMNS, inputs=from_csv(site.folder, rows))
    assert site.build() == 6
    told = capsys.readouterr().err
    unknown = "allowed_traces: there is no trace 'co_posts'; did you mean 'co_post'?"
    assert f"declared_networks, row 1: {unknown}; row 2: {unknown}; " in told
    assert f"row 10: {unknown}; and 2 more" in told
    assert "protected_accounts, row 2: added_by and approved_by are the same" in told
    assert "account_id 'a1': verified 'yes' is no `true` or `false`; account_id 'a2': " in told
    assert "followers 'many' is no whole number" in told


APPROVED = "added_by,approved_by,added_at,expires_at\n"


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("name", "content", "code", "message"),
    [
        ("shared_entities", None, 3, "inputs.shared_entities: cannot read "),
        ("shared_entities", "kind,id\nip,9.9.9.9\n", 3, "there is no column 'entity_type'"),
        (
            "shared_entities",
            f"entity_type,entity_id,reason,{APPROVED}ip,0.0.0.0/0,all,x,y,2026-11-01,2026-12-01\n",
            6,
            "shared_entities, row 1: 0.0.0.0/0 is wider than /12",
        ),
        (
            "shared_entities",
            f"entity_type,entity_id,reason,{APPROVED}ip,9.9.9.9,dns,x,x,2026-11-01,2026-12-01\n",
            6,
            "row 1: added_by and approved_by are the same",
        ),
        (
            "shared_entities",
            f"entity_type,entity_id,reason,{APPROVED}ip,9.9.9.9,dns,x,y,soon,2026-12-01\n",
            4,
            "added_at 'soon' is no day (2026-11-22)",
        ),
        ("ip_networks", "cidr,kind\n9.9.9.0/33,vpn\n", 4, "ip_networks, cidr '9.9.9.0/33': "),
        ("ip_networks", "cidr,kind\n9.9.9.0/24,fun\n", 4, "kind 'fun' is none of residential"),
        ("ip_networks", "cidr,asn\n9.9.9.0/24,AS19281\n", 4, "asn 'AS19281' is no whole number"),
        (
            "ip_networks",
            "cidr,asn\n9.9.9.0/24,1,2\n",
            4,
            "row that cannot be parsed: 9.9.9.0/24,1,2",
        ),
        (
            "accounts",
            "account_id,created_at\nann,once\n",
            4,
            "account_id 'ann': created_at 'once' is no time",
        ),
    ],
)
def test_a_wrong_small_table_stops_the_run_before_the_long_work(
    site: Site,
    fails: Callable[..., None],
    name: str,
    content: str | None,
    code: int,
    message: str,
) -> None:
    table = site.folder / "table.csv"
    site.configure("log.parquet", COLUMNS, inputs={name: {"path": str(table), "format": "csv"}})
    if content is not None:
        table.write_text(content)
    fails(code, message)


@pytest.mark.embedded
def test_a_listed_device_links_nobody_however_the_list_writes_it(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [event(f"a{number}", device_id="abcdef0123456789") for number in range(3)]
    write_log(site.folder / "log.parquet", rows)
    (site.folder / "shared_entities.csv").write_text(
        f"entity_type,entity_id,reason,{APPROVED}"
        "device,ABCDEF0123456789,kiosk,x,y,2026-11-01,2026-12-01\n"
        "device,ABCDEF0123456780,kiosk,x,y,2026-11-01,2026-12-01\n"
    )
    site.configure("log.parquet", COLUMNS, inputs=from_csv(site.folder, ["shared_entities"]))
    assert site.build() == 0
    hubs = {row["node_id"]: row["hub_reason"] for row in site.rows("nodes") if row["is_hub"]}
    assert hubs == {"abcdef0123456789": "shared: kiosk"}
    assert "not in the look-back: device abcdef0123456780" in capsys.readouterr().err
    figures = site.manifest("build_graph")["figures"]
    assert figures["shared_entities_not_seen"] == ["device abcdef0123456780"]
