"""Small random graphs for Hypothesis, of every shape that has broken such code before."""

from __future__ import annotations

from hypothesis import strategies as st

Links = list[tuple[int, int]]

_ACCOUNTS = st.integers(0, 12)


def _path(length: int) -> Links:
    return [(i, i + 1) for i in range(length)]


def _star(leaves: int) -> Links:
    return [(0, i + 1) for i in range(leaves)]


def _cliques(count: int) -> Links:
    """Cliques of four, each joined to the next by one link."""
    inside = [
        (4 * k + i, 4 * k + j) for k in range(count) for i in range(4) for j in range(i + 1, 4)
    ]
    return inside + [(4 * k, 4 * k + 5) for k in range(count - 1)]


#: Links of at most a few dozen accounts; accounts may be linked to themselves and links repeated.
LINKS = st.one_of(
    st.lists(st.tuples(_ACCOUNTS, _ACCOUNTS), max_size=40),
    st.integers(1, 20).map(_path),
    st.integers(1, 20).map(_star),
    st.integers(1, 5).map(_cliques),
)

#: Names of accounts by number: integers of all signs and sizes, and text of all sorts.
INTEGER_IDS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=22, max_size=22, unique=True)
STRING_IDS = st.lists(st.text(max_size=12), min_size=22, max_size=22, unique=True)
