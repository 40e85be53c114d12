"""Deletes what is known of an account: its rows in tables and the archive; ledgers keep a hash.

Run it by `actorgraph forget ACCOUNT --reason ...`. In ledgers the account's id is replaced by a
keyed HMAC, so that decisions can still be counted; the audit log gets a tombstone with the same
hash. The investigators' database loses the account with its next load. Batches that left are not
changed: their checksums would break.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graph.engines.base import Engine
from jobs.arguments import settings_parser
from jobs.batches.people import add_person
from jobs.commands import run_command
from jobs.errors import DONE, GuardStop

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("account_id", "account_a", "account_b", "subject_id", "node_id", "entity_id")
"""Columns of tables in which an account's id stands; a target may be an account too."""


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Forget an account as a command; returns its exit code."""
    parser = settings_parser("forget", "Delete what is known of an account.")
    parser.set_defaults(engine=engine)
    parser.add_argument("account", metavar="ACCOUNT", help="its id")
    parser.add_argument("--reason", required=True, help="why; it stands in the audit log")
    add_person(parser, "who orders it")
    return run_command(parser, argv, _forget)


def _forget(arguments: argparse.Namespace) -> int:
    from exporters.enforcement.keyed import keyed, read_key
    from graph.enforced_entities import ENFORCED_ENTITIES
    from jobs.batches.changes import changing
    from jobs.batches.rewriting import ledger_appends, rewrite, table_days
    from jobs.configuration import load
    from jobs.hold_subjects import held
    from jobs.samples import REVIEW, forget_in_blank_labels

    config = load(arguments.config, arguments.set, os.environ)
    account = arguments.account
    name = keyed(read_key(config.enforcement.key_file), "account", account)
    archive = ENFORCED_ENTITIES.name

    def drop(batch: pa.RecordBatch) -> pa.RecordBatch:
        return _without(batch, account)

    def mask(batch: pa.RecordBatch) -> pa.RecordBatch:
        return _masked(batch, account, name)

    with changing(config, "forget", engine=arguments.engine) as changes:
        if account in held(changes.home):
            raise GuardStop(f"guard legal hold: {account} is held, limit not held: lift it first")
        rows = sum(rewrite(changes, *each, drop) for each in table_days(changes))
        rows += sum(rewrite(changes, *each, drop) for each in ledger_appends(changes, archive))
        kept = sum(
            rewrite(changes, target, folder, mask)
            for target, folder in ledger_appends(changes)
            if folder.parent.name != archive
        )
        told = {"account": name, "reason": arguments.reason, "deleted": rows, "masked": kept}
        changes.audit("forget", arguments.person, told)
        changes.publish()
        forget_in_blank_labels(changes.home / REVIEW, account)
    sys.stdout.write(f"{rows} rows deleted; in ledgers the account is {name}\n")
    return DONE


def _without(batch: pa.RecordBatch, account: str) -> pa.RecordBatch:
    import pyarrow.compute as pc

    for column in COLUMNS:
        if column in batch.schema.names:
            other = pc.not_equal(batch.column(column), account)
            batch = batch.filter(pc.fill_null(other, True))
    return batch


def _masked(batch: pa.RecordBatch, account: str, name: str) -> pa.RecordBatch:
    """The batch with the account's id replaced, where a column or a list of texts holds it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    arrays = []
    for field, values in zip(batch.schema, batch.columns, strict=True):
        if field.name in COLUMNS:
            mine = pc.fill_null(pc.equal(values, account), False)
            arrays.append(pc.if_else(mine, name, values))
        elif field.name == "members" and pa.types.is_list(field.type):
            lists = [
                each and [name if one == account else one for one in each]
                for each in values.to_pylist()
            ]
            arrays.append(pa.array(lists, field.type))
        else:
            arrays.append(values)
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


if __name__ == "__main__":
    sys.exit(main())
