"""Sentences of batches and notices, from keyed templates that a site can translate."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from graph.conf_files import conf_file
from graph.errors import ConfigError
from graph.setting_types import OrNone, Settings
from graph.yaml_files import read_mapping

WORDS: Mapping[str, Collection[str]] = {
    "reasons": ("members", "others", "families", "policy", "why"),
    "networks": ("members", "accounts", "families", "policy"),
    "families": (),
    "evidence": (),
    "automated": (),
    "appeals": ("reason",),
}
"""What a template of each section may have filled in; only {why} is a person's own words."""

TAKEN_BACK = "taken_back"
"""The key of what is said of a reversal."""

NEEDED = {
    "reasons": ("default", TAKEN_BACK),
    "networks": ("default", "secure_account", TAKEN_BACK),
    "families": ("default",),
    "evidence": ("default",),
    "automated": ("fully", "not_automated", "on_appeal"),
    "appeals": ("overturned", "partial", "lighter"),
}
"""Keys that every file of sentences has."""


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


class Forms(Settings):
    """A sentence whose words change with a number: none, one, and any other."""

    none: str | None = None
    one: str | None = None
    other: str

    def of(self, number: int) -> str:
        """The form for a number; where it has none of its own, the other one."""
        own = {0: self.none, 1: self.one}.get(number)
        return self.other if own is None else own


class _Texts(Settings):
    reasons: dict[str, str | Forms]
    networks: dict[str, str | Forms]
    families: dict[str, str]
    evidence: dict[str, str]
    rarity: str
    counted: str | Forms
    automated: dict[str, str]
    appeals: dict[str, str]
    frozen: dict[str, str] = Field(default_factory=dict)


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

    def reason(
        self, code: str, policy_id: str, members: int, families: Iterable[str], why: str | None
    ) -> str:
        """Why something is done to an account, or taken back, in plain words; `code` is a key.

        `members` are those of the network that have the account's role, itself among them.
        """
        return _form(self.texts.reasons[code], members - 1).format(
            members=members,
            others=members - 1,
            families=self._families(families),
            policy=self.policy(policy_id).title,
            why=why,
        )

    def reason_code(self, policy_id: str, action: str) -> str:
        """The key of the sentence for an action under a policy."""
        return action if action in self.texts.reasons else self.policy(policy_id).reason

    def network(
        self,
        code: str,
        policy_ids: Iterable[str],
        counts: tuple[int, int],
        families: Iterable[str],
    ) -> str:
        """What is said of accounts of a network; the sentence of the code, or the default.

        `counts` are these accounts, and all members of the network that have their role.
        """
        accounts, members = counts
        sentence = self.texts.networks.get(code, self.texts.networks["default"])
        titles = [self.policy(name).title for name in sorted(policy_ids)]
        return _form(sentence, accounts if code == TAKEN_BACK else members).format(
            accounts=accounts,
            members=members,
            families=self._families(families),
            policy=", ".join(titles),
        )

    def evidence(self, family: str, one_in: int) -> str:
        """What an entity of a family says, of which one account in so many was seen with it."""
        text = self.texts.evidence.get(family, self.texts.evidence["default"])
        return self.texts.rarity.format(text=text, one_in=one_in)

    def counted(self, sentence: str, accounts: int, all_accounts: int) -> str:
        """A frozen sentence with the number of accounts, of all, that it was frozen of."""
        text = self.frozen(sentence)
        form = _form(self.texts.counted, all_accounts)
        return form.format(text=text, accounts=accounts, all=all_accounts)

    def automated(self, how: str) -> str:
        """How it was decided."""
        return self.texts.automated[how]

    def appeal(self, what: str, reason: str = "") -> str:
        """What an appeal has led to: why something is taken back, or why a lighter action comes."""
        return self.texts.appeals[what].format(reason=reason)

    def _families(self, families: Iterable[str]) -> str:
        known = self.texts.families
        return ", ".join(known.get(each, known["default"]) for each in sorted(families) or [""])

    def frozen(self, sentence: str) -> str:
        """A sentence that was frozen with a decision, as the texts have it.

        Of one that ends with names, behind a colon, the texts have what is before.
        """
        known = self.texts.frozen
        if sentence in known:
            return known[sentence]
        head, colon, names = sentence.partition(": ")
        return f"{known.get(head, head)}{colon}{names}"


def read_wording(policies: Path | None = None, texts: Path | None = None) -> Wording:
    """Read policies and sentences, a site's or the shipped ones.

    Raises ConfigError, naming the file, for a template that is missing or has unknown words.
    """
    found = _read(_Policies, policies, "policies.yaml")
    sentences = _read(_Texts, texts, "texts_en.yaml")
    name = str(texts or "conf/texts_en.yaml")
    absent = [
        f"{section}.{key}"
        for section, keys in NEEDED.items()
        for key in keys
        if key not in getattr(sentences, section)
    ]
    absent += [
        f"reasons.{each.reason}"
        for each in found.policies.values()
        if each.reason not in sentences.reasons
    ]
    if absent:
        raise ConfigError(f"{name}: {', '.join(absent)} must be given")
    for section, words in WORDS.items():
        for key, sentence in getattr(sentences, section).items():
            _check_forms(f"{name}: {section}.{key}", sentence, words)
    _check_words(f"{name}: rarity", sentences.rarity, ("text", "one_in"))
    _check_forms(f"{name}: counted", sentences.counted, ("text", "accounts", "all"))
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


def _form(sentence: str | Forms, number: int) -> str:
    return sentence if isinstance(sentence, str) else sentence.of(number)


def _check_forms(place: str, sentence: str | Forms, known: Collection[str]) -> None:
    if isinstance(sentence, str):
        _check_words(place, sentence, known)
        return
    for name, form in sentence:
        if form is not None:
            _check_words(f"{place}.{name}", form, known)


def _check_words(place: str, sentence: str, known: Collection[str]) -> None:
    try:
        words = [(name, spec, how) for _, name, spec, how in Formatter().parse(sentence) if name]
    except ValueError as error:
        raise ConfigError(f"{place}: {error}") from None
    for name, spec, how in words:
        if name not in known or spec or how:
            told = ", ".join(sorted(known)) or "none"
            raise ConfigError(f"{place}: {{{name}}} cannot be filled in; known: {told}")
