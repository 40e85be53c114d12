"""Steps of a run that do not wait for each other, taken by several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from queue import Queue

from graph.engines.base import Item, Result
from graph.engines.side_by_side import Shared


def at_once(step: Callable[[Item], Result], items: Sequence[Item], most: int) -> list[Result]:
    """Take a step for each item, at most so many at a time; the results in the items' order.

    After an error no further step begins, those under way end, and the first error is raised. An
    interrupt waits for none of them.
    """
    waiting = Shared(enumerate(items))
    ended: Queue[BaseException | None] = Queue()
    results: dict[int, Result] = {}
    failed = threading.Event()

    def work() -> None:
        error: BaseException | None = None
        try:
            for place, item in waiting:
                if failed.is_set():
                    break
                results[place] = step(item)
        except BaseException as raised:
            failed.set()
            error = raised
        ended.put(error)

    workers = min(most, len(items))
    for _ in range(workers):
        threading.Thread(target=copy_context().run, args=(work,), daemon=True).start()
    errors = [error for _ in range(workers) if (error := ended.get()) is not None]
    if errors:
        raise errors[0]
    return [results[place] for place in range(len(items))]
