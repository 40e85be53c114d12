"""The `actorgraph` command: one subcommand a job, with the arguments that the job itself takes.

`actorgraph build-graph ARGUMENTS` equals `spark-submit jobs/build_graph.py ARGUMENTS`. Jobs are
imported only when they run, so that help comes at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Annotated

import typer


@dataclass(frozen=True)
class Command:
    """A subcommand and the module whose `main(argv)`, or other function, it calls."""

    name: str
    module: str
    help: str
    function: str = "main"


COMMANDS = [
    Command("demo", "jobs.run_demo", "Simulate a week, and show what is found in it."),
    Command("simulate", "jobs.simulate_events", "Write a simulated event log with its truth."),
    Command("run", "jobs.run_pipeline", "All batch steps of a day, published together."),
    Command("build-graph", "jobs.build_graph", "Events to nodes, edges, hubs and sightings."),
    Command("detect-networks", "jobs.detect_networks", "Graph to links, communities, networks."),
    Command("score-networks", "jobs.score_networks", "Networks to findings, scores, proposals."),
    Command("calibrate", "jobs.calibrate", "Labels to measured precision, and review samples."),
    Command("export-enforcement", "jobs.export_enforcement", "Proposals to a batch to approve."),
    Command("export", "jobs.manage_exports", "Approve, release, take back and verify batches."),
    Command("freeze", "jobs.freeze_releases", "Stop releases at once."),
    Command("unfreeze", "jobs.freeze_releases", "Let releases go on.", "unfreeze"),
    Command("audit", "jobs.check_audit", "Whether the audit log is as it was written."),
    Command("legal-hold", "jobs.hold_subjects", "Keep a subject whatever its age."),
    Command("purge", "jobs.purge_days", "Delete what is older than it may be kept."),
    Command("forget", "jobs.forget_account", "Delete what is known of an account."),
    Command("signatures", "jobs.check_signatures", "Check, test and list signatures."),
    Command("load-neo4j", "jobs.load_neo4j", "A day's networks into Neo4j."),
    Command("pull-verdicts", "jobs.pull_verdicts", "Investigators' verdicts into labels."),
    Command("neo4j", "jobs.manage_neo4j", "A local Neo4j server: start, stop, status."),
    Command("explain", "jobs.explain_subject", "Why an account, network or decision is so."),
    Command("status", "jobs.show_status", "What is published, by day and table."),
    Command("views", "jobs.print_views", "SQL views of the features, a column each."),
    Command("doctor", "jobs.check_setup", "What this machine lacks, and how to mend it."),
]

PASS_ALL = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

app = typer.Typer(
    name="actorgraph",
    help="Finds networks of accounts that act together. `actorgraph COMMAND --help` tells more.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help starts twice as fast
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        from jobs.manifest import code_version

        typer.echo(f"actorgraph {code_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def _register(command: Command) -> None:
    @app.command(command.name, help=command.help, context_settings=PASS_ALL)
    def run(context: typer.Context) -> None:
        try:
            job = import_module(command.module)
            code = getattr(job, command.function)(context.args)
        except KeyboardInterrupt:  # most often while modules are imported, which takes a second
            from jobs.errors import INTERRUPTED

            typer.echo(f"actorgraph {command.name}: interrupted", err=True)
            code = INTERRUPTED
        raise typer.Exit(code)


for _command in COMMANDS:
    _register(_command)


def main() -> None:
    """Run the command line; ends the process with the job's exit code."""
    app()


if __name__ == "__main__":
    main()
