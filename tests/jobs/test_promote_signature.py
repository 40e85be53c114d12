"""`signatures promote`: what it tells of a signature that found nothing in its backtests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from graph.engines.base import Engine
from jobs.check_signatures import main
from signatures.backtests import BACKTESTS, COUNTED
from signatures.calibration import ALL
from signatures.loading import signature_of_abuse
from signatures.modes import form_sha256
from tests.ledger_rows import append_to_ledger

DAY = date(2026, 11, 22)


@pytest.mark.parametrize(("networks", "warned"), [(0, True), (3, False)])
def test_promote_says_that_a_signature_found_nothing(
    duckdb_engine: Engine,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    networks: int,
    warned: bool,
) -> None:
    farm = signature_of_abuse("Device farm")
    backtest = dict.fromkeys(COUNTED, networks) | {
        "signature_id": str(farm.id),
        "signature_sha256": form_sha256(farm),
        "title": farm.title,
        "market": ALL,
        "backtested_at": datetime(2026, 11, 23, tzinfo=UTC),
    }
    rows = [backtest | {"ds": DAY - timedelta(days=age)} for age in range(7)]
    append_to_ledger(
        tmp_path, BACKTESTS, pa.Table.from_pylist(rows, schema=BACKTESTS.schema), "week"
    )
    (tmp_path / "warehouse" / "inclusions" / f"ds={DAY}").mkdir(parents=True)
    asked = ["promote", farm.title, "--reason", "a week looked at", "--set", f"home={tmp_path}"]
    assert main(asked, duckdb_engine) == 0
    out = capsys.readouterr().out
    assert "Device farm is live from the next run on" in out
    assert ("it found nothing from 2026-11-16 to 2026-11-22" in out) is warned
