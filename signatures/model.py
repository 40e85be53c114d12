"""What a signature is: an abuse, or an innocent explanation, as conditions on declared features.

Field names are Sigma's where the meaning is the same. The model checks each field by itself;
signatures/lint.py checks what several of them must agree on.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import date as Day
from functools import cache, cached_property
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from graph.config import Duration, OrNone, Settings
from graph.feature import Feature, Subject
from graph.features import FEATURES
from graph.features.shape import TRACE_FEATURE, trace_feature, trace_of
from graph.suggestions import nearest
from signatures.conditions import MAX_LENGTH, Node, parse
from signatures.tags import POLICY_PATTERN, known_tag, techniques
from signatures.texts import FalsePositive, Sentence, Title

BY_NAME: Mapping[str, Feature] = {feature.name: feature for feature in FEATURES}

OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
"""The comparisons, which numbers and columns both know."""

Compared = tuple[str, Callable[[Any, Any], Any], float]
"""A feature, an operator and the bound that the feature is compared with."""


@cache
def feature_of(name: str) -> Feature:
    """The feature of a name: a declared one, or that of a site's own trace.

    Raises KeyError where it is neither.
    """
    trace = trace_of(name)
    return BY_NAME[name] if trace is None or name in BY_NAME else trace_feature(trace)


def _known_feature(name: str) -> str:
    if name not in BY_NAME and trace_of(name) is None:
        raise ValueError(
            f"unknown feature{nearest(name[:80], BY_NAME) or '; `signatures list` shows them all'}"
        )
    return name


def _describe_features(schema: dict[str, Any]) -> None:
    """Offer the declared features by name, with their meanings, to editors."""
    value = schema.pop("additionalProperties")
    schema.pop("propertyNames", None)
    schema["properties"] = {
        feature.name: {**value, "description": f"{feature.meaning} ({feature.range})"}
        for feature in FEATURES
    }
    own = "Share of the links that rest, also or only, on this trace of your own (0 to 1)"
    schema["patternProperties"] = {TRACE_FEATURE: {**value, "description": own}}
    schema["additionalProperties"] = False


def _describe_tags(schema: dict[str, Any]) -> None:
    schema["items"] = {"anyOf": [{"enum": sorted(techniques())}, {"pattern": POLICY_PATTERN}]}


FeatureName = Annotated[str, AfterValidator(_known_feature)]
Tag = Annotated[str, AfterValidator(known_tag)]
Number = Annotated[float, Field(strict=True)]
"""A number as it is: neither true nor a text of digits."""

DURATION_SCHEMA = {"type": "string", "pattern": "^([0-9]{1,9}[dhms]|none)$"}

Mode = Literal["shadow", "live"]
"""Whether what a signature finds may lead to decisions, or is only looked at."""

Inauthentic = Literal["automation", "false_identity", "hijacked_account", "operator_infrastructure"]
"""What makes coordination an abuse; nothing may be proposed without one (DECISIONS)."""


AbuseType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""A family of signatures: those without a sample of their own borrow its precision."""


class Comparison(Settings):
    """Bounds of a feature; all that are given must hold."""

    gt: Number | None = None
    gte: Number | None = None
    lt: Number | None = None
    lte: Number | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.bounds:
            raise ValueError(f"give at least one of {', '.join(OPERATORS)}")
        lows = [bound for name, bound in self.bounds.items() if name in ("gt", "gte")]
        highs = [bound for name, bound in self.bounds.items() if name in ("lt", "lte")]
        if lows and highs and max(lows) > min(highs):
            raise ValueError(f"nothing is above {max(lows):g} and below {min(highs):g}")
        return self

    @cached_property
    def bounds(self) -> dict[str, float]:
        """The given bounds by operator."""
        return {name: bound for name, bound in self if bound is not None}


Comparisons = Annotated[
    dict[FeatureName, Comparison],
    Field(min_length=1, max_length=20, json_schema_extra=_describe_features),
]
ExampleValues = Annotated[
    dict[FeatureName, Number | None],
    Field(min_length=1, json_schema_extra=_describe_features),
]


class Filter(Settings):
    """Comparisons that hold together, and why their bounds are where they are."""

    because: Sentence
    features: Comparisons

    @cached_property
    def comparisons(self) -> tuple[Compared, ...]:
        """All bounds, each with the feature that it is for and the operator that compares them."""
        return tuple(
            (feature, OPERATORS[name], bound)
            for feature, comparison in self.features.items()
            for name, bound in comparison.bounds.items()
        )


class Selection(Filter):
    """A filter that speaks for a match; `inauthentic` if it shows more than coordination."""

    inauthentic: Inauthentic | None = None


SelectionName = Annotated[str, StringConstraints(pattern=r"^selection_[a-z0-9_]{1,60}$")]
FilterName = Annotated[str, StringConstraints(pattern=r"^filter_[a-z0-9_]{1,60}$")]


class Detection(Settings):
    """What must hold of a subject's features: named parts, and a condition over their names."""

    selections: Annotated[dict[SelectionName, Selection], Field(min_length=1, max_length=20)]
    filters: Annotated[dict[FilterName, Filter], Field(max_length=20, default_factory=dict)]
    condition: Annotated[str, StringConstraints(min_length=1, max_length=MAX_LENGTH)]


class Enforcement(Settings):
    """What a match may lead to at most; DECISIONS say what must hold besides."""

    action: Literal[
        "challenge",
        "remove_engagement",
        "limit_reach",
        "suspend",
        "terminate",
        "secure_account",
    ]
    duration: Annotated[Duration | None, OrNone, WithJsonSchema(DURATION_SCHEMA)]
    policy_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]


class Example(Settings):
    """Features of a subject that the signature must match, or must not."""

    name: Sentence
    features: ExampleValues


class Examples(Settings):
    """Subjects that match (positive), and ones that do not: innocent, or abusive."""

    positive: Annotated[tuple[Example, ...], Field(min_length=1)]
    benign: tuple[Example, ...] = ()
    abusive: tuple[Example, ...] = ()

    @property
    def by_kind(self) -> dict[str, tuple[Example, ...]]:
        """The examples of each kind."""
        return dict(self)


class Signature(Settings):
    """An abuse, or with `benign` an innocent explanation, that a network or account may match.

    `level` is the harm of what it finds, not how sure it is: informational explains, low annoys,
    medium misleads many, high harms people or drowns others out, critical needs help at once. How
    often a signature is right is measured and stands in the table calibration, never here.
    """

    title: Title
    id: UUID
    status: Literal["experimental", "test", "stable", "deprecated"]
    mode: Mode = "shadow"
    level: Literal["informational", "low", "medium", "high", "critical"]
    description: Sentence
    author: Title
    date: Day
    modified: Day | None = None
    references: tuple[Sentence, ...] = ()
    tags: Annotated[tuple[Tag, ...], Field(json_schema_extra=_describe_tags)] = ()
    falsepositives: Annotated[tuple[FalsePositive, ...], Field(min_length=1)]
    subject: Subject
    benign: bool = False
    abuse_type: AbuseType | None = None
    detection: Detection
    evidence: Annotated[tuple[FeatureName, ...], Field(min_length=1)]
    enforcement: Enforcement | None = None
    tests: Examples

    @property
    def parts(self) -> dict[str, Filter]:
        """The selections and filters by name, in the order of the file."""
        return {**self.detection.selections, **self.detection.filters}

    @cached_property
    def tree(self) -> Node:
        """The condition, parsed; raises ConditionError for one that is none."""
        return parse(self.detection.condition, list(self.parts))
