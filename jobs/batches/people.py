"""Who does something to a batch: a name that stands in the audit log."""

from __future__ import annotations

import argparse
import getpass
import re


def add_person(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add `--as NAME`; by default whoever is logged in."""
    parser.add_argument(
        "--as", dest="person", type=person, default=getpass.getuser(), metavar="NAME", help=meaning
    )


def person(text: str) -> str:
    """A name as approvers have them; raises ArgumentTypeError for others."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a name: use up to 64 letters, digits, dots, dashes, underscores and @"
        )
    return text
