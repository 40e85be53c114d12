"""What the fields of one signature must agree on, and the signatures of a library with each other.

Each check yields the place of a problem in the signature's file, and what is wrong there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator

from graph.features.shape import SHIPPED_TRACES, own_traces, trace_of
from graph.suggestions import nearest
from graph.yaml_files import KeyPath
from signatures.conditions import ConditionError, names_in
from signatures.model import BY_NAME, Signature, feature_of

Problem = tuple[KeyPath, str]


def problems(signature: Signature, traces: Collection[str] | None = None) -> Iterator[Problem]:
    """All problems of one signature, check by check; `traces` are the site's, where known."""
    for check in CHECKS:
        yield from check(signature)
    if traces is not None:
        yield from traces_are_there(signature, traces)


def traces_are_there(signature: Signature, traces: Collection[str]) -> Iterator[Problem]:
    """Features of traces are of those that are shipped or that a site has switched on.

    A feature of another would never be known, and a filter on it protect nobody.
    """
    known = {*SHIPPED_TRACES, *own_traces(traces)}
    for path, name in dict.fromkeys(_features_named(signature)):
        trace = trace_of(name)
        if trace is not None and trace not in known:
            hint = nearest(trace, known)
            yield path, f"unknown feature: the config switches on no trace {trace!r}{hint}"


def condition_is_sound(signature: Signature) -> Iterator[Problem]:
    """The condition can be read, and uses every selection and filter."""
    try:
        used = set(names_in(signature.tree))
    except ConditionError as error:
        yield ("detection", "condition"), str(error)
        return
    for kind in ("selections", "filters"):
        for name in getattr(signature.detection, kind):
            if name not in used:
                yield ("detection", kind, name), "the condition does not use it: add or remove it"


def features_are_the_subjects(signature: Signature) -> Iterator[Problem]:
    """All features are about what the signature is about."""
    own = [name for name, feature in BY_NAME.items() if feature.subject == signature.subject]
    for path, name in _features_named(signature):
        if feature_of(name).subject != signature.subject:
            yield path, f"is no feature of the subject {signature.subject}{nearest(name, own)}"


def bounds_are_in_range(signature: Signature) -> Iterator[Problem]:
    """No comparison, and no value of an example, is beyond what a feature can be."""
    for path, name, value in _numbers_named(signature):
        feature = feature_of(name)
        if not feature.low <= value <= feature.high:
            yield path, f"{value:g} is out of range: {name} is {feature.range}"


def kind_is_clear(signature: Signature) -> Iterator[Problem]:
    """An abuse says what it may lead to and under which technique; an explanation does neither."""
    if signature.benign:
        if signature.enforcement is not None:
            yield ("enforcement",), "a benign signature blocks enforcement: remove this"
        if signature.abuse_type is not None:
            yield ("abuse_type",), "a benign signature names no abuse: remove this"
        for name, selection in signature.detection.selections.items():
            if selection.inauthentic is not None:
                yield (
                    ("detection", "selections", name, "inauthentic"),
                    "a benign signature explains: remove this",
                )
    else:
        if signature.enforcement is None:
            yield ("enforcement",), "is required, unless the signature is benign"
        if not any(tag.startswith(("disarm.", "attack.")) for tag in signature.tags):
            yield ("tags",), "name at least one technique of DISARM or ATT&CK"


def examples_are_complete(signature: Signature) -> Iterator[Problem]:
    """There are examples that must not match: innocent ones of an abuse, else abusive ones."""
    wanted, other = ("abusive", "benign") if signature.benign else ("benign", "abusive")
    examples = signature.tests.by_kind
    if not examples[wanted]:
        yield ("tests",), f"give at least one example under {wanted}, which must not match"
    if examples[other]:
        yield ("tests", other), f"put what must not match under {wanted}"


def dates_are_in_order(signature: Signature) -> Iterator[Problem]:
    """Nothing was modified before it was made."""
    if signature.modified is not None and signature.modified < signature.date:
        yield ("modified",), f"is before date, {signature.date}"


CHECKS: list[Callable[[Signature], Iterator[Problem]]] = [
    condition_is_sound,
    features_are_the_subjects,
    bounds_are_in_range,
    kind_is_clear,
    examples_are_complete,
    dates_are_in_order,
]


def file_name(signature: Signature) -> str:
    """The name that the file of a signature has: its title in small letters and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", signature.title.lower()).strip("_") + ".yml"


def clashes(named: Iterable[tuple[str, Signature]]) -> Iterator[tuple[str, KeyPath, str]]:
    """Problems between the files of a library: file, place and what is wrong there."""
    seen: dict[object, str] = {}
    for file, signature in named:
        for field, value in (("id", signature.id), ("title", signature.title.lower())):
            if value in seen:
                yield file, (field,), f"is already that of {seen[value]}"
            seen.setdefault(value, file)


def _features_named(signature: Signature) -> Iterator[tuple[KeyPath, str]]:
    for path, name, _ in _numbers_named(signature, unknown=0.0):
        yield path, name
    for number, name in enumerate(signature.evidence):
        yield ("evidence", str(number)), name


def _numbers_named(
    signature: Signature, unknown: float | None = None
) -> Iterator[tuple[KeyPath, str, float]]:
    """Every number that stands beside a feature: bounds and the values of examples."""
    for kind in ("selections", "filters"):
        for part, criteria in getattr(signature.detection, kind).items():
            for name, comparison in criteria.features.items():
                for bound in comparison.bounds.values():
                    yield ("detection", kind, part, "features", name), name, bound
    for kind, examples in signature.tests.by_kind.items():
        for number, example in enumerate(examples):
            for name, value in example.features.items():
                known = unknown if value is None else value
                if known is not None:
                    yield ("tests", kind, str(number), "features", name), name, known
