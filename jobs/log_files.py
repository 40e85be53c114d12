"""Which files of the event log a run reads, and how large they are."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from graph.config import Config


def day_folders(config: Config, ds: date) -> list[Path] | None:
    """Where a log in ds=YYYY-MM-DD folders has the look-back's days, ds first; None for any other.

    They need not exist.
    """
    root = Path(config.events.path)
    if "://" in config.events.path or not root.is_dir() or not any(root.glob("ds=*")):
        return None
    return [root / f"ds={ds - timedelta(days=age)}" for age in range(config.lookback_days)]


def log_bytes(config: Config, ds: date | None) -> int | None:
    """Bytes of what a run of `ds` reads of the log, of all of it without; None for a URL."""
    if "://" in config.events.path:
        return None
    folders = None if ds is None else day_folders(config, ds)
    return sum(map(_bytes_under, [Path(config.events.path)] if folders is None else folders))


def _bytes_under(root: Path) -> int:
    files = root.rglob("*") if root.is_dir() else [root]
    return sum(file.stat().st_size for file in files if file.is_file())
