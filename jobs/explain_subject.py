"""Why an account, a network or a decision is what it is: the evidence path, for and against.

Run it by `actorgraph explain ID --ds YYYY-MM-DD`; ID is an account, a network or a decision. A
decision is told as it was frozen when it was decided; --ds is not needed for one.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow.compute as pc
from pyarrow.dataset import Expression, field

from graph.build import NODES
from graph.config import Config, Proposals
from graph.engines.base import Engine, InputError
from graph.evidence import LINK_EVIDENCE
from graph.features.computed import NETWORK_FEATURES_TABLE
from graph.fusion import ACCOUNT_LINKS
from graph.ledger import read_ledger
from graph.networks import MEMBERSHIPS, NETWORKS
from graph.profiles import ACCOUNT_PROFILE
from graph.tables import Table
from jobs.accepted_lots import print_accepted
from jobs.arguments import day, settings_parser
from jobs.commands import run_command
from jobs.configuration import load
from jobs.decision_lives import print_outcomes, print_transitions
from jobs.errors import DONE
from jobs.masking import masked_ids
from jobs.members_decided import decisions_in, is_proposed, left_out_because, print_decided
from jobs.printing import most, plain, print_table
from jobs.unlinked_account import TRACE_COLUMNS, by_trace, links_of, similar_ids, why_in_none
from jobs.verdicts import VERDICT_COLUMNS, verdicts_on
from jobs.warehouse import Warehouse
from signatures.decisions import DECISIONS
from signatures.evaluation import Values, parts_that_hold
from signatures.findings import FINDINGS, SIZE
from signatures.frozen_evidence import read_evidence
from signatures.inclusions import INCLUSIONS
from signatures.ladder import RESTRICTIONS
from signatures.life_cycle import STANDS
from signatures.loading import load as load_signatures
from signatures.model import Signature, feature_of
from signatures.near_misses import near_misses
from signatures.scores import SCORES
from signatures.snapshots import SNAPSHOTS
from signatures.words import bound_in_words, in_words

Row = dict[str, Any]

Masked = Mapping[tuple[str, str], str]
"""What is shown in place of a sensitive entity, by its type and id."""

SHOWN = 10
"""Entities, neighbours and reasons that are listed, the strongest first."""

NEAREST = 3
"""Signatures that are told of where none of abuse matches."""


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Explain one subject as a command; returns its exit code."""
    parser = settings_parser("explain", "Show why an account, a network or a decision is so.")
    parser.add_argument("subject", metavar="ID", help="an account, a network, or a decision")
    parser.add_argument("--ds", type=day, help="the day; default: the latest that was scored")
    parser.set_defaults(engine=engine)
    return run_command(parser, argv, _explain)


def _explain(arguments: argparse.Namespace) -> int:
    config = load(arguments.config, arguments.set, os.environ)
    warehouse = Warehouse.of(config)
    warehouse.recover("explain")
    decision = read_ledger(
        warehouse.folder.parent, DECISIONS, field("decision_id") == arguments.subject
    ).to_pylist()
    masked = masked_ids(config, arguments.engine)
    if decision:
        _decision(warehouse, decision, masked)
        return DONE
    ds = arguments.ds or max(warehouse.days(INCLUSIONS.name), default=None)
    if ds is None:
        raise InputError("nothing was scored yet: run `actorgraph score-networks` first")
    day_tables = _Day(warehouse, ds, masked, config.proposals)
    if network := day_tables.rows(NETWORKS, field("network_id") == arguments.subject):
        _network(day_tables, network[0], config.signatures.paths)
    elif member := day_tables.rows(MEMBERSHIPS, field("account_id") == arguments.subject):
        _account(day_tables, member[0])
    elif day_tables.rows(NODES, _is_account(arguments.subject)):
        _unlinked(day_tables, arguments.subject, config)
    else:
        raise InputError(_unknown(day_tables, arguments.subject))
    return DONE


class _Day:
    """The published tables of one day, read where a filter says, and what must not be shown."""

    def __init__(self, warehouse: Warehouse, ds: date, masked: Masked, limits: Proposals) -> None:
        self.warehouse = warehouse
        self.ds = ds
        self.masked = masked
        self.limits = limits

    def rows(self, table: Table, where: Expression) -> list[Row]:
        return self.warehouse.rows(table, self.ds, where)


def _is_account(name: str) -> Expression:
    return (field("node_type") == "account") & (field("node_id") == name)


def _unknown(tables: _Day, subject: str) -> str:
    told = (
        f"{subject!r} is no decision, and on {tables.ds} neither a network nor an account that was "
        "seen in the log of the look-back"
    )
    if profile := tables.rows(ACCOUNT_PROFILE, field("account_id") == subject):
        return f"{told}; it was last active on {profile[0]['last_active_at']:%Y-%m-%d}"
    similar = similar_ids(tables.rows, subject)
    return f"{told}; did you mean {' or '.join(map(repr, similar))}?" if similar else told


def _unlinked(tables: _Day, account: str, config: Config) -> None:
    links = links_of(tables.rows, account)
    _say(f"Account {account} on {tables.ds}")
    why = why_in_none(tables.rows, account, links, config)
    _say(f"  in no network, so it is not judged: {why}")
    _say("")
    _outcomes(tables, field("account_id") == account)
    if links:
        print_table("Its links by trace", TRACE_COLUMNS, by_trace(links, config.active_traces))
        columns = ("trace", "account_a", "account_b", "co_actions", "entities", "surprise", "kept")
        told = [
            [*(row[column] for column in columns[:-2]), round(row["surprise"], 2), row["kept"]]
            for row in links[:SHOWN]
        ]
        print_table(f"Most surprising of {len(links)} links", columns, told)
    _verdicts(tables, account)
    _history(tables, account)


def _account(tables: _Day, member: Row) -> None:
    account, network = member["account_id"], member["network_id"]
    (judged,) = tables.rows(INCLUSIONS, field("account_id") == account)
    _say(f"Account {account} on {tables.ds}")
    _say(f"  in network {network} since {member['joined_on']}, role {judged['role']}")
    _list("  why this role", judged["role_reasons"])
    (network_row,) = tables.rows(NETWORKS, field("network_id") == network)
    decision = decisions_in(tables.warehouse.folder.parent, network_row).get(account)
    if decision and decision["state"] in STANDS:
        told = f"{decision['action']} by policy {decision['policy_id']}, route {decision['route']}"
        _say(f"  {decision['state']}: {told}")
    elif is_proposed(judged, decision):
        _say(f"  proposed: {judged['action']} by policy {judged['policy_id']}")
        _list(f"  and not {judged['declared_action']}, because", judged["lighter_because"])
        if judged["action"] in RESTRICTIONS:
            _say("  no single entity or neighbour holds it in the core: each time, more remains")
    else:
        _list("  left out because", left_out_because(judged, decision))
    _list("  overridden", judged["overridden"])
    holders = [_holder(name, tables.masked) for name in judged["dropped_by"]]
    _list("  without one of these it would leave the core", holders)
    _say("")
    _outcomes(tables, field("account_id") == account)
    _neighbours(tables, account)
    _entities(tables, account)
    _findings(tables, network, account)
    _verdicts(tables, account)
    _history(tables, account)


def _holder(name: str, masked: Masked) -> str:
    """An entry of `dropped_by`, `device:<id>` or `account:<id>`."""
    kind, _, entity = name.partition(":")
    return f"{kind}:{masked.get((kind, entity), entity)}"


def _neighbours(tables: _Day, account: str) -> None:
    ends = (field("account_a") == account) | (field("account_b") == account)
    links = tables.rows(ACCOUNT_LINKS, ends)
    links.sort(key=lambda link: (-link["weight"], link["account_a"], link["account_b"]))
    by_trace: Counter[str] = Counter(trace for link in links for trace in link["traces"])
    print_table(
        "What each trace contributes",
        ("trace", "links"),
        most(by_trace),
    )
    print_table(
        f"Strongest of {len(links)} links",
        ("account", "weight", "traces", "co_actions", "entities"),
        [
            (
                link["account_b"] if link["account_a"] == account else link["account_a"],
                round(link["weight"], 3),
                " ".join(link["traces"]),
                link["co_actions"],
                link["entities"],
            )
            for link in links[:SHOWN]
        ],
    )


def _entities(tables: _Day, account: str) -> None:
    ends = (field("account_a") == account) | (field("account_b") == account)
    evidence = tables.rows(LINK_EVIDENCE, ends)
    entities: dict[tuple[str, str, str], list[Row]] = {}
    for row in evidence:
        key = (row["trace"], row["entity_type"], row["entity_id"])
        entities.setdefault(key, []).append(row)
    ordered = sorted(entities.items(), key=lambda item: (-item[1][0]["rarity"], item[0]))
    print_table(
        f"Strongest of {len(ordered)} shared entities",
        ("trace", "entity", "id", "with", "rarity", "first", "last"),
        [
            (
                trace,
                kind,
                tables.masked.get((kind, name), name),
                len(rows),
                round(rows[0]["rarity"], 2),
                f"{min(row['first_at'] for row in rows):%Y-%m-%d %H:%M:%S}",
                f"{max(row['last_at'] for row in rows):%Y-%m-%d %H:%M:%S}",
            )
            for (trace, kind, name), rows in ordered[:SHOWN]
        ],
    )


def _findings(tables: _Day, network: str, account: str | None = None) -> None:
    """What matches a network, and of its accounts the one that is asked for."""
    for finding in tables.rows(FINDINGS, field("network_id") == network):
        if finding["subject_id"] in (network, account):
            verb = "explained by" if finding["benign"] else "matches"
            whose = "its network: " if account and finding["subject_id"] == network else ""
            _list(f"{whose}{verb} {finding['title']} ({finding['mode']})", finding["reasons"])
            _say("")


def _network(tables: _Day, network: Row, paths: Iterable[str]) -> None:
    name = network["network_id"]
    _say(f"Network {name} on {tables.ds}")
    _say(
        f"  {network['accounts']} accounts, {network['core_accounts']} at the core, "
        f"{network['links']} links by {', '.join(network['traces'])}"
    )
    for score in tables.rows(SCORES, field("network_id") == name):
        measured = "measured" if score["calibrated"] else "not measured"
        _say(
            f"  {score['disposition']}: likelihood {score['likelihood']:.2f} ({measured}), "
            f"harm {score['harm']:.2f}, priority {score['priority']:.2f}"
        )
    _say("")
    judged = tables.rows(INCLUSIONS, field("network_id") == name)
    members = field("account_id").isin([row["account_id"] for row in judged])
    _outcomes(tables, members | (field("network_id") == name))
    _verdicts(tables, name)
    _findings(tables, name)
    _signatures(tables, name, paths)
    overridden = Counter(told for row in judged for told in row["overridden"] or ())
    if overridden:
        print_table("What was overridden", ("overridden", "accounts"), most(overridden))
    roles = Counter(row["role"] for row in judged)
    print_table("Roles", ("role", "accounts"), sorted(roles.items()))
    print_decided(judged, decisions_in(tables.warehouse.folder.parent, network))


def _signatures(tables: _Day, network: str, paths: Iterable[str]) -> None:
    """The parts of the signatures that match, with the network's values, or of the nearest."""
    values = {
        row["feature"]: row["value"]
        for row in tables.rows(NETWORK_FEATURES_TABLE, field("network_id") == network)
    }
    matched = {row["signature_id"] for row in tables.rows(FINDINGS, field("network_id") == network)}
    library = load_signatures(list(paths))
    of_networks = [each for each in library if each.subject == "network"]
    found = [each for each in of_networks if str(each.id) in matched]
    for signature in found:
        holds = parts_that_hold(signature, values)
        rows = []
        for name, part in signature.parts.items():
            for feature, comparison in part.features.items():
                bounds = " and ".join(
                    bound_in_words(each, bound) for each, bound in comparison.bounds.items()
                )
                value = values.get(feature)
                told = "unknown"
                if value is not None:
                    told = in_words(feature_of(feature), value, values.get(SIZE))
                rows.append((name, holds[name], told, bounds))
        columns = ("part", "holds", "of this network", "bound")
        print_table(f"{signature.title}: {signature.detection.condition.strip()}", columns, rows)
    if all(signature.benign for signature in found):
        _nearest(of_networks, values)


def _nearest(library: Iterable[Signature], values: Values) -> None:
    """What keeps the network from the signatures of abuse that it is nearest to."""
    rows = [
        (
            near.signature.title,
            each.part,
            each.feature,
            "unknown" if each.value is None else f"{round(each.value, 3):g}",
            each.needed,
        )
        for near in near_misses(library, values)[:NEAREST]
        for each in near.failed
    ]
    columns = ("signature", "part", "feature", "of this network", "needed")
    title = "No signature of abuse matches; the nearest lack"
    if rows:
        print_table(title, columns, rows)
    else:
        _say("No signature of abuse matches, and none is near.")
        _say("")


def _outcomes(tables: _Day, about: Expression) -> None:
    print_outcomes(tables.warehouse.folder.parent, about)


def _verdicts(tables: _Day, subject: str) -> None:
    given = verdicts_on(tables.warehouse.folder.parent, subject, datetime.now(UTC))
    if given:
        print_table(
            "What reviewers say (a sample measures, and proposes nobody)", VERDICT_COLUMNS, given
        )
    print_accepted(tables.warehouse.folder.parent, tables.limits, subject)


def _history(tables: _Day, account: str) -> None:
    home = tables.warehouse.folder.parent
    rows = read_ledger(home, DECISIONS, field("account_id") == account).to_pylist()
    if rows:
        print_transitions(rows)


def _decision(warehouse: Warehouse, rows: list[Row], masked: Masked) -> None:
    rows.sort(key=lambda row: row["number"])
    last = rows[-1]
    _say(f"Decision {last['decision_id']}: {last['state']}")
    _say(
        f"  account {last['account_id']}, {last['action']} by policy {last['policy_id']}, "
        f"route {last['route']}, role {last['subject_role']}, episode {last['episode']}"
    )
    _say(f"  judged in network {last['network_id']}, snapshot {last['snapshot_sha256']}")
    _say("")
    print_outcomes(warehouse.folder.parent, field("account_id") == last["account_id"])
    print_transitions(rows)
    frozen = read_ledger(
        warehouse.folder.parent,
        SNAPSHOTS,
        (pc.field("snapshot_sha256") == rows[0]["snapshot_sha256"])
        & (pc.field("account_id") == last["account_id"]),
    ).to_pylist()
    for row in frozen:
        evidence = read_evidence(row["evidence"])
        columns = ("trace", "entity", "id", "members", "co_actions", "first_at")
        told = [
            (
                each.trace,
                each.entity_type,
                masked.get((each.entity_type, each.entity_id), each.entity_id),
                each.members,
                each.co_actions,
                each.first_at,
            )
            for each in evidence.shared
        ]
        print_table("Evidence for, as frozen", columns, told)
        _list("Why this role", evidence.role)
        _list("The signature matched on", evidence.grounds)
        _list("Against, as frozen", evidence.against)
        _list("Not counted, as frozen", evidence.not_counted)


def _list(title: str, lines: Sequence[str]) -> None:
    if lines:
        _say(f"{title}:")
        for line in lines:
            _say(f"    - {line}")


def _say(text: str) -> None:
    sys.stdout.write(f"{plain(text)}\n")


if __name__ == "__main__":
    sys.exit(main())
