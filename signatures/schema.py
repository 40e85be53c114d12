"""The JSON Schema of signature files, from which editors complete and check them.

signatures/signature.schema.json is made from it: `actorgraph signatures schema`.
"""

from __future__ import annotations

import json

from signatures.model import Signature


def schema_text() -> str:
    """The JSON Schema as the text of its file."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Signature.model_json_schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
