"""The committed JSON Schema is the model's, and knows every feature and tag."""

from __future__ import annotations

import json
import re
from importlib.resources import files

from graph.features import FEATURES
from signatures.schema import schema_text
from signatures.tags import techniques


def test_the_committed_schema_is_current() -> None:
    """If not: actorgraph signatures schema > signatures/signature.schema.json."""
    committed = (files("signatures") / "signature.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text()


def test_editors_are_offered_features_and_tags_with_their_meanings() -> None:
    schema = json.loads(schema_text())
    offered = schema["$defs"]["Selection"]["properties"]["features"]
    assert list(offered["properties"]) == [feature.name for feature in FEATURES]
    assert offered["additionalProperties"] is False
    (pattern,) = offered["patternProperties"]
    assert re.search(pattern, "trace_co_install_ratio") and not re.search(pattern, "co_install")
    assert "0 to 1" in offered["properties"]["density"]["description"]
    tags = schema["properties"]["tags"]["items"]["anyOf"]
    assert tags[0]["enum"] == sorted(techniques())
    assert schema["additionalProperties"] is False
