"""Who is proposed on scored weeks, beside the truth: the figures that acceptance asks for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from signatures.inclusions import AWAITING, OBSTACLES, WEAK_LINKS
from signatures.ladder import RESTRICTIONS, SECURE
from signatures.roles import ACTOR
from tests.integration.sites import Row

SURMOUNTABLE = {each.reason for each in OBSTACLES if each.name in (*AWAITING, *WEAK_LINKS)}
"""Reasons that more labels or stronger links take away."""


@dataclass(frozen=True)
class Account:
    """An account of a scored week: the truth, and what was decided by rule."""

    name: str
    planted: Row | None
    """Its row of the truth as an actor or a hijacked account."""
    others: tuple[Row, ...]
    """Its rows as a target, an originator, or one of a group of innocents."""
    judged: Row | None
    """Its row of inclusions; None outside of networks."""
    signature: str | None

    @property
    def kind(self) -> str:
        return self.planted["kind"] if self.planted else "innocent"

    @property
    def action(self) -> str | None:
        return self.judged["action"] if self.judged and self.judged["included"] else None

    @property
    def is_right(self) -> bool:
        """Whether what is proposed fits: hijacked accounts are secured, and actors are not."""
        role = self.planted["role"] if self.planted else None
        return role == ("compromised" if self.action == SECURE else ACTOR)

    @property
    def is_restricted(self) -> bool:
        return self.action in RESTRICTIONS

    @property
    def may_pass(self) -> bool:
        """Whether it is proposed, or nothing but labels and stronger links is missing."""
        return (
            self.judged is not None
            and self.judged["signature_id"] is not None
            and (set(self.judged["reasons"]) <= SURMOUNTABLE)
        )

    def is_of(self, role: str) -> bool:
        """Whether it has this part, or this note, in a planted network that it is no actor of."""
        return any(role in (row["role"], row["note"]) for row in self.others)


def accounts_of(
    truth: Sequence[Row], inclusions: Sequence[Row], findings: Sequence[Row]
) -> list[Account]:
    """All accounts that the truth names or that are in a network."""
    titles = {row["signature_id"]: row["title"] for row in findings}
    told: dict[str, list[Row]] = defaultdict(list)
    for row in truth:
        told[row["account_id"]].append(row)
    judged = {row["account_id"]: row for row in inclusions}
    found = []
    for name in sorted(told.keys() | judged.keys()):
        rows, of_it = told[name], judged.get(name)
        planted = [row for row in rows if row["planted"]]
        others = tuple(row for row in rows if not row["planted"])
        title = titles.get(of_it["signature_id"]) if of_it else None
        found.append(Account(name, planted[0] if planted else None, others, of_it, title))
    return found


@dataclass(frozen=True)
class Share:
    """A part of a whole; its value is None where there is no whole."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None

    def __str__(self) -> str:
        told = "none" if self.value is None else f"{self.value:.4f}"
        return f"{told} ({self.part:,} of {self.whole:,})"


def share(accounts: Iterable[Account], holds: Callable[[Account], object]) -> Share:
    """The share of accounts for which something holds."""
    truths = [bool(holds(each)) for each in accounts]
    return Share(sum(truths), len(truths))


def precision(accounts: Iterable[Account]) -> Share:
    """Of those proposed, the ones that are planted and get what their part deserves."""
    return share((each for each in accounts if each.action), lambda each: each.is_right)


def recall(accounts: Iterable[Account], kinds: Iterable[str]) -> Share:
    """Of the planted accounts of these kinds, the ones that are rightly proposed."""
    of_them = (each for each in accounts if each.kind in set(kinds))
    return share(of_them, lambda each: each.action and each.is_right)


def passing_kinds(accounts: Iterable[Account]) -> list[str]:
    """The planted kinds of which a tenth of the accounts may pass the rules."""
    by_kind: dict[str, list[Account]] = defaultdict(list)
    for each in accounts:
        if each.planted:
            by_kind[each.kind].append(each)
    shares = {kind: share(of_it, lambda each: each.may_pass) for kind, of_it in by_kind.items()}
    return sorted(kind for kind, each in shares.items() if (each.value or 0) >= 0.1)


def obstacles(accounts: Iterable[Account]) -> list[tuple[str, int]]:
    """Why planted accounts are left out, the most frequent reasons first."""
    reasons: Counter[str] = Counter()
    for each in accounts:
        if each.judged is None:
            reasons["it is in no network"] += 1
        else:
            reasons.update(each.judged["reasons"])
    return reasons.most_common()


def look_alikes(accounts: Iterable[Account]) -> dict[str, Share]:
    """Of each group of innocents that look alike, the accounts that are proposed."""
    groups: dict[str, list[Account]] = defaultdict(list)
    for each in accounts:
        if not each.planted:
            for row in each.others:
                if row["role"] == "bystander" and not row["note"]:
                    groups[row["kind"]].append(each)
    return {kind: share(of_it, lambda each: each.action) for kind, of_it in sorted(groups.items())}


def explained(each: Account) -> str:
    """One line on an account that is proposed and should not be."""
    assert each.judged is not None
    rows = [*([each.planted] if each.planted else []), *each.others]
    truth = ", ".join(f"{row['role']} of {row['kind']} {row['note']}".strip() for row in rows)
    return (
        f"{each.name}: {each.action} as {each.judged['role']} by {each.signature} in "
        f"{each.judged['network_id']}; in truth {truth or 'an ordinary account'}; "
        f"{'; '.join(each.judged['role_reasons'])}"
    )
