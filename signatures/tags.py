"""The tags of signatures: pinned techniques of DISARM and ATT&CK, and a site's policies.

signatures/techniques.yml holds the pinned lists with their sources. A policy's name is the site's
own, so only its form is checked.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from graph.suggestions import nearest
from graph.yaml_files import read_mapping

POLICY = re.compile(r"policy\.[a-z0-9][a-z0-9_.-]{0,62}")
POLICY_PATTERN = f"^{POLICY.pattern}$"


@cache
def techniques() -> dict[str, str]:
    """The names of all pinned techniques by tag, e.g. `disarm.t0049.003`."""
    text = (files("signatures") / "techniques.yml").read_text(encoding="utf-8")
    frameworks = read_mapping(text, "techniques.yml").data
    return {
        f"{framework}.{technique.lower()}": name
        for framework, pinned in frameworks.items()
        for technique, name in pinned["techniques"].items()
    }


def known_tag(tag: str) -> str:
    """Pass a pinned technique or a policy; raises ValueError with the nearest for any other."""
    if tag in techniques() or POLICY.fullmatch(tag):
        return tag
    raise ValueError(
        f"{tag[:80]!r} is no pinned technique of DISARM or ATT&CK and no policy"
        f"{nearest(tag[:80], techniques()) or '; e.g. disarm.t0049.003 or policy.spam'}"
    )
