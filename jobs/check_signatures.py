"""Checks, tests and lists signatures, the shipped ones and a site's own.

Run it by `actorgraph signatures check|test|list|schema|features [PATH ...]`; the other subcommands
have files of their own. A signature that is not sound, or an example that does not come out as its
file says, ends with exit code 2.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graph.engines.base import Engine
from jobs.arguments import add_settings
from jobs.backtest_signature import add_backtest, backtest
from jobs.baseline_signature import add_baseline, baseline
from jobs.commands import run_command
from jobs.errors import DONE, ConfigError
from jobs.override_signature import add_override, add_withdrawal, override, overrides, withdraw
from jobs.printing import print_table
from jobs.promote_signature import add_change, demote, promote

if TYPE_CHECKING:
    from graph.config import Config
    from signatures.model import Signature


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Run one of the subcommands; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="actorgraph signatures",
        description="Check, test and list signatures.",
        allow_abbrev=False,
    )
    parser.set_defaults(engine=engine)
    commands = parser.add_subparsers(
        required=True,
        metavar="check|test|list|schema|features|baseline|backtest|promote|demote|override|withdraw|"
        "overrides",
    )
    for name, action, help_text in (
        ("check", _check, "whether every file is sound, a line for each problem"),
        ("test", _test, "whether the examples in the files come out as they say"),
        ("list", _list, "the signatures, and with --features what they may name"),
    ):
        command = commands.add_parser(name, help=help_text, allow_abbrev=False)
        command.set_defaults(action=action)
        command.add_argument(
            "paths",
            nargs="*",
            metavar="PATH",
            help="a .yml file or a folder of them, beside the shipped ones; default: the "
            "config's signatures.paths",
        )
        add_settings(command)
        if name == "list":
            command.add_argument("--features", action="store_true", help="list features instead")
    schema = commands.add_parser("schema", help="the JSON Schema of signature files, for editors")
    schema.set_defaults(action=_schema)
    features = commands.add_parser("features", help="the page docs/features.md", allow_abbrev=False)
    features.set_defaults(action=_features)
    for name, add, action, help_text in (
        ("baseline", add_baseline, baseline, "whom a signature hits among simulated innocents"),
        ("backtest", add_backtest, backtest, "what a signature would have found on past days"),
        ("promote", add_change, promote, "let a signature go live that was backtested"),
        ("demote", add_change, demote, "put a signature back into shadow at once"),
        ("override", add_override, override, "let an innocent explanation keep some out no more"),
        ("withdraw", add_withdrawal, withdraw, "withdraw an override"),
        ("overrides", add_settings, overrides, "the overrides that are in force"),
    ):
        command = commands.add_parser(name, help=help_text, allow_abbrev=False)
        add(command)
        command.set_defaults(action=action)
    return run_command(parser, argv, lambda arguments: int(arguments.action(arguments)))


def _config(arguments: argparse.Namespace) -> Config:
    from jobs.configuration import load

    return load(arguments.config, arguments.set, os.environ)


def _asked(arguments: argparse.Namespace, config: Config) -> list[Signature]:
    """The shipped signatures and those of the paths that are named, else of the config's."""
    from signatures.loading import load

    return load(arguments.paths or config.signatures.paths, config.active_traces)


def _check(arguments: argparse.Namespace) -> int:
    config = _config(arguments)
    signatures = _asked(arguments, config)
    _refuse_unknown_policies(signatures, config)
    sys.stdout.write(f"{len(signatures)} signatures are sound\n")
    return DONE


def _refuse_unknown_policies(signatures: Sequence[Signature], config: Config) -> None:
    """Raise ConfigError, a line each, for signatures under a policy that no notice could name."""
    from exporters.enforcement.wording import read_wording

    wording = read_wording(config.enforcement.policies, config.enforcement.texts)
    problems = []
    for each in signatures:
        try:
            if each.enforcement:
                wording.policy(each.enforcement.policy_id)
        except ConfigError as error:
            problems.append(f"{each.title}: {error}")
    if problems:
        raise ConfigError("\n".join(problems))


def _test(arguments: argparse.Namespace) -> int:
    from signatures.examples import wrong_examples

    signatures = _asked(arguments, _config(arguments))
    wrong = [line for signature in signatures for line in wrong_examples(signature)]
    if wrong:
        raise ConfigError("\n".join(wrong))
    count = sum(len(each) for one in signatures for each in one.tests.by_kind.values())
    sys.stdout.write(f"{count} examples of {len(signatures)} signatures come out as they say\n")
    return DONE


def _list(arguments: argparse.Namespace) -> int:
    from graph.features import FEATURES
    from graph.features.shape import own_traces, trace_feature

    config = _config(arguments)
    if arguments.features:
        features = [*FEATURES, *map(trace_feature, own_traces(config.active_traces))]
        print_table(
            "Features",
            ["feature", "subject", "unit", "range", "meaning"],
            [[each.name, each.subject, each.unit, each.range, each.meaning] for each in features],
        )
        return DONE
    print_table(
        "Signatures",
        ["title", "explains", "subject", "status", "mode", "level", "action", "id", "tags"],
        [
            [
                each.title,
                each.benign,
                each.subject,
                each.status,
                each.mode,
                each.level,
                each.enforcement.action if each.enforcement else None,
                each.id,
                " ".join(each.tags),
            ]
            for each in _today(_asked(arguments, config), config)
        ],
    )
    return DONE


def _today(library: Sequence[Signature], config: Config) -> list[Signature]:
    """The library in the modes and of the status that `score-networks` would give it now."""
    from graph.ledger import read_ledger
    from signatures.modes import ALL, MODE_CHANGES, live_now, with_stable

    known = {ALL, *(str(each.id) for each in library)}
    live = [name for name in config.signatures.live if name in known]
    stable = [name for name in config.signatures.stable if name in known]
    changes = read_ledger(config.home, MODE_CHANGES).to_pylist()
    return live_now(with_stable(library, stable), live, changes)


def _schema(_: argparse.Namespace) -> int:
    from signatures.schema import schema_text

    sys.stdout.write(schema_text())
    return DONE


def _features(_: argparse.Namespace) -> int:
    from graph.features.page import features_page

    sys.stdout.write(features_page())
    return DONE


if __name__ == "__main__":
    sys.exit(main())
