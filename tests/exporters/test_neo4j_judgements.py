"""What was said before, whoever said it and where: files and appeals count as the database does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa

from exporters.neo4j_judgements import judged, judgements, of_accounts, of_networks
from exporters.neo4j_tables import DayTables
from graph.engines.base import Engine
from graph.networks import MEMBERSHIPS, NETWORKS
from graph.tables import Table
from signatures.labels import LABELS
from signatures.snapshots import SNAPSHOTS

AT = datetime(2026, 11, 22, tzinfo=UTC)


def label(name: str, says: str, **more: Any) -> dict[str, Any]:
    about = {"subject_type": "network", "subject_id": "old", "snapshot_sha256": "s1"}
    said = {"label_id": name, "label": says, "reviewer": "r1", "labelled_at": AT}
    return {**about, **said, "source": "investigation", **more}


LEDGER = pa.Table.from_pylist(
    [
        label("file", "abusive", reason="the members act as one"),
        label("some", "benign", members=["ben"], expires_at=AT + timedelta(days=90)),
        label("blind", "abusive", source="sample", blind=True),
        label("wrong", "abusive"),
        label("back", "unsure", supersedes="wrong", withdrawn_at=AT),
        label(
            "appeal:1", "benign", source="appeal", subject_type="account", subject_id="ann",
            reason="own_device_was_stolen",
        ),
        label("far", "abusive", subject_id="elsewhere", snapshot_sha256="s9"),
    ],
    schema=LABELS.schema,
)  # fmt: skip


def test_what_holds_and_what_was_taken_back_are_told_apart_and_blind_ones_not_at_all() -> None:
    rows = judgements(LEDGER, AT + timedelta(days=1)).to_pylist()
    assert {row["id"]: (row["label"], row["holds"]) for row in rows} == {
        "file": ("abusive", True),
        "some": ("benign", True),
        "wrong": ("abusive", False),
        "back": ("withdrawn", False),
        "appeal:1": ("benign", True),
        "far": ("abusive", True),
    }
    later = judgements(LEDGER, AT + timedelta(days=91)).to_pylist()
    assert {row["id"] for row in rows if row["holds"]} == {"file", "some", "appeal:1", "far"}
    assert {row["id"] for row in later if row["holds"]} == {"file", "appeal:1", "far"}


def test_what_was_said_goes_where_the_accounts_go(engine: Engine) -> None:
    """The network old has ended; two of its three members are in n1 today, with a joiner."""

    def frame(table: Table, rows: list[dict[str, Any]]) -> Any:
        return engine.from_arrow(pa.Table.from_pylist(rows, schema=table.schema))

    frozen = [("s1", "ann"), ("s1", "ben"), ("s1", "cleo"), ("s9", "stranger")]
    tables = SimpleNamespace(
        memberships=frame(
            MEMBERSHIPS, [{"network_id": "n1", "account_id": each} for each in ("ann", "ben", "x")]
        ),
        networks=frame(NETWORKS, [{"network_id": "n1", "lineage": ["old"]}]),
        snapshots=frame(
            SNAPSHOTS, [{"snapshot_sha256": name, "account_id": each} for name, each in frozen]
        ),
        judgements=engine.from_arrow(judgements(LEDGER, AT)),
    )
    day = cast(DayTables, tables)
    of_n1 = engine.to_arrow(of_networks(day)).to_pylist()
    assert {row["end_id"]: row["members"] for row in of_n1} == {
        "file": 2,
        "some": 1,
        "wrong": 2,
        "back": 2,
    }
    assert {row["start_id"] for row in of_n1} == {"n1"}
    alone = engine.to_arrow(of_accounts(day, "networks")).to_pylist()
    assert alone == [{"start_id": "ann", "end_id": "appeal:1"}]
    loaded = engine.to_arrow(judged(day, "networks")).to_pylist()
    assert {row["id"] for row in loaded} == {"file", "some", "wrong", "back", "appeal:1"}
