"""Who counts as a second person, wherever two are asked for."""

from __future__ import annotations

import pytest

from graph.people import person_key


@pytest.mark.parametrize("spelled", ["Ana  Sousa ", "ana sousa", "ANA\tSOUSA", "\uff21na Sousa"])
def test_a_name_in_another_spelling_is_the_same_person(spelled: str) -> None:
    assert person_key(spelled) == person_key("Ana Sousa")


def test_other_names_are_other_people() -> None:
    assert person_key("ana sousa") != person_key("ana souza")
