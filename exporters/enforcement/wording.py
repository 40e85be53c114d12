"""Sentences of batches and notices, from keyed templates that a site can translate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from graph.conf_files import conf_file
from graph.errors import ConfigError
from graph.setting_types import OrNone, Settings
from graph.yaml_files import read_mapping

WORDS = {"members", "families", "policy"}
"""What a template of a reason may have filled in; none of it names anybody."""


class Dsa(Settings):
    """What a statement of reasons says of decisions under a policy."""

    category: Annotated[str, Field(pattern="^STATEMENT_CATEGORY_[A-Z_]+$")]
    keywords: tuple[Annotated[str, Field(pattern="^KEYWORD_[A-Z_]+$")], ...] = ()
    ground: Annotated[str, Field(min_length=1, max_length=500)]
    explanation: Annotated[str, Field(min_length=1, max_length=2000)]
    decision_ground: Literal["DECISION_GROUND_INCOMPATIBLE_CONTENT"] = (
        "DECISION_GROUND_INCOMPATIBLE_CONTENT"
    )


class Policy(Settings):
    """A policy as notices name it; `reason` is the key of its template."""

    version: Annotated[str, Field(min_length=1)]
    title: Annotated[str, Field(min_length=1)]
    reason: str = "default"
    dsa: Annotated[Dsa | None, OrNone] = None


class _Policies(Settings):
    policies: dict[str, Policy]


class _Texts(Settings):
    reasons: dict[str, str]
    evidence: dict[str, str]
    against: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class Wording:
    """The policies and the sentences."""

    policies: Mapping[str, Policy]
    texts: _Texts

    def policy(self, policy_id: str) -> Policy:
        """A policy; raises ConfigError for one that the file does not name."""
        if policy_id not in self.policies:
            raise ConfigError(
                f"policy {policy_id!r} is not in the policies file; add it, with its version and "
                f"title (known: {', '.join(sorted(self.policies))})"
            )
        return self.policies[policy_id]

    def reason(self, policy_id: str, action: str, members: int, families: Sequence[str]) -> str:
        """Why, in plain words; the sentence of the action, of the policy, or the default."""
        policy = self.policy(policy_id)
        return self.texts.reasons[self.reason_code(policy_id, action)].format(
            members=members, families=", ".join(families), policy=policy.title
        )

    def reason_code(self, policy_id: str, action: str) -> str:
        """The key of the sentence for an action under a policy."""
        return action if action in self.texts.reasons else self.policy(policy_id).reason

    def evidence(self, family: str) -> str:
        """What an entity of a family says."""
        return self.texts.evidence.get(family, self.texts.evidence["default"])

    def against(self, sentence: str) -> str:
        """What speaks for an account, as the texts have the sentence that was frozen."""
        return self.texts.against.get(sentence, sentence)


def read_wording(policies: Path | None = None, texts: Path | None = None) -> Wording:
    """Read policies and sentences, a site's or the shipped ones.

    Raises ConfigError, naming the file, for a template that is missing or has unknown words.
    """
    found = _read(_Policies, policies, "policies.yaml")
    sentences = _read(_Texts, texts, "texts_en.yaml")
    name = str(texts or "conf/texts_en.yaml")
    absent = [
        f"{section}.{key}"
        for section in ("reasons", "evidence")
        for key in ("default",)
        if key not in getattr(sentences, section)
    ]
    absent += [
        f"reasons.{each.reason}"
        for each in found.policies.values()
        if each.reason not in sentences.reasons
    ]
    if absent:
        raise ConfigError(f"{name}: {', '.join(absent)} must be given")
    for key, sentence in sentences.reasons.items():
        _check_words(f"{name}: reasons.{key}", sentence)
    return Wording(found.policies, sentences)


def _read(model: type[Any], path: Path | None, shipped: str) -> Any:
    name = str(path or f"conf/{shipped}")
    try:
        text = (path or conf_file(shipped)).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {name}: {error}") from None
    try:
        return model.model_validate(read_mapping(text, name).data)
    except ValidationError as error:
        lines = [
            f"{name}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()
        ]
        raise ConfigError("\n".join(lines)) from None


def _check_words(place: str, sentence: str) -> None:
    try:
        words = [(name, spec, how) for _, name, spec, how in Formatter().parse(sentence) if name]
    except ValueError as error:
        raise ConfigError(f"{place}: {error}") from None
    for name, spec, how in words:
        if name not in WORDS or spec or how:
            raise ConfigError(f"{place}: {{{name}}} is none of {', '.join(sorted(WORDS))}")
