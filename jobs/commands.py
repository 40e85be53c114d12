"""The frame of the small commands: they print for people, and end with the same exit codes."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence

from jobs.errors import DONE, UNEXPECTED, as_stop, describe, exit_code

NO_READER = 141
"""What shells report of a program whose output nobody reads any more, as after `| head`."""


def run_command(
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None,
    action: Callable[[argparse.Namespace], int],
) -> int:
    """Parse, act, and turn an error into a line and its exit code; returns action's code."""
    try:
        code = action(parser.parse_args(argv))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Python flushes once more when it ends, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_READER
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or DONE)
    except (Exception, KeyboardInterrupt) as error:
        code = exit_code(as_stop(error))
        if code == UNEXPECTED:
            traceback.print_exc()
        sys.stderr.write(f"{parser.prog}: {describe(as_stop(error))}\n")
        return code
