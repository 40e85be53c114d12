"""Conditions mean what Python's own and, or, not mean; anything else is refused with its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signatures.conditions import (
    MAX_DEPTH,
    All,
    AtLeast,
    ConditionError,
    Name,
    Not,
    combine,
    names_in,
    parse,
)

NAMES = ["selection_a", "selection_b", "selection_c", "filter_x", "filter_y"]


def test_the_usual_condition() -> None:
    assert parse("all of selection_* and not 1 of filter_*", NAMES) == All(
        (
            All((Name("selection_a"), Name("selection_b"), Name("selection_c"))),
            Not(AtLeast(1, (Name("filter_x"), Name("filter_y")))),
        )
    )


def test_not_binds_before_and_and_before_or() -> None:
    a, b, x = Name("selection_a"), Name("selection_b"), Name("filter_x")
    assert parse("selection_a or selection_b and not filter_x", NAMES) == AtLeast(
        1, (a, All((b, Not(x))))
    )
    assert parse("not (selection_a or selection_b)", NAMES) == Not(AtLeast(1, (a, b)))
    assert parse("1 of selection_a", NAMES) == AtLeast(1, (a,))


def test_names_in_their_order() -> None:
    tree = parse("filter_x or not (selection_b and filter_x)", NAMES)
    assert list(names_in(tree)) == ["filter_x", "selection_b", "filter_x"]


ATOMS = st.sampled_from(
    [
        *((name, f"({name})") for name in NAMES),
        ("all of selection_*", "(selection_a and selection_b and selection_c)"),
        ("2 of selection_*", "(selection_a + selection_b + selection_c >= 2)"),
        ("1 of filter_*", "(filter_x or filter_y)"),
    ]
)
TEXTS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(lambda one: (f"not ({one[0]})", f"(not {one[1]})")),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda three: (
                f"({three[0][0]}) {three[1]} ({three[2][0]})",
                f"({three[0][1]} {three[1]} {three[2][1]})",
            )
        ),
    ),
    max_leaves=8,
)
"""A condition, and the same in Python."""


@given(TEXTS, st.lists(st.booleans(), min_size=5, max_size=5))
def test_equal_to_pythons_own_logic(texts: tuple[str, str], truths: list[bool]) -> None:
    ours, pythons = texts
    known = dict(zip(NAMES, truths, strict=True))
    assert combine(parse(ours, NAMES), known) == bool(eval(pythons, {}, known))


@given(st.text(alphabet="()*andorft of1_selcix\n;'=", max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        tree = parse(text, NAMES)
    except ConditionError:
        return
    assert set(names_in(tree)) <= set(NAMES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at the end: expected the name of a selection or filter"),
        ("selection_a selection_b", "at word 2, 'selection_b': expected `and`, `or` or the end"),
        ("selection_a and", "at the end: expected the name"),
        ("(selection_a", "at the end: expected `)`"),
        ("selection_a)", "at word 2, ')': expected `and`"),
        ("selection_*", "at word 1, 'selection_*': write `1 of selection_*` or `all of"),
        ("selecton_a", "no selection or filter has this name; did you mean 'selection_a'?"),
        ("zzz", "no selection or filter has this name; there are selection_a, selection_b"),
        ("all selection_*", "expected `of` after 'all'"),
        ("1 of nothing_*", "no selection or filter begins like that"),
        ("4 of selection_*", "`4 of` 3 names: write a number from 1 to 3"),
        ("0 of selection_*", "`0 of` 3 names: write a number from 1 to 3"),
        ("selection_a; DROP TABLE accounts", "';' at character 12: a condition has only names"),
        ("__import__('os')", "'_' at character 1"),
        ("selection_a or 1=1", "'=' at character 17"),
        ("accounts >= 5", "'>' at character 10"),
        ("true", "no selection or filter has this name"),
        ("lambda: 0", "':' at character 7"),
        ("not " * 1000 + "selection_a", "longer than 1000 characters"),
        ("not " * (MAX_DEPTH + 1) + "selection_a", "nested deeper than 16 levels"),
        ("(" * 400, "nested deeper than 16 levels"),
        ("sélection_a", "'é' at character 2"),
        ("١ of selection_*", "'١' at character 1"),
    ],
)
def test_what_is_no_condition_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(text, NAMES)
    assert message in str(caught.value)
