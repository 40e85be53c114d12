"""The examples in a signature's file: positive ones must match, all others must not."""

from __future__ import annotations

from collections.abc import Iterator

from signatures.evaluation import matches, parts_that_hold
from signatures.model import Signature


def wrong_examples(signature: Signature) -> Iterator[str]:
    """A line for each example that does not come out as its file says, with the parts that hold."""
    for kind, examples in signature.tests.by_kind.items():
        for example in examples:
            if matches(signature, example.features) == (kind == "positive"):
                continue
            held = parts_that_hold(signature, example.features)
            parts = ", ".join(f"{name} {'holds' if held[name] else 'fails'}" for name in held)
            expected = "match" if kind == "positive" else "not match"
            yield f"{signature.title}: the {kind} example {example.name!r} must {expected}: {parts}"
