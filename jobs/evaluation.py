"""How well found networks agree with planted truth, account by account and kind by kind.

All inputs are in memory: the members of found networks and the accounts that truth names, not the
whole population. An account that truth does not name is an ordinary one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from jobs.partition_agreement import adjusted_rand, bcubed

UNEXPLAINED = "unexplained"
"""Stands for the kind of a network of which no look-alike is half of the members."""


@dataclass(frozen=True)
class Score:
    """Agreement over the planted accounts of one kind, or of all; None where nothing is counted.

    found: planted accounts in a network of which at least half is planted (who opens it sees mostly
    abuse); recall = found / planted. networks, members: those that hold planted accounts of the
    kind; precision = planted share of these members, so that 1 - precision are bystanders swept in.
    B-cubed is averaged over the planted accounts; ari compares the planted accounts and the members
    of their networks, where a bystander in truth, and an account that was not found, stands alone.
    """

    kind: str
    planted_networks: int
    planted: int
    found: int
    networks: int
    members: int
    recall: float | None
    precision: float | None
    bcubed_precision: float | None
    bcubed_recall: float | None
    ari: float | None


@dataclass(frozen=True)
class LookAlikes:
    """Networks without a planted account of which at least half are look-alikes of one kind.

    Accounts that a planted network dragged in are `<role> of <kind>`, e.g. `target of device_farm`.
    """

    kind: str
    networks: int
    accounts: int
    largest: int


@dataclass(frozen=True)
class Largest:
    """The largest network: its planted accounts, and what at least half of its accounts are."""

    network_id: str
    accounts: int
    planted: int
    kind: str


@dataclass(frozen=True)
class Evaluation:
    """Agreement of all found networks with truth; bystanders counts those swept in by role."""

    overall: Score
    by_kind: tuple[Score, ...]
    bystanders: Mapping[str, int]
    look_alikes: tuple[LookAlikes, ...]
    largest: Largest | None


@dataclass(frozen=True)
class _Truth:
    network: dict[str, str]
    """Planted account to its network."""
    kind: dict[str, str]
    """Planted account to its kind."""
    look_alikes: dict[str, set[str]]
    """Other account to the kinds of its groups, or to its part in a planted network."""
    role: dict[str, str]

    def planted(self, accounts: Iterable[str]) -> int:
        return sum(account in self.network for account in accounts)


def evaluate(memberships: pa.Table, truth: pa.Table) -> Evaluation:
    """Compare memberships (account_id (key), network_id) with truth.

    truth: account_id, network, kind, role, planted; an account is in at most one planted network
    and in any number of look-alikes. Raises ValueError for an account in two found or two planted
    networks.
    """
    known = _read_truth(truth)
    found = _partition(_rows(memberships, "account_id", "network_id"), "found")
    members: dict[str, list[str]] = defaultdict(list)
    for account, network in found.items():
        members[network].append(account)
    holding = {network: each for network, each in members.items() if known.planted(each)}
    innocent = [each for network, each in members.items() if network not in holding]
    by_kind: dict[str, list[str]] = defaultdict(list)
    for account, kind in known.kind.items():
        by_kind[kind].append(account)
    return Evaluation(
        overall=_score("all", list(known.network), known, found, holding),
        by_kind=tuple(
            _score(kind, accounts, known, found, holding)
            for kind, accounts in sorted(by_kind.items())
        ),
        bystanders=_bystanders(holding.values(), known),
        look_alikes=_look_alikes(innocent, known),
        largest=_largest(members, known),
    )


def _score(
    kind: str,
    accounts: list[str],
    known: _Truth,
    found: Mapping[str, str],
    holding: Mapping[str, list[str]],
) -> Score:
    networks = {found[account] for account in accounts if account in found}
    members = [account for network in networks for account in holding[network]]
    mostly = {n for n in networks if 2 * known.planted(holding[n]) >= len(holding[n])}
    seen = sum(found.get(account) in mostly for account in accounts)
    precision, recall = bcubed(accounts, found, known.network) or (None, None)
    return Score(
        kind=kind,
        planted_networks=len({known.network[account] for account in accounts}),
        planted=len(accounts),
        found=seen,
        networks=len(networks),
        members=len(members),
        recall=_ratio(seen, len(accounts)),
        precision=_ratio(known.planted(members), len(members)),
        bcubed_precision=precision,
        bcubed_recall=recall,
        ari=adjusted_rand({*accounts, *members}, found, known.network),
    )


def _bystanders(networks: Iterable[list[str]], known: _Truth) -> dict[str, int]:
    swept_in = (a for members in networks for a in members if a not in known.network)
    return dict(sorted(Counter(known.role.get(a, "ordinary") for a in swept_in).items()))


def _look_alikes(networks: Iterable[list[str]], known: _Truth) -> tuple[LookAlikes, ...]:
    sizes: dict[str, list[int]] = defaultdict(list)
    for members in networks:
        sizes[_look_alike(members, known)].append(len(members))
    return tuple(
        LookAlikes(kind, len(each), sum(each), max(each)) for kind, each in sorted(sizes.items())
    )


def _largest(members: Mapping[str, list[str]], known: _Truth) -> Largest | None:
    if not members:
        return None
    network = min(members, key=lambda network: (-len(members[network]), network))
    accounts = members[network]
    planted = Counter(known.kind[account] for account in accounts if account in known.kind)
    mostly_planted = 2 * planted.total() >= len(accounts)
    kind = _commonest(planted) if mostly_planted else _look_alike(accounts, known)
    return Largest(network, len(accounts), planted.total(), kind)


def _look_alike(members: Sequence[str], known: _Truth) -> str:
    kinds = Counter(kind for account in members for kind in known.look_alikes.get(account, ()))
    kind = _commonest(kinds)
    return kind if 2 * kinds[kind] >= len(members) else UNEXPLAINED


def _commonest(kinds: Counter[str]) -> str:
    return min(kinds, key=lambda kind: (-kinds[kind], kind), default=UNEXPLAINED)


def _read_truth(truth: pa.Table) -> _Truth:
    rows = _rows(truth, "account_id", "network", "kind", "role", "planted")
    network = _partition(((row[0], row[1]) for row in rows if row[4]), "planted")
    kinds = {row[0]: row[2] for row in rows if row[4]}
    abuse = set(kinds.values())
    look_alikes: dict[str, set[str]] = defaultdict(set)
    role: dict[str, str] = {}
    for account, _, kind, its_role, planted in rows:
        if not planted:
            look_alikes[account].add(f"{its_role} of {kind}" if kind in abuse else kind)
            role[account] = min(its_role, role.get(account, its_role))
    return _Truth(network, kinds, dict(look_alikes), role)


def _partition(rows: Iterable[Sequence[str]], sort: str) -> dict[str, str]:
    networks: dict[str, str] = {}
    for account, network in rows:
        if networks.setdefault(account, network) != network:
            raise ValueError(
                f"account {account!r} is in two {sort} networks, {networks[account]!r} and "
                f"{network!r}: keep one row for each account"
            )
    return networks


def _rows(table: pa.Table, *columns: str) -> list[Sequence[str]]:
    return list(zip(*(table.column(name).to_pylist() for name in columns), strict=True))


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
