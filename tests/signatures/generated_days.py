"""Random days to be judged: small networks, who is in them, and what is known and measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from hypothesis import assume
from hypothesis import strategies as st

from graph.config import Trace
from signatures.calibration import ALL, CALIBRATION
from signatures.model import Signature
from tests.graph.feature_days import DS, TRACES
from tests.signatures.signature_files import SOUND

Features = dict[str, float | None]

MY_TRACES = TRACES | {
    "shared_network": Trace.model_validate(
        {"entity": "ip_network", "family": "network", "min_entities": 2}
    )
}

NAMED_BY = ("burstiness", "regularity", "core_ratio")
"""The network features by which signatures of abuse know their networks."""

EXPLAINED_BY, ACCOUNT_EXPLAINED_BY = "round_minute_ratio", "account_regularity"
"""The features by which the innocent explanations know theirs."""

TAKES_PART: Features = {
    "targeted_ratio": 0.0,
    "shared_devices": 1.0,
    "first_poster_ratio": 0.3,
    "device_break": 0.0,
    "left_device_days": 0.0,
    "account_coordinated_ratio": 0.6,
    "shared_address_ratio": 0.1,
    "account_hosting_ratio": 0.0,
    "strength_ratio": 0.5,
    ACCOUNT_EXPLAINED_BY: 0.0,
}
"""The features of an account on which its judgement rests: of one that takes part on purpose."""

OTHERWISE: dict[str, Features] = {
    "target": {"targeted_ratio": 0.1, "shared_devices": 0.0},
    "target with a phone of theirs": {"targeted_ratio": 0.4},
    "first poster": {"first_poster_ratio": 0.8, "shared_devices": 0.0},
    "hijacked": {"device_break": 1.0},
    "sold its phone": {"left_device_days": 3.0, "account_coordinated_ratio": 0.05},
    "stands by": {"account_coordinated_ratio": 0.02},
    "unknown": dict.fromkeys(TAKES_PART),
    "behind a carrier": {"shared_address_ratio": 0.5},
    "in a data centre": {"account_hosting_ratio": 0.8},
    "as strong as all": {"strength_ratio": 0.75},
    "explained": {ACCOUNT_EXPLAINED_BY: 0.5},
}

KNOWN = ("protected", "called_benign", "cleared lately", "cleared long ago")
"""What lists, reviewers and earlier decisions say of an account."""


@dataclass(frozen=True)
class Seen:
    """An entity on which a trace saw two accounts, from one minute to another."""

    trace: str
    entity: str
    first: int
    last: int


@dataclass(frozen=True)
class Link:
    a: str
    b: str
    weight: float
    seen: tuple[Seen, ...]

    @property
    def traces(self) -> list[str]:
        return sorted({each.trace for each in self.seen})


@dataclass(frozen=True)
class Account:
    name: str
    market: str | None
    features: Features
    known: frozenset[str]


@dataclass(frozen=True)
class Network:
    name: str
    accounts: tuple[Account, ...]
    links: tuple[Link, ...]
    features: Features
    declared: dict[str, str] = field(default_factory=dict)
    """By account the traces that a declared network allows it."""


@dataclass(frozen=True)
class Generated:
    networks: tuple[Network, ...]
    library: tuple[Signature, ...]
    calibration: tuple[dict[str, Any], ...]


def ties(kind: str, pair: str, minute: int) -> tuple[Seen, ...]:
    """What links a pair: entities of its own, or those of the network that all others share."""
    phone = Seen("shared_device", f"phone of {pair}", minute, minute + 5)
    text = Seen("co_post", f"text of {pair}", minute + 1, minute + 2)
    return {
        "phone and text": (phone, text),
        "phone": (phone,),
        "text": (text,),
        "sign-up on a phone": (phone, Seen("signup_device", phone.entity, minute, minute + 5)),
        "text under a post": (text, Seen("co_anything", f"post of {pair}", text.first, text.last)),
        "text and posts": (text, Seen("co_anything", f"post of {pair}", minute + 3, minute + 4)),
        "the tablet": (Seen("shared_device", "tablet", minute, minute + 5), text),
        "the tablet and the text": (
            Seen("shared_device", "tablet", minute, minute + 5),
            Seen("co_post", "text", minute + 1, minute + 2),
        ),
        "two lines and a reshare": (
            Seen("shared_network", f"line of {pair}", minute, minute + 5),
            Seen("shared_network", "line", minute, minute + 6),
            Seen("fast_reshare", f"share of {pair}", minute + 1, minute + 1),
        ),
        "nothing": (),
    }[kind]


TIES = ("phone", "text", "sign-up on a phone", "text under a post", "text and posts", "the tablet",
        "the tablet and the text", "two lines and a reshare", "nothing")  # fmt: skip


def mostly(usual: Any, others: Any, times: int = 1) -> st.SearchStrategy[Any]:
    """The usual value as often as all others together, or so many times as often."""
    others = list(others)
    return st.sampled_from([usual] * (len(others) * times) + others)


@st.composite
def days(draw: st.DrawFn, networks: int) -> Generated:
    """A day of so many networks, of which about every other account breaks some rule."""
    library = tuple(draw(_abuses(feature)) for feature in NAMED_BY)
    rows = [row for each in library for row in draw(_calibrations(str(each.id)))]
    named = [draw(_networks(f"n{number}")) for number in range(networks)]
    return Generated(tuple(named), (*library, *EXPLANATIONS), tuple(rows))


def signature(name: str, subject: str, feature: str, **other: Any) -> Signature:
    """A signature that matches where a feature is at least one half."""
    inauthentic = other.pop("inauthentic", None)
    selection = {"because": "It is a half.", "features": {feature: {"gte": 0.5}}}
    detection = {
        "selections": {"selection_half": selection | {"inauthentic": inauthentic}},
        "condition": "selection_half",
    }
    made = {"id": str(uuid5(NAMESPACE_OID, name)), "subject": subject, "detection": detection}
    told = {"title": name.capitalize(), "evidence": [feature]}
    return Signature.model_validate({**SOUND, **made, **told, **other})


EXPLANATIONS = (
    signature("an office", "network", EXPLAINED_BY, benign=True, enforcement=None),
    signature("an owner", "account", ACCOUNT_EXPLAINED_BY, benign=True, enforcement=None),
)


@st.composite
def _abuses(draw: st.DrawFn, feature: str) -> Signature:
    lighter = ("challenge", "remove_engagement", "limit_reach", "terminate", "secure_account")
    enforcement = {"action": draw(mostly("suspend", lighter)), "duration": "7d"}
    return signature(
        f"a ring of {feature}",
        "network",
        feature,
        mode=draw(mostly("live", ["shadow"], 10)),
        status=draw(mostly("stable", ["experimental", "test"], 8)),
        inauthentic=draw(mostly("automation", [None], 10)),
        enforcement=enforcement | {"policy_id": "spam"},
    )


PLACES = ((ALL, ALL), ("de", ALL), ("fr", ALL), (ALL, "own"), (ALL, "shared"))
FRESH, STALE, LATER = DS - timedelta(days=89), DS - timedelta(days=90), DS + timedelta(days=1)


@st.composite
def _calibrations(draw: st.DrawFn, signature_id: str) -> list[dict[str, Any]]:
    """What was measured of a signature: overall and by place, of restrictions and challenges."""
    lent = draw(mostly(None, ["spam"], 5))
    rows = []
    for market, stratum in PLACES:
        found = {
            "measured_on": draw(mostly(FRESH, [STALE, LATER], 20)),
            "estimate": draw(mostly(0.999, [None], 40)),
        }
        low = draw(mostly(0.99, [0.98, 0.95, 0.9, 0.8, 0.79], 2))
        less = draw(mostly(0.0, [0.1], 8))
        place = {"market": market, "stratum": stratum, "borrowed_from": lent}
        told = {"level": "account", "scope": "signature", "scope_id": signature_id}
        for measure, bound in (("precision", low), ("challenge_precision", low - less)):
            row = {"measure": measure, "low": None if found["estimate"] is None else bound}
            rows.append(dict.fromkeys(CALIBRATION.columns) | place | told | found | row)
        rows.append(rows[-2] | {"level": "network", "low": 1.0})
    return rows


@st.composite
def _networks(draw: st.DrawFn, name: str) -> Network:
    names = [f"{name}-{letter}" for letter in "abcdefg"[: draw(mostly(5, [3, 4, 6, 7], 2))]]
    usual = draw(mostly("phone and text", TIES[:-1], 2))
    linked = [
        Link(*pair, draw(mostly(1.0, [0.2, 5.0], 4)), seen)
        for minute, pair in enumerate(combinations(names, 2))
        if (seen := ties(draw(mostly(usual, TIES, 2)), "-".join(pair), 10 * minute))
    ]
    assume(linked)
    everybody = {end for link in linked for end in (link.a, link.b)}
    accounts = [draw(_accounts(each)) for each in names if each in everybody]
    features: Features = dict.fromkeys(NAMED_BY, 0.0) | {EXPLAINED_BY: 0.1}
    features[draw(st.sampled_from(NAMED_BY))] = draw(mostly(0.5, [0.4, None], 6))
    if another := draw(mostly("", [*NAMED_BY, EXPLAINED_BY], 2)):
        features[another] = 0.5
    return Network(name, tuple(accounts), tuple(linked), features, draw(_declared(names)))


@st.composite
def _accounts(draw: st.DrawFn, name: str) -> Account:
    other = draw(mostly("", OTHERWISE, 2))
    return Account(
        name,
        draw(mostly("de", ["fr", "jp", None], 3)),
        TAKES_PART | OTHERWISE.get(other, {}),
        frozenset([draw(mostly("nothing", KNOWN, 3))]),
    )


@st.composite
def _declared(draw: st.DrawFn, names: list[str]) -> dict[str, str]:
    """Some accounts of a declared network, and the traces that their entries allow."""
    if not draw(mostly(False, [True], 2)):
        return {}
    allowed = st.sampled_from(["co_post", "co_post co_anything", "shared_device", ""])
    return {name: draw(allowed) for name in names if draw(st.booleans())}
