"""What people read comes from texts that a site translates, and every sentence can be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from exporters.enforcement.wording import TAKEN_BACK, read_wording
from graph.conf_files import conf_file
from graph.entities import ENTITY_TYPES
from graph.errors import ConfigError
from jobs.configuration import load
from signatures.acceptance import SAMPLED
from signatures.inclusions import OBSTACLES, UNCOUNTED
from signatures.roles import ACTOR_REASON, ROLE_RULES
from signatures.snapshots import HUBS_USED, OPENLY_DONE
from tests.exporters.enforcement.builders import decided, write

SHIPPED = yaml.safe_load(conf_file("texts_en.yaml").read_text())


def translated(folder: Path, **changed: dict[str, str] | str) -> Path:
    path = folder / "texts.yaml"
    path.write_text(yaml.safe_dump({**SHIPPED, **changed}))
    return path


def test_every_sentence_that_is_frozen_can_be_translated() -> None:
    sentences = {each.reason for each in (*OBSTACLES, *ROLE_RULES)} | {ACTOR_REASON}
    hubs = {HUBS_USED.format(each.name) for each in ENTITY_TYPES}
    assert SHIPPED["frozen"].keys() == sentences | hubs | {OPENLY_DONE, SAMPLED}
    of_then = {each.reason for each in OBSTACLES if each.name in UNCOUNTED}
    assert all(SHIPPED["frozen"][each] == each for each in sentences - of_then)


def test_what_was_not_measured_is_told_of_the_day_when_it_was_not() -> None:
    # The same batch has what is measured by now (precision_lower).
    for each in OBSTACLES:
        if each.name in UNCOUNTED:
            assert SHIPPED["frozen"][each.reason].startswith("when this was judged, ")


def test_every_family_has_plain_words() -> None:
    families = {trace.family for trace in load([], [], {}).traces.values()}
    assert families <= set(SHIPPED["families"])
    assert families <= set(SHIPPED["evidence"])


def test_a_notice_has_no_word_of_ours(tmp_path: Path) -> None:
    folder, _ = write(tmp_path, [decided()])
    (account,) = map(json.loads, (folder / "accounts.jsonl").open())
    assert account["reason_text"] == (
        "This account acted as part of a coordinated network of 5 accounts. What ties them: the "
        "same content at nearly the same time, the same devices, the same address networks. That "
        "is against our rules on inauthentic accounts."
    )


def test_a_batch_is_written_in_the_words_of_the_site(tmp_path: Path) -> None:
    texts = translated(
        tmp_path,
        reasons={"default": "{members} Konten", "taken_back": "zurück"},
        evidence={"default": "gemeinsam"},
        rarity="{text}, 1 von {one_in}",
        counted={"one": "{text}", "other": "{accounts} von {all}: {text}"},
        frozen={
            "posts at its own hours": "schreibt zu eigenen Zeiten",
            "takes part": "macht mit",
            "the signature is not stable yet": "noch nicht gemessen",
        },
    )
    folder, _ = write(tmp_path, [decided()], made_by={"wording": read_wording(texts=texts)})
    (account,) = map(json.loads, (folder / "accounts.jsonl").open())
    assert account["reason_text"] == "5 Konten"
    told = {json.loads(line)["text"] for line in (folder / "evidence.jsonl").open()}
    assert told >= {"gemeinsam, 1 von 245", "macht mit", "schreibt zu eigenen Zeiten"}
    (network,) = map(json.loads, (folder / "networks.jsonl").open())
    assert network["against"] == ["schreibt zu eigenen Zeiten"]
    assert network["not_counted"] == ["noch nicht gemessen"]


def test_of_a_sentence_that_ends_with_names_the_words_are_translated(tmp_path: Path) -> None:
    told = {each.name: each.reason for each in OBSTACLES}
    translation = {told["explained"]: "harmlos erklärt"}
    wording = read_wording(texts=translated(tmp_path, frozen=translation))
    assert (
        wording.frozen(f"{told['explained']}: Campus, Office") == "harmlos erklärt: Campus, Office"
    )
    assert wording.frozen(told["not_inauthentic"]) == told["not_inauthentic"]


HIJACKED = {"subject_role": "compromised", "action": "secure_account"}


@pytest.mark.parametrize(
    ("of", "alike", "told"),
    [
        ({}, 2, "This account acted as part of a coordinated network of 2 accounts."),
        ({}, 1, "This account acted in coordination with other accounts."),
        (HIJACKED, 1, "behaved unlike its own past, and in coordination with other accounts."),
        (HIJACKED, 2, "like another account that is controlled by somebody else."),
        (HIJACKED, 5, "like 4 other accounts that are controlled by somebody else."),
    ],
)
def test_a_notice_counts_those_whom_its_sentence_is_about(
    tmp_path: Path, of: dict[str, str], alike: int, told: str
) -> None:
    folder, _ = write(tmp_path, [decided(alike=alike, **of)])
    (account,) = map(json.loads, (folder / "accounts.jsonl").open())
    assert told in account["reason_text"]


@pytest.mark.parametrize(
    ("of", "alike", "told"),
    [
        ({}, 5, "A coordinated network of 5 accounts."),
        ({}, 1, "An account that acted in coordination with other accounts."),
        (HIJACKED, 5, "5 accounts that behaved unlike their own past and are controlled by"),
        (HIJACKED, 1, "An account that behaved unlike its own past and is controlled by"),
    ],
)
def test_a_network_counts_those_whom_its_sentence_is_about(
    tmp_path: Path, of: dict[str, str], alike: int, told: str
) -> None:
    folder, _ = write(tmp_path, [decided(alike=alike, **of)])
    (network,) = map(json.loads, (folder / "networks.jsonl").open())
    assert network["reason_text"].startswith(told)
    assert network["members"] == 7


def test_what_is_taken_back_is_told_in_the_right_number_under_every_policy(tmp_path: Path) -> None:
    wording = read_wording()
    for name, policy in wording.policies.items():
        assert policy.title.startswith("our rules ")
        of = ["one account", "2 accounts"]
        for accounts, words in enumerate(of, start=1):
            assert wording.network(TAKEN_BACK, [name], (accounts, 5), []) == (
                f"What was done to {words} of this network under {policy.title} is taken back."
            )


def test_a_form_that_is_absent_is_the_other_one(tmp_path: Path) -> None:
    texts = translated(tmp_path, counted={"other": "{accounts} von {all}: {text}"})
    assert read_wording(texts=texts).counted("x", 1, 1) == "1 von 1: x"


@pytest.mark.parametrize("sentence", ["{account_id}", "{members!r}", "{0}", "{"])
def test_no_template_names_anybody(tmp_path: Path, sentence: str) -> None:
    texts = translated(tmp_path, reasons={"default": sentence, "taken_back": "x"})
    with pytest.raises(ConfigError, match=r"reasons\.default"):
        read_wording(texts=texts)
