import threading
from collections.abc import Iterator
from functools import partial

import pyarrow as pa
import pytest

from graph.engines.side_by_side import side_by_side


def batch(number: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"number": [number]})


def numbers(start: int, stop: int) -> Iterator[pa.RecordBatch]:
    yield from map(batch, range(start, stop))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_task_gives_out_all_it_makes(threads: int) -> None:
    tasks = [partial(numbers, start, start + 10) for start in range(0, 200, 10)]
    found = [made.column(0)[0].as_py() for made in side_by_side(tasks, threads)]
    assert sorted(found) == list(range(200))


def test_tasks_run_at_the_same_time() -> None:
    both_run = threading.Barrier(2, timeout=10)

    def meet() -> Iterator[pa.RecordBatch]:
        both_run.wait()
        yield batch(1)

    assert len(list(side_by_side([meet, meet], 2))) == 2


def test_the_error_of_a_task_is_raised_and_ends_the_others() -> None:
    def fail() -> Iterator[pa.RecordBatch]:
        yield batch(1)
        raise ValueError("row 7 is odd")

    before = threading.active_count()
    with pytest.raises(ValueError, match="row 7"):
        list(side_by_side([partial(numbers, 0, 10_000_000), fail], 2))
    assert threading.active_count() == before


def test_who_wants_no_more_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    made = side_by_side([partial(numbers, 0, 10_000_000)] * 2, 2)
    next(made)
    made.close()
    assert threading.active_count() == before
