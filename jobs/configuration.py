"""Reading the settings: where they come from, which wins, and what is said when one is wrong.

Precedence: defaults < conf/default.yaml and conf/traces.yaml < --config (a later one wins) <
ACTORGRAPH_HOME and ACTORGRAPH__SECTION__KEY < --set. Sections, traces and hubs are merged key by
key; `columns` and `filter` are replaced as a whole, because parts of two make no sense together.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from graph.conf_files import conf_file
from graph.config import Config
from graph.model_paths import model_at
from graph.yaml_files import KeyPath, read_mapping, read_value
from jobs.errors import ConfigError

SHIPPED = ("default.yaml", "traces.yaml")
PREFIX = "ACTORGRAPH__"
REPLACED_WHOLE = {"columns", "filter"}
SECRET = re.compile(r"password|secret|token|credential|private|access\.?key|account\.?key", re.I)
MASK = "***"


@dataclass(frozen=True)
class Layer:
    """Settings from one source, and how to name the place of each in a message."""

    data: dict[str, Any]
    places: dict[KeyPath, str]


def load(
    config_paths: Sequence[str | Path] = (),
    overrides: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Config:
    """Merge all sources of settings and check them; raises ConfigError with one line a mistake.

    `overrides` are the `key.path=value` of --set.
    """
    layers = [
        *(_shipped(name) for name in SHIPPED),
        *(_file(Path(path)) for path in config_paths),
        *_environment(environment or {}),
        *(_override(text) for text in overrides),
    ]
    data: dict[str, Any] = {}
    places: dict[KeyPath, str] = {}
    for layer in layers:
        data = _merge(data, layer.data)
        places.update(layer.places)
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(error, places))) from None


def canonical(config: Config) -> str:
    """The whole config as canonical JSON: sorted keys, no spaces."""
    content = config.model_dump(mode="json")
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def config_sha256(config: Config) -> str:
    """What identifies a config in manifests."""
    return hashlib.sha256(canonical(config).encode()).hexdigest()


def masked(settings: Any, key: str = "") -> Any:
    """Settings as they may be printed: secrets are replaced by ***."""
    if isinstance(settings, Config):
        settings = settings.model_dump(mode="json")
    if isinstance(settings, dict):
        return {name: masked(value, str(name)) for name, value in settings.items()}
    if isinstance(settings, list | tuple):
        return [masked(value, key) for value in settings]
    if isinstance(settings, str):
        return MASK if SECRET.search(key) else re.sub(r"://[^/@\s]+@", f"://{MASK}@", settings)
    return settings


def _shipped(name: str) -> Layer:
    file = conf_file(name)
    return _read(file.read_text(encoding="utf-8"), f"conf/{name}")


def _file(path: Path) -> Layer:
    try:
        return _read(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"cannot read the config file {path}: {reason}") from None


def _read(text: str, name: str) -> Layer:
    document = read_mapping(text, name)
    return Layer(
        document.data, {path: f"{name}, line {line}" for path, line in document.lines.items()}
    )


def _environment(environment: Mapping[str, str]) -> Iterator[Layer]:
    if "ACTORGRAPH_HOME" in environment:
        yield _single(("home",), environment["ACTORGRAPH_HOME"], "environment ACTORGRAPH_HOME")
    for name in sorted(environment):
        if name.startswith(PREFIX):
            path = tuple(name.removeprefix(PREFIX).lower().split("__"))
            place = f"environment {name}"
            yield _single(path, read_value(environment[name], place), place)


def _override(text: str) -> Layer:
    key, equals, value = text.partition("=")
    if not equals or not all(key.split(".")):
        raise ConfigError(f"--set {text}: write key=value, e.g. --set networks.min_size=4")
    # Spark's properties have dots in their names: --set spark.ui.enabled=true.
    path = ("spark", key) if key.startswith("spark.") else tuple(key.split("."))
    return _single(path, read_value(value, f"--set {key}"), f"--set {key}")


def _single(path: KeyPath, value: Any, place: str) -> Layer:
    data = value
    for key in reversed(path):
        data = {key: data}
    return Layer(data, {path[:depth]: place for depth in range(1, len(path) + 1)})


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and key not in REPLACED_WHOLE:
            value = _merge(old, value)
        merged[key] = value
    return merged


def _explain(error: ValidationError, places: dict[KeyPath, str]) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        path = tuple(str(part) for part in problem["loc"])
        place = next(
            (places[path[:n]] for n in range(len(path), 0, -1) if path[:n] in places), "config"
        )
        yield f"{place}: {'.'.join(path) or 'settings'}: {_reason(problem, path)}"


def _reason(problem: Any, path: KeyPath) -> str:
    if problem["type"] == "extra_forbidden":
        known = list(model_at(Config, path[:-1]).model_fields)
        near = difflib.get_close_matches(path[-1], known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        return f"unknown setting; {hint}"
    if problem["type"] == "missing":
        return "is required"
    message = str(problem["msg"]).removeprefix("Value error, ")
    given = problem["input"]
    if problem["type"] == "value_error" or isinstance(given, dict | list):
        return message
    return f"{message}, got {masked(given, path[-1] if path else '')!r}"
