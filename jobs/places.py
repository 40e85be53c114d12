"""Where things are under a home that no table or batch is."""

from __future__ import annotations

from pathlib import Path

from exporters.audit import FOLDER as AUDIT
from graph.ledger import FOLDER as LEDGER


def audit_folder(home: Path) -> Path:
    """Where the audit log is."""
    return home / LEDGER / AUDIT
