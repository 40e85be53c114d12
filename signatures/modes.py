"""Which signatures are live: those that were promoted, and those that a site's configuration names.

A file that says so only asks for it. A demotion wins until the signature is promoted again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graph.canonical import canonical_sha256
from graph.errors import ConfigError
from graph.suggestions import nearest
from graph.tables import TIMESTAMP, Table, columns
from signatures.model import Mode, Signature

ALL = "all"

MODE_CHANGES = Table(
    name="mode_changes",
    grain="change of a signature's mode",
    key=("signature_id", "changed_at"),
    schema=columns(
        signature_id="string",
        signature_sha256="string",  # the form that was promoted or demoted
        title="string",
        mode="string",  # live: promoted; shadow: demoted
        changed_at=TIMESTAMP,
        changed_by="string",
        reason="string",
    ),
)

Change = Mapping[str, Any]
"""A row of MODE_CHANGES."""


def form_sha256(signature: Signature) -> str:
    """What identifies what a signature finds and leads to: any change is another form of it.

    Its mode and status are left out: going live, and becoming stable, change nothing of it.
    """
    return canonical_sha256(signature.model_dump(mode="json", exclude={"mode", "status"}))


def change_row(signature: Signature, mode: Mode) -> dict[str, Any]:
    """What a row of MODE_CHANGES says of a signature; when, by whom and why is to be added."""
    return {
        "signature_id": str(signature.id),
        "signature_sha256": form_sha256(signature),
        "title": signature.title,
        "mode": mode,
    }


def last_changes(changes: Iterable[Change]) -> dict[str, Change]:
    """The latest change of each signature, by its id."""
    ordered = sorted(changes, key=lambda row: row["changed_at"])
    return {row["signature_id"]: row for row in ordered}


def promoted(library: Sequence[Signature], changes: Iterable[Change]) -> list[str]:
    """The ids of signatures that went live, and not back, in the very form they have now."""
    last = last_changes(changes)
    wanted = {str(each.id): change_row(each, "live") for each in library}
    told = ("mode", "signature_sha256")
    return [
        name
        for name, row in wanted.items()
        if name in last and all(last[name][column] == row[column] for column in told)
    ]


def demoted(changes: Iterable[Change]) -> list[str]:
    """The ids of signatures that went back to shadow, whatever form they have now."""
    last = last_changes(changes)
    return [name for name, row in last.items() if row["mode"] == "shadow"]


def with_modes(
    library: Sequence[Signature], live: Sequence[str], shadow: Sequence[str] = ()
) -> list[Signature]:
    """The library with the signatures that `live` names, by id or as `all`, in mode live.

    All others, and those that `shadow` names, are in mode shadow, whatever their files say. Raises
    ConfigError for an id in `live` that no signature has.
    """
    chosen = _named("live", live, library) - set(shadow)
    modes: dict[bool, Mode] = {True: "live", False: "shadow"}
    return [each.model_copy(update={"mode": modes[str(each.id) in chosen]}) for each in library]


def with_stable(library: Sequence[Signature], stable: Sequence[str]) -> list[Signature]:
    """The library with the signatures that `stable` names, by id or as `all`, of that status.

    Raises ConfigError for an id that no signature has.
    """
    named = _named("stable", stable, library)
    return [
        each.model_copy(update={"status": "stable"}) if str(each.id) in named else each
        for each in library
    ]


def _named(setting: str, names: Sequence[str], library: Sequence[Signature]) -> set[str]:
    """The ids that a site's setting names; raises ConfigError for one that no signature has."""
    ids = {str(each.id) for each in library}
    for name in names:
        if name != ALL and name not in ids:
            hint = nearest(name, sorted(ids)) or "; `actorgraph signatures list` shows them all"
            raise ConfigError(f"signatures.{setting}: no signature has the id {name!r}{hint}")
    return ids if ALL in names else set(names)


def live_now(
    library: Sequence[Signature], live: Sequence[str], changes: Sequence[Change]
) -> list[Signature]:
    """The library in the modes that a site's `live` and its promotions give it."""
    return with_modes(library, [*live, *promoted(library, changes)], demoted(changes))


def only_in_their_files(library: Sequence[Signature], now: Sequence[Signature]) -> list[Signature]:
    """Signatures of abuse whose files say live and which are in shadow, by `now`, all the same.

    An innocent explanation counts in either mode.
    """
    live = {str(each.id) for each in now if each.mode == "live"}
    return [
        each
        for each in library
        if each.mode == "live" and not each.benign and str(each.id) not in live
    ]
