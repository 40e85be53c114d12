"""What explains an account innocently after it was approved keeps it from leaving."""

from __future__ import annotations

import pytest

from signatures.inclusions import INCLUSIONS, OBSTACLES
from tests.jobs.batches.sites import TODAY, Site
from tests.jobs.batches.warehouses import publish

INNOCENT = [each.reason for each in OBSTACLES if each.named_by is not None]


def scored(site: Site, account: str, *reasons: str) -> None:
    publish(site.home, INCLUSIONS, TODAY, [{"account_id": account, "reasons": list(reasons)}])


@pytest.mark.parametrize("reason", INNOCENT)
@pytest.mark.parametrize("route", ["calibrated", "investigated"])
def test_an_approved_batch_stops_at_a_new_explanation(
    site: Site, capsys: pytest.CaptureFixture[str], reason: str, route: str
) -> None:
    site.decide(["a1"], route=route, actor="ann, bob")
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    scored(site, "a1", "it is too small", f"{reason}: Office")
    site.release(batch, code=6)
    assert "guard explained: 1 accounts, limit 0" in capsys.readouterr().err
    assert site.counted() == {"proposed": 1}, "its approvals are void"
    assert site.export("--to-review", "it is an office") is None
    assert site.counted() == {"in_review": 1}


def test_other_reasons_and_other_accounts_stop_nothing(site: Site) -> None:
    site.decide(["a1"])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    scored(site, "a2", f"{INNOCENT[0]}: Office")
    site.release(batch)
    assert site.counted() == {"released": 1}
