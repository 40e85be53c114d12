"""Steps that several threads take: their order, their context, and what an error stops."""

import threading
from contextvars import ContextVar

import pytest

from graph.engines.at_once import at_once

who: ContextVar[str] = ContextVar("who")


def test_results_come_in_the_order_of_the_items() -> None:
    gates = [threading.Event() for _ in range(3)]

    def step(item: int) -> int:
        """The last ends first."""
        if item < 2:
            assert gates[item + 1].wait(10)
        gates[item].set()
        return item * 10

    assert at_once(step, [0, 1, 2], most=3) == [0, 10, 20]
    assert at_once(lambda item: item, [], most=3) == []


def test_no_more_than_asked_for_run_at_a_time_and_in_the_context_of_the_caller() -> None:
    running, most_running, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2)

    def step(item: int) -> str:
        nonlocal running, most_running
        with lock:
            running += 1
            most_running = max(most_running, running)
        both.wait(10)
        with lock:
            running -= 1
        return who.get()

    who.set("the caller")
    assert at_once(step, range(6), most=2) == ["the caller"] * 6
    assert most_running == 2


def test_after_an_error_nothing_more_begins_and_the_error_is_raised() -> None:
    begun: list[int] = []

    def step(item: int) -> None:
        begun.append(item)
        if item == 1:
            raise ValueError("the second")

    with pytest.raises(ValueError, match="the second"):
        at_once(step, range(100), most=1)
    assert begun == [0, 1]
