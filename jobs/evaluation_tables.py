"""An evaluation as tables for a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from jobs.evaluation import Evaluation, Score


def evaluation_tables(evaluation: Evaluation) -> Group:
    """Show agreement by kind, bystanders by role, innocent networks and the largest network."""
    parts: list[RenderableType] = [
        _agreement(evaluation),
        _bystanders(evaluation),
        _look_alikes(evaluation),
    ]
    if evaluation.largest is not None:
        largest = evaluation.largest
        parts.append(
            Text(
                f"Largest network: {largest.network_id}, {largest.accounts:,} accounts, "
                f"{largest.planted:,} of them planted, mostly {_words(largest.kind)}"
            )
        )
    return Group(*parts)


def _agreement(evaluation: Evaluation) -> Table:
    table = Table(title="Planted networks")
    table.add_column("kind")
    for heading in ("accounts", "found", "recall", "precision", "B³ precision", "B³ recall", "ARI"):
        table.add_column(heading, justify="right")
    for score in evaluation.by_kind:
        table.add_row(*_cells(score))
    table.add_section()
    table.add_row(*_cells(evaluation.overall))
    return table


def _cells(score: Score) -> list[str]:
    ratios = (
        score.recall,
        score.precision,
        score.bcubed_precision,
        score.bcubed_recall,
        score.ari,
    )
    shown = ["–" if ratio is None else f"{ratio:.3f}" for ratio in ratios]
    return [_words(score.kind), f"{score.planted:,}", f"{score.found:,}", *shown]


def _bystanders(evaluation: Evaluation) -> Text:
    members = evaluation.overall.members
    swept_in = sum(evaluation.bystanders.values())
    share = f"{swept_in / members:.1%}" if members else "none"
    roles = ", ".join(f"{count:,} {_words(role)}" for role, count in evaluation.bystanders.items())
    text = f"Bystanders in networks that hold planted accounts: {swept_in:,} of {members:,}"
    return Text(f"{text} ({share}{'; ' + roles if roles else ''})")


def _look_alikes(evaluation: Evaluation) -> Table:
    table = Table(title="Networks without a planted account, by what half of their accounts are")
    table.add_column("look-alike")
    for heading in ("networks", "accounts", "largest"):
        table.add_column(heading, justify="right")
    for group in evaluation.look_alikes:
        counts = (group.networks, group.accounts, group.largest)
        table.add_row(_words(group.kind), *(f"{count:,}" for count in counts))
    return table


def _words(name: str) -> str:
    return name.replace("_", " ")
