"""Record batches made by several threads at once; Arrow, numpy and compiled loops let them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from queue import Queue
from typing import Generic, TypeVar

import pyarrow as pa

Task = Callable[[], Iterable[pa.RecordBatch]]
Item = TypeVar("Item")


def side_by_side(tasks: Iterable[Task], threads: int) -> Generator[pa.RecordBatch]:
    """Run tasks, so many at a time, and give out what they make, in any order.

    A task waits until somebody takes what it made, so memory is bounded. The first error ends all
    and is raised here.
    """
    waiting = Shared(tasks)
    made: Queue[pa.RecordBatch | BaseException | None] = Queue(maxsize=threads)
    stopped = threading.Event()
    workers = [
        threading.Thread(target=_work, args=(waiting, made, stopped), daemon=True)
        for _ in range(threads)
    ]
    for worker in workers:
        worker.start()
    working = threads
    try:
        while working:
            taken = made.get()
            if isinstance(taken, BaseException):
                raise taken
            if taken is None:
                working -= 1
            else:
                yield taken
    finally:
        stopped.set()
        while working:
            working -= made.get() is None
        for worker in workers:
            worker.join()


def _work(
    waiting: Shared[Task], made: Queue[pa.RecordBatch | BaseException | None], stop: threading.Event
) -> None:
    """Run tasks until there are none, or no more are wanted; None says that this worker ends."""
    try:
        for task in waiting:
            for batch in task():
                made.put(batch)
                if stop.is_set():
                    return
    except BaseException as error:
        made.put(error)
    finally:
        made.put(None)


class Shared(Generic[Item]):
    """An iterator that several threads take from, each item once."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        with self._lock:
            return next(self._items)
