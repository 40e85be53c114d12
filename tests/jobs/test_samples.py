"""The files that reviewers fill in: written once, and without whom the program must forget."""

from __future__ import annotations

import json
from pathlib import Path

from jobs.samples import forget_in_blank_labels, write_blank_labels
from tests.signatures.reviewed import drawn


def subjects(path: Path) -> list[str]:
    return [json.loads(line)["subject_id"] for line in path.read_text().splitlines()]


def test_the_second_reviewer_gets_a_file_of_their_own_in_another_order(tmp_path: Path) -> None:
    names = [f"a{number}" for number in range(8)]
    rows = [drawn("n", name, reviews=2) for name in names]
    first, second = write_blank_labels(tmp_path, "s1", [*rows, drawn("n", "once")])
    assert (first.name, second.name) == ("s1.jsonl", "s1-second.jsonl")
    assert subjects(first) == [*names, "once"]
    assert sorted(subjects(second)) == names != subjects(second)


def test_without_a_second_review_there_is_one_file(tmp_path: Path) -> None:
    (path,) = write_blank_labels(tmp_path, "s1", [drawn("n", "ann")])
    assert subjects(path) == ["ann"]


def test_a_file_that_people_may_be_at_is_left_alone(tmp_path: Path) -> None:
    """Nor is a second one written beside one that had all reviews."""
    path, _ = write_blank_labels(tmp_path / "review", "s1", [drawn("n", "ann", reviews=2)])
    path.write_text("half filled in")
    write_blank_labels(tmp_path / "review", "s1", [drawn("n", "ann", reviews=2)])
    assert path.read_text() == "half filled in"
    (tmp_path / "review" / "s1-second.jsonl").unlink()
    assert write_blank_labels(tmp_path / "review", "s1", [drawn("n", "ann", reviews=2)]) == [path]
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_forgotten_account_is_in_no_file(tmp_path: Path) -> None:
    """One of the same name that is a network, and all others, stay as they are."""
    rows = [drawn("n", "ann", reviews=2), drawn("n", "bob"), drawn("n", "=1+1")]
    rows.append(drawn("n", "ann", subject_type="network"))
    path, second = write_blank_labels(tmp_path, "s1", rows)
    assert forget_in_blank_labels(tmp_path, "ann") == 2
    assert (subjects(path), subjects(second)) == (["bob", "=1+1", "ann"], [])
    path.write_text('{"subject_id": "ann", \n')
    assert forget_in_blank_labels(tmp_path, "ann") == 1, "a line that somebody broke"
