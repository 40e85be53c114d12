"""Who counts as a second person, wherever two are asked for."""

from __future__ import annotations

import pytest

from graph.people import person_key


@pytest.mark.parametrize(
    "spelled",
    [
        *("Ana  Sousa ", "ana sousa", "ANA\tSOUSA", "\uff21na Sousa"),
        *("Ana\u200b Sousa", "\ufeffAna Sou\u00adsa", "Ana Sousa\ufe0f", "Ana\u2060 \u3164Sousa"),
        "Ana Sousa\u0000",
    ],
)
def test_a_name_in_another_spelling_is_the_same_person(spelled: str) -> None:
    assert person_key(spelled) == person_key("Ana Sousa")


@pytest.mark.parametrize("name", ["जोशी", "José", "عمر", "이수진"])
def test_letters_and_accents_of_any_script_tell_people_apart(name: str) -> None:
    assert len({person_key(name), person_key(name[:-1]), person_key("Jose")}) == 3


def test_other_names_are_other_people() -> None:
    assert person_key("ana sousa") != person_key("ana souza")
