"""Tables in a folder: a day is published by renaming the folder that holds it (jobs/journal.py)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from graph.engines.base import InputError
from graph.published import DESCRIPTION, Draft, TableDay, day_folder


class LocalTables:
    """Tables in `<folder>/<table>/ds=YYYY-MM-DD/`; see graph.published.Tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = str(folder)

    def names(self) -> list[str]:
        """See Tables.names."""
        found = self.folder.glob(f"*/ds=*/{DESCRIPTION}")
        return sorted({path.parent.parent.name for path in found})

    def days(self, table: str) -> list[date]:
        """See Tables.days."""
        days = []
        for folder in (self.folder / table).glob("ds=*"):
            with suppress(ValueError):
                days.append(date.fromisoformat(folder.name.removeprefix("ds=")))
        return sorted(days)

    def day(self, table: str, ds: date) -> TableDay:
        """See Tables.day."""
        return _day(self.folder / table / day_folder(ds))

    def draft(self, claim: Callable[[str], Path], table: str, ds: date, run_id: str) -> Draft:
        """See Tables.draft."""
        folder = claim(f"{table}/{day_folder(ds)}")
        return Draft(str(folder), folder / DESCRIPTION)

    def listed(self, draft: Draft) -> dict[str, Any]:
        """See Tables.listed; all files in the folder count."""
        return {}

    def drafted(self, draft: Draft) -> TableDay:
        """See Tables.drafted."""
        return _day(Path(draft.place))

    def remove(self, table: str, ds: date) -> None:
        """See Tables.remove."""
        if (folder := self.folder / table / day_folder(ds)).exists():
            shutil.rmtree(folder)


def _day(folder: Path) -> TableDay:
    files = tuple(str(path) for path in sorted(folder.glob("*.parquet")))
    return TableDay(str(folder), _description(folder), files, paths=(str(folder),))


def _description(folder: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise InputError(
            f"{folder / DESCRIPTION} is damaged: run the job that makes {folder.parent.name} again"
        ) from None
    return content
