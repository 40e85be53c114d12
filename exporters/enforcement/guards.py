"""The guards: figures of a batch against limits. Each hit stops the whole batch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from graph.enforcement_settings import EnforcementSettings


@dataclass(frozen=True)
class Stop:
    """A guard that was hit: its name, the figure, the limit, and what it is about.

    `voids`: whether approvals that were given no longer hold. `accounts` are the first of those
    that it is about; they are told to people, and not part of its text, which is kept for years.
    """

    guard: str
    figure: str
    limit: str
    about: str
    voids: bool = True
    accounts: Sequence[str] = ()

    def __str__(self) -> str:
        return f"guard {self.guard}: {self.figure}, limit {self.limit}: {self.about}"

    @property
    def aloud(self) -> str:
        """The text with the accounts' names."""
        named = f"; account {', '.join(self.accounts)}" if self.accounts else ""
        return f"{self}{named}"


@dataclass(frozen=True)
class Freeze:
    """Somebody stopped all releases, or those of a signature."""

    signature: str | None
    reason: str
    by: str
    at: str


@dataclass(frozen=True)
class Outcomes:
    """How the appeals of a network, batch or signature were decided."""

    kind: str
    name: str
    decided: int
    overturned: int


@dataclass(frozen=True)
class Lifted:
    """A hold that an approver lifted: the outcomes until then count no more."""

    kind: str
    name: str
    decided: int
    overturned: int
    reason: str
    by: str
    at: str


@dataclass(frozen=True)
class Figures:
    """What the guards look at, as of now."""

    rows: int
    by_signature: Mapping[str, int] = field(default_factory=dict)
    by_market: Mapping[str, int] = field(default_factory=dict)
    active_accounts: int | None = None
    released_today: int = 0
    released_by_day: Sequence[int] = ()
    protected: int = 0
    cleared: int = 0
    wrong_role: int = 0
    unmeasured: int = 0
    explained: int = 0
    override_ended: int = 0
    not_accepted: int = 0
    repeated: int = 0
    moved_on: int = 0
    first: Mapping[str, Sequence[str]] = field(default_factory=dict)  # some accounts, by guard
    list_moved: float | None = None
    acknowledged: bool = False
    freezes: Sequence[Freeze] = ()
    outcomes: Sequence[Outcomes] = ()
    now: datetime | None = None
    last_audit_at: datetime | None = None


def stops(figures: Figures, settings: EnforcementSettings) -> list[Stop]:
    """The guards that a batch of actions hits; retractions pass none of them, whatever they are."""
    return [
        *_clock(figures),
        *_caps(figures, settings),
        *_people(figures),
        *_lists(figures, settings),
        *frozen(figures),
        *held(figures, settings),
    ]


def _clock(figures: Figures) -> Iterator[Stop]:
    now, last = figures.now, figures.last_audit_at
    if now is not None and last is not None and now < last:
        yield Stop(
            "clock",
            f"it is {now:%Y-%m-%d %H:%M:%S}",
            f"{last:%Y-%m-%d %H:%M:%S}",
            "the audit log ends later than this machine's time: set the clock",
            voids=False,
        )


def _caps(figures: Figures, settings: EnforcementSettings) -> Iterator[Stop]:
    caps, rows = settings.caps, figures.rows
    if rows > caps.batch:
        yield Stop("batch cap", f"{rows} accounts", str(caps.batch), "enforcement.caps.batch")
    for kind, counts, cap in (
        ("signature", figures.by_signature, caps.signature),
        ("market", figures.by_market, caps.market),
    ):
        for name, count in sorted(counts.items()):
            if count > cap:
                yield Stop(f"{kind} cap", f"{count} accounts", str(cap), f"{kind} {name}")
    if figures.active_accounts is None and rows:
        told = "no share of the active accounts can be told"
        yield Stop("population cap", "0 days have a graph", "at least 1", told)
    if figures.active_accounts is not None:
        most = math.floor(caps.population * figures.active_accounts)
        if rows > most:
            share = f"{caps.population:.2%} of {figures.active_accounts} active accounts"
            yield Stop("population cap", f"{rows} accounts", str(most), share)
    usual = median(figures.released_by_day) if figures.released_by_day else 0
    limit = max(caps.baseline_least, math.floor(caps.baseline_factor * usual))
    today = rows + figures.released_today
    if today > limit:
        yield Stop(
            "volume baseline",
            f"{today} accounts today",
            str(limit),
            f"{caps.baseline_factor:g} times the usual {usual:g}, or {caps.baseline_least}",
        )


def _people(figures: Figures) -> Iterator[Stop]:
    way_out = "`export-enforcement --to-review REASON` sends them to review"
    for guard, count, about in (
        ("protected", figures.protected, f"on the list protected_accounts: {way_out}"),
        (
            "cleared",
            figures.cleared,
            f"cleared lately, and no reviewer proposed them since: {way_out}",
        ),
        ("subject role", figures.wrong_role, f"only an actor may be restricted: {way_out}"),
        (
            "measured precision",
            figures.unmeasured,
            "the calibration is stale, not of their market, or below what the action needs: "
            + way_out,
        ),
        (
            "explained",
            figures.explained,
            f"an innocent explanation matches on the last day that was scored: {way_out}",
        ),
        (
            "override",
            figures.override_ended,
            "an innocent explanation matches, and its override was withdrawn, has expired, or is "
            f"of a signature that changed: {way_out}",
        ),
        (
            "acceptance",
            figures.not_accepted,
            "of a network above proposals.max_accounts, and no sample of it is accepted: "
            f"{way_out}",
        ),
        ("one decision", figures.repeated, "twice under one policy: reviewers choose one"),
        ("decisions", figures.moved_on, "no longer as they were proposed: export again"),
    ):
        if count:
            first = figures.first.get(guard, ())
            yield Stop(guard, f"{count} accounts", "0", about, accounts=first)


def _lists(figures: Figures, settings: EnforcementSettings) -> Iterator[Stop]:
    moved = figures.list_moved
    if moved is not None and moved > settings.list_change and not figures.acknowledged:
        share = f"{moved:.0%}" if math.isfinite(moved) else "an unknown share"
        yield Stop(
            "list change",
            f"{share} of links or proposals moved",
            f"{settings.list_change:.0%}",
            "a list changed; look at it, then add --acknowledge-lists REASON",
        )


def frozen(figures: Figures) -> Iterator[Stop]:
    """The freezes that a batch falls under."""
    for each in figures.freezes:
        if each.signature is None or each.signature in figures.by_signature:
            scope = "all releases" if each.signature is None else f"signature {each.signature}"
            about = f"{scope} since {each.at} by {each.by}: {each.reason}"
            yield Stop("freeze", "1 freeze", "0", about, voids=False)


def held(figures: Figures, settings: EnforcementSettings) -> Iterator[Stop]:
    """The holds that overturned appeals put on a batch's networks, signatures or itself."""
    hold = settings.hold
    for each in figures.outcomes:
        if each.overturned >= hold.overturned and each.overturned >= hold.share * each.decided:
            yield Stop(
                "overturn hold",
                f"{each.overturned} of {each.decided} appeals overturned",
                f"fewer than {hold.overturned}, or less than {hold.share:.0%}",
                f"{each.kind} {each.name}: look at its decisions, retract what is wrong; then an "
                f"approver may lift it by `actorgraph unfreeze --{each.kind} {each.name}`",
                voids=False,
            )
