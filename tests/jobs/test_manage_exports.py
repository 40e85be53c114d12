"""What `actorgraph export` refuses before it opens anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.manage_exports import main


def test_who_orders_cannot_sign_under_another_spelling_of_the_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = ["retract", "--account", "a", "--reason", "wrong", "--as", "lead_2"]
    key = ["--key", "key", "--approver", "Lead_2", "--set", f"home={tmp_path}"]
    assert main([*order, *key]) == 2
    assert "who orders cannot approve" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
