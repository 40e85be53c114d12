"""Seconds and memory of a command as a whole: process start to exit, all its child processes."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

SAMPLE_S = 0.25
SAMPLING_SHARE = 0.02  # of a processor at most: the kernel walks all pages of a large process


@dataclass(frozen=True)
class Measurement:
    """Wall seconds, and the largest sum over the process tree of proportional set size (PSS)."""

    seconds: float
    peak_mib: float


def measure(command: Sequence[str], environment: dict[str, str] | None = None) -> Measurement:
    """Run a command once; raises RuntimeError with the end of its output when it fails.

    Memory is sampled from /proc (Linux), so a peak shorter than the sampling interval may be
    missed; PSS divides shared pages among the processes that share them, so nothing counts twice.
    """
    start = time.monotonic()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
        text=True,
    ) as process:
        sampler = _Sampler(process.pid)
        sampler.start()
        output, _ = process.communicate()
        seconds = time.monotonic() - start
        sampler.stop()
    if process.returncode:
        raise RuntimeError(
            f"{' '.join(command)} ended with exit code {process.returncode}:\n{output[-4000:]}"
        )
    return Measurement(seconds, sampler.peak_kib / 1024)


def middle(measurements: Sequence[Measurement]) -> Measurement:
    """Take the median of seconds and of memory, each for itself."""
    return Measurement(
        median(each.seconds for each in measurements),
        median(each.peak_mib for each in measurements),
    )


class _Sampler(threading.Thread):
    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self._root = root
        self._stopped = threading.Event()
        self.peak_kib = 0

    def run(self) -> None:
        pause = SAMPLE_S
        while not self._stopped.wait(pause):
            start = time.monotonic()
            self.peak_kib = max(self.peak_kib, sum(map(_pss_kib, _tree(self._root))))
            pause = max(SAMPLE_S, (time.monotonic() - start) / SAMPLING_SHARE)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def _tree(root: int) -> list[int]:
    """List a process and all that descend from it."""
    found, queue = [], [root]
    while queue:
        process = queue.pop()
        found.append(process)
        for path in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                queue += [int(child) for child in path.read_text().split()]
            except OSError:  # the thread has ended
                continue
    return found


def _pss_kib(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # the process has ended
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
