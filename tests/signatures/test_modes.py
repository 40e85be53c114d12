"""What makes a signature live, and what puts it back into shadow."""

from datetime import timedelta
from typing import Any

import pytest

from graph.errors import ConfigError
from signatures.loading import load
from signatures.model import Mode
from signatures.modes import (
    change_row,
    form_sha256,
    live_now,
    only_in_their_files,
    with_modes,
    with_stable,
)
from tests.signatures.label_rows import SOUND
from tests.signatures.reviewed import signature

FARM = signature("Device farm")


def test_signatures_are_shipped_in_shadow() -> None:
    assert {each.mode for each in with_modes(load(), [])} == {"shadow"}


def test_named_signatures_become_live_and_no_others() -> None:
    library = load()
    chosen = str(library[3].id)
    live = [each for each in with_modes(library, [chosen]) if each.mode == "live"]
    assert [str(each.id) for each in live] == [chosen]


def test_a_file_that_says_live_asks_for_it_and_no_more() -> None:
    in_file = FARM.model_copy(update={"mode": "live"})
    for live, changes, mode in (
        ([], [], "shadow"),
        ([], [change("live", 0)], "live"),
        ([str(FARM.id)], [], "live"),
    ):
        now = live_now([in_file], live, changes)
        assert [each.mode for each in now] == [mode]
        told = [each.title for each in only_in_their_files([in_file], now)]
        assert told == (["Device farm"] if mode == "shadow" else [])


def test_all_become_live_at_once() -> None:
    assert {each.mode for each in with_modes(load(), ["all"])} == {"live"}


def test_an_id_that_no_signature_has_is_refused_with_the_nearest() -> None:
    known = str(load()[0].id)
    with pytest.raises(ConfigError, match=rf"no signature has the id .*{known}"):
        with_modes(load(), [known[:-1] + ("0" if known[-1] != "0" else "1")])


def test_a_site_says_which_signatures_it_holds_for_stable() -> None:
    library = load()
    assert {each.status for each in with_stable(library, [])} == {"experimental"}
    assert {each.status for each in with_stable(library, ["all"])} == {"stable"}
    one = with_stable(library, [str(FARM.id)])
    assert [each.title for each in one if each.status == "stable"] == ["Device farm"]
    with pytest.raises(ConfigError, match=r"signatures.stable: no signature has the id 'farm'"):
        with_stable(library, ["farm"])


def test_what_a_signature_finds_is_its_form_and_how_it_runs_is_not() -> None:
    assert form_sha256(FARM.model_copy(update={"mode": "live"})) == form_sha256(FARM)
    assert form_sha256(FARM.model_copy(update={"status": "stable"})) == form_sha256(FARM)
    changed = FARM.model_copy(update={"detection": signature("Emulator farm").detection})
    assert form_sha256(changed) != form_sha256(FARM)


def change(mode: Mode, days: int) -> dict[str, Any]:
    return change_row(FARM, mode) | {"changed_at": SOUND["labelled_at"] + timedelta(days=days)}


def test_a_changed_signature_loses_its_promotion() -> None:
    changed = FARM.model_copy(update={"evidence": ("accounts",)})
    for each, mode in ((FARM, "live"), (changed, "shadow")):
        assert [one.mode for one in live_now([each], [], [change("live", 0)])] == [mode]


@pytest.mark.parametrize("live", [[], ["all"], [str(FARM.id)]])
def test_a_demotion_wins_until_the_next_promotion(live: list[str]) -> None:
    """Over the site's configuration, over the file, and over what was promoted before."""
    in_file = FARM.model_copy(update={"mode": "live"})
    changes = [change("shadow", 1), change("live", 0)]
    (demoted,) = live_now([in_file], live, changes)
    assert demoted.mode == "shadow"
    (again,) = live_now([FARM], [], [*changes, change("live", 2)])
    assert again.mode == "live"
