"""The JSON Schemas that are shipped are those of the files."""

from __future__ import annotations

import os
from importlib.resources import files

import jsonschema
import pytest

from exporters.enforcement.json_schemas import schemas, text_of


@pytest.mark.parametrize("name", schemas())
def test_the_shipped_schema_is_that_of_the_file(name: str) -> None:
    """After an intended change: ACTORGRAPH_UPDATE_GOLDEN=1 pytest ..."""
    shipped = files("exporters") / "enforcement" / "schemas" / name
    if os.environ.get("ACTORGRAPH_UPDATE_GOLDEN"):
        from pathlib import Path

        Path(str(shipped)).write_text(text_of(schemas()[name]))
    assert shipped.read_text(encoding="utf-8") == text_of(schemas()[name])
    jsonschema.Draft202012Validator.check_schema(schemas()[name])
