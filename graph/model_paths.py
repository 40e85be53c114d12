"""Which pydantic model stands at a place of a nested one, to name the fields known there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel


def model_at(root: type[BaseModel], path: Sequence[str]) -> type[BaseModel]:
    """The model of the mapping at a path of keys and, in tables and lists, names or numbers."""
    model = root
    parts = iter(path)
    for part in parts:
        annotation = model.model_fields[part].annotation
        if get_origin(annotation) in (dict, tuple):
            next(parts, None)
        model = next(_models_in(annotation), model)
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
