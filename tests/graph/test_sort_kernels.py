import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graph.sort_kernels import order_by

INT32 = st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
FEW = st.integers(0, 3)


@given(st.lists(st.tuples(FEW, INT64, INT32)))
def test_rows_come_in_the_order_of_their_keys_and_equal_rows_stay(
    rows: list[tuple[int, int, int]],
) -> None:
    kinds = (np.int32, np.int64, np.int32)
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    keys = [np.array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
    assert order_by(*keys).tolist() == sorted(range(len(rows)), key=rows.__getitem__)


def test_keys_of_many_rows_as_numpy_sorts_them() -> None:
    random = np.random.default_rng(7)
    small, large = (
        random.integers(0, 50, 100_000, np.int32),
        random.integers(-(10**15), 10**15, 100_000),
    )
    assert (order_by(small, large) == np.lexsort((large, small))).all()
