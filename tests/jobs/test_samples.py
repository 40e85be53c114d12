"""The files that reviewers fill in: written once, and without whom the program must forget."""

from __future__ import annotations

import json
from pathlib import Path

from jobs.samples import forget_in_blank_labels, write_blank_labels
from tests.signatures.reviewed import drawn


def subjects(path: Path) -> list[str]:
    return [json.loads(line)["subject_id"] for line in path.read_text().splitlines()]


def test_a_file_that_people_may_be_at_is_left_alone(tmp_path: Path) -> None:
    path = write_blank_labels(tmp_path / "review", "s1", [drawn("n", "ann", reviews=2)])
    assert subjects(path) == ["ann", "ann"]
    path.write_text("half filled in")
    write_blank_labels(tmp_path / "review", "s1", [drawn("n", "ann")])
    assert path.read_text() == "half filled in"
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_forgotten_account_is_in_no_file(tmp_path: Path) -> None:
    """One of the same name that is a network, and all others, stay as they are."""
    rows = [drawn("n", "ann", reviews=2), drawn("n", "bob"), drawn("n", "=1+1")]
    path = write_blank_labels(tmp_path, "s1", [*rows, drawn("n", "ann", subject_type="network")])
    assert forget_in_blank_labels(tmp_path, "ann") == 2
    assert subjects(path) == ["bob", "=1+1", "ann"]
    path.write_text('{"subject_id": "ann", \n')
    assert forget_in_blank_labels(tmp_path, "ann") == 1, "a line that somebody broke"
