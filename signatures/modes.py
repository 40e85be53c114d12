"""Which signatures are live: a file may say so, or a site's configuration, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from graph.errors import ConfigError
from graph.suggestions import nearest
from signatures.model import Signature

ALL = "all"


def with_modes(library: Sequence[Signature], live: Sequence[str]) -> list[Signature]:
    """The library with the signatures that `live` names, by id or as `all`, in mode live.

    Raises ConfigError for an id that no signature has.
    """
    ids = [str(each.id) for each in library]
    for name in live:
        if name != ALL and name not in ids:
            hint = nearest(name, ids) or "; `actorgraph signatures list` shows them all"
            raise ConfigError(f"signatures.live: no signature has the id {name!r}{hint}")
    chosen = set(ids if ALL in live else live)
    return [
        each.model_copy(update={"mode": "live"}) if str(each.id) in chosen else each
        for each in library
    ]
