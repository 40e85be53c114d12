"""A site's configuration says which signatures are live, by id."""

import pytest

from graph.errors import ConfigError
from signatures.loading import load
from signatures.modes import with_modes


def test_signatures_are_shipped_in_shadow() -> None:
    assert {each.mode for each in with_modes(load(), [])} == {"shadow"}


def test_named_signatures_become_live_and_no_others() -> None:
    library = load()
    chosen = str(library[3].id)
    live = [each for each in with_modes(library, [chosen]) if each.mode == "live"]
    assert [str(each.id) for each in live] == [chosen]


def test_all_become_live_at_once() -> None:
    assert {each.mode for each in with_modes(load(), ["all"])} == {"live"}


def test_an_id_that_no_signature_has_is_refused_with_the_nearest() -> None:
    known = str(load()[0].id)
    with pytest.raises(ConfigError, match=rf"no signature has the id .*{known}"):
        with_modes(load(), [known[:-1] + ("0" if known[-1] != "0" else "1")])
