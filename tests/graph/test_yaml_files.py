"""Settings are read by a parser in C, and told of by one in Python."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import yaml_files
from graph.errors import ConfigError
from graph.yaml_files import Document, read_mapping

CONF = Path(__file__).parents[2] / "conf"
SHIPPED = [*sorted(CONF.rglob("*.y*ml")), *sorted(Path(str(files("signatures"))).rglob("*.yml"))]


def read(text: str) -> Document | None:
    try:
        return read_mapping(text, "a file")
    except ConfigError:
        return None


def read_in_python(text: str) -> Document | None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(yaml_files, "_compose", yaml_files._compose_or_tell)
        return read(text)


def test_both_parsers_read_what_is_shipped_alike() -> None:
    assert len(SHIPPED) > 30
    for path in SHIPPED:
        text = path.read_text(encoding="utf-8")
        assert read(text) == read_in_python(text) is not None, path


KEYS = st.text("abn01é\"'#-{}[]?: ", min_size=1, max_size=5)
VALUES = st.text("abno01.é\"'#-{}[],:&*!|>%@ \n", max_size=12)


@given(st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=4))
def test_both_read_alike_what_both_take(rows: list[tuple[str, str]]) -> None:
    text = "\n".join(f"{key}: {value}" for key, value in rows)
    mine, other = read(text), read_in_python(text)
    assert mine == other or other is None
