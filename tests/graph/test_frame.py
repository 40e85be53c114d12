"""What a notebook is told of a warehouse that cannot be read now; test_open_day.py has the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.engines.base import InputError
from graph.frame import open_day


def test_a_day_is_not_opened_while_its_tables_are_half_replaced(tmp_path: Path) -> None:
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "_journal.json").write_text("{}")
    with pytest.raises(InputError, match=r"tables are being replaced.* `actorgraph status`"):
        open_day("2026-11-22", tmp_path)
