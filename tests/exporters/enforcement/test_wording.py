"""What people read comes from texts that a site translates, and every sentence can be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from exporters.enforcement.wording import read_wording
from graph.conf_files import conf_file
from graph.entities import ENTITY_TYPES
from graph.errors import ConfigError
from jobs.configuration import load
from signatures.inclusions import OBSTACLES
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
    assert SHIPPED["frozen"].keys() == sentences | hubs | {OPENLY_DONE}
    assert all(SHIPPED["frozen"][each] == each for each in sentences)


def test_every_family_has_plain_words() -> None:
    families = {trace.family for trace in load([], [], {}).traces.values()}
    assert families <= set(SHIPPED["families"])
    assert families <= set(SHIPPED["evidence"])


def test_a_notice_has_no_word_of_ours(tmp_path: Path) -> None:
    folder, _ = write(tmp_path, [decided()])
    (account,) = map(json.loads, (folder / "accounts.jsonl").open())
    assert account["reason_text"] == (
        "This account acted as part of a coordinated network of 7 accounts. What ties them: the "
        "same content at nearly the same time, the same devices, the same address networks. That "
        "is against our rules on inauthentic accounts."
    )


def test_a_batch_is_written_in_the_words_of_the_site(tmp_path: Path) -> None:
    texts = translated(
        tmp_path,
        reasons={"default": "{members} Konten", "taken_back": "zurück"},
        evidence={"default": "gemeinsam"},
        rarity="{text}, 1 von {one_in}",
        frozen={
            "posts at its own hours": "schreibt zu eigenen Zeiten",
            "takes part": "macht mit",
            "the signature is not stable yet": "noch nicht gemessen",
        },
    )
    folder, _ = write(tmp_path, [decided()], made_by={"wording": read_wording(texts=texts)})
    (account,) = map(json.loads, (folder / "accounts.jsonl").open())
    assert account["reason_text"] == "7 Konten"
    told = {json.loads(line)["text"] for line in (folder / "evidence.jsonl").open()}
    assert told >= {"gemeinsam, 1 von 245", "macht mit", "schreibt zu eigenen Zeiten"}
    (network,) = map(json.loads, (folder / "networks.jsonl").open())
    assert network["against"] == ["schreibt zu eigenen Zeiten"]
    assert network["not_counted"] == ["noch nicht gemessen"]


@pytest.mark.parametrize("sentence", ["{account_id}", "{members!r}", "{0}", "{"])
def test_no_template_names_anybody(tmp_path: Path, sentence: str) -> None:
    texts = translated(tmp_path, reasons={"default": sentence, "taken_back": "x"})
    with pytest.raises(ConfigError, match=r"reasons\.default"):
        read_wording(texts=texts)
