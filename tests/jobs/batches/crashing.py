"""Runs commands that are killed at one of their write steps.

Each line of input is a command as JSON: {"step": n, "call": [module, argv...]}; a child process
runs it and is killed at its n-th write below the home, by an audit hook of Python itself. Each line
of output tells how it ended: the exit code, or `killed`, and the number of steps that it made.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

WRITES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.truncate", "shutil.move"}


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            _run(order, write)
        os.close(write)
        _, status = os.waitpid(child, 0)
        steps = len(os.read(read, 1 << 20))
        os.close(read)
        ended = "killed" if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)
        sys.stdout.write(json.dumps({"ended": ended, "steps": steps}) + "\n")
        sys.stdout.flush()


def _run(order: dict[str, Any], told: int) -> None:
    module, *argv = order["call"]
    places = [str(Path(order["home"]) / name) for name in ("batches", "ledger", "warehouse")]
    left = order["step"]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & 0o3
        if not (opened or event in WRITES) or not str(arguments[0]).startswith(tuple(places)):
            return
        os.write(told, b".")
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    job = import_module(module)
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    sys.addaudithook(hook)
    os._exit(job.main(argv))


if __name__ == "__main__":
    # What every command needs is imported once, before any child is made.
    for name in ("jobs.export_enforcement", "jobs.manage_exports", "jobs.batches.approving",
                 "jobs.batches.releasing", "jobs.batches.retracting", "jobs.batches.receiving",
                 "graph.engines.duckdb", "pandas"):  # fmt: skip
        import_module(name)
    main()
