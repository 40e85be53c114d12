"""Tables for people: drawn on a terminal, plain aligned columns in a file or a pipe."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table to the standard output; numbers are aligned to the right."""
    texts = [[_text(value) for value in row] for row in rows]
    right = [
        bool(rows) and all(isinstance(row[i], int | float) for row in rows)
        for i, _ in enumerate(columns)
    ]
    if sys.stdout.isatty():
        _draw(title, columns, texts, right)
        return
    widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
    sys.stdout.write(f"{title}\n")
    for row in [list(columns), *texts]:
        cells = (
            text.rjust(width) if aligned else text.ljust(width)
            for text, width, aligned in zip(row, widths, right, strict=True)
        )
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    sys.stdout.write("\n")


def plain(text: str) -> str:
    """A text whose signs a terminal shows instead of obeying: ids in it may be anybody's."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def _text(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    return f"{value:,}" if isinstance(value, int | float) else plain(str(value))


def _draw(
    title: str, columns: Sequence[str], texts: Sequence[Sequence[str]], right: Sequence[bool]
) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold")
    for name, aligned in zip(columns, right, strict=True):
        table.add_column(name, justify="right" if aligned else "left", overflow="fold")
    for row in texts:
        table.add_row(*map(escape, row))
    Console().print(table)


def most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Names with their counts, the largest first, equal ones in order of text."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
