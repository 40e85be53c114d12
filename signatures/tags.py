"""The tags of signatures: pinned techniques of DISARM and ATT&CK, and a site's policies.

signatures/techniques.yml holds the pinned lists with their sources. A policy's name is the site's
own, so only its form is checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from graph.suggestions import nearest
from graph.yaml_files import read_mapping

POLICY = re.compile(r"policy\.[a-z0-9][a-z0-9_.-]{0,62}")
POLICY_PATTERN = f"^{POLICY.pattern}$"


@dataclass(frozen=True)
class Technique:
    """A pinned technique: its number and name at its source, what that is called, and its page."""

    number: str
    name: str
    source_name: str
    url: str
    looked_up: date


@cache
def techniques() -> dict[str, Technique]:
    """All pinned techniques by tag, e.g. `disarm.t0049.003`."""
    text = (files("signatures") / "techniques.yml").read_text(encoding="utf-8")
    frameworks = read_mapping(text, "techniques.yml").data
    return {
        f"{framework}.{number.lower()}": Technique(
            number,
            name,
            pinned["source_name"],
            pinned["page"].format(number=number, path=number.replace(".", "/")),
            date.fromisoformat(str(pinned["looked_up"])),
        )
        for framework, pinned in frameworks.items()
        for number, name in pinned["techniques"].items()
    }


def known_tag(tag: str) -> str:
    """Pass a pinned technique or a policy; raises ValueError with the nearest for any other."""
    if tag in techniques() or POLICY.fullmatch(tag):
        return tag
    raise ValueError(
        f"{tag[:80]!r} is no pinned technique of DISARM or ATT&CK and no policy"
        f"{nearest(tag[:80], techniques()) or '; e.g. disarm.t0049.003 or policy.spam'}"
    )
