"""The file that says who may approve is checked when it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.errors import ConfigError
from tests.exporters.enforcement.builders import approvers_of, key_pair


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"needed": "[{accounts: 5, approvers: 1}]"}, "begin with accounts: 0"),
        ({"needed": "[{accounts: 0, approvers: 2}, {accounts: 9, approvers: 1}]"}, "must rise"),
        ({"needed": "[{accounts: 0, approvers: 0}]"}, "greater than 0"),
    ],
)
def test_the_approvers_file_is_checked(keys: Path, changed: dict[str, str], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        approvers_of(keys, ["lead_1"], **changed)


def test_one_person_cannot_stand_in_the_file_under_two_names(keys: Path) -> None:
    public = key_pair("lead_1", keys).with_suffix(".pub").read_text().strip()
    entry = f"name: lead_2, role: approver, markets: [all], valid_to: 2027-06-30, key: {public}"
    with pytest.raises(ConfigError, match="two approvers have one name"):
        approvers_of(keys, ["lead_1", "Lead_1"])
    with pytest.raises(ConfigError, match="two approvers have one key"):
        approvers_of(keys, ["lead_1", "lead_2"], lead_2=entry)
