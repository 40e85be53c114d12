"""The frame of the small commands: they print for people, and end with the same exit codes."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence

from jobs.errors import DONE, UNEXPECTED, as_stop, describe, exit_code


def run_command(
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None,
    action: Callable[[argparse.Namespace], int],
) -> int:
    """Parse, act, and turn an error into a line and its exit code; returns action's code."""
    try:
        return action(parser.parse_args(argv))
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or DONE)
    except (Exception, KeyboardInterrupt) as error:
        code = exit_code(as_stop(error))
        if code == UNEXPECTED:
            traceback.print_exc()
        sys.stderr.write(f"{parser.prog}: {describe(as_stop(error))}\n")
        return code
