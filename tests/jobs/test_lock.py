"""One writer a warehouse; a dead one never keeps it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from graph.engines.base import DependencyError
from jobs.lock import exclusive

HOLDER = """
import sys, time
from pathlib import Path
from graph.engines.base import DependencyError
from jobs.lock import exclusive
with exclusive(Path(sys.argv[1]), "actorgraph run --ds 2026-11-22"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_learns_who_holds_the_lock_and_takes_over_when_that_one_is_killed(
    tmp_path: Path,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DependencyError) as caught, exclusive(tmp_path, "second"):
            pytest.fail("two writers")
        message = str(caught.value)
        assert "`actorgraph run --ds 2026-11-22`" in message
        assert f"process {holder.pid} on " in message
        holder.send_signal(signal.SIGKILL)
    with exclusive(tmp_path, "second"):
        pass


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path, "first"):
        raise ZeroDivisionError
    with exclusive(tmp_path, f"second, process {os.getpid()}"):
        pass
