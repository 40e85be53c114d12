"""What people read comes from texts that a site translates, and every sentence can be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from exporters.enforcement.wording import read_wording
from graph.conf_files import conf_file
from graph.errors import ConfigError
from signatures.inclusions import OBSTACLES
from signatures.roles import ROLE_RULES
from tests.exporters.enforcement.builders import decided, write

SHIPPED = yaml.safe_load(conf_file("texts_en.yaml").read_text())


def translated(folder: Path, **changed: dict[str, str]) -> Path:
    path = folder / "texts.yaml"
    path.write_text(yaml.safe_dump({**SHIPPED, **changed}))
    return path


def test_every_sentence_that_speaks_for_an_account_can_be_translated() -> None:
    sentences = {each.reason for each in (*OBSTACLES, *ROLE_RULES)}
    assert SHIPPED["against"] == {each: each for each in sentences}


def test_a_batch_is_written_in_the_words_of_the_site(tmp_path: Path) -> None:
    texts = translated(
        tmp_path,
        reasons={"default": "{members} Konten", "secure_account": "gesichert"},
        evidence={"default": "gemeinsam"},
        against={"posts at its own hours": "schreibt zu eigenen Zeiten"},
    )
    folder, _ = write(tmp_path, [decided()], made_by={"wording": read_wording(texts=texts)})
    (account,) = map(json.loads, (folder / "accounts.jsonl").open())
    assert account["reason_text"] == "7 Konten"
    told = {json.loads(line)["text"] for line in (folder / "evidence.jsonl").open()}
    assert told == {"gemeinsam", "schreibt zu eigenen Zeiten"}
    (network,) = map(json.loads, (folder / "networks.jsonl").open())
    assert network["not_counted"] == ["schreibt zu eigenen Zeiten"]


@pytest.mark.parametrize("sentence", ["{account_id}", "{members!r}", "{0}", "{"])
def test_no_template_names_anybody(tmp_path: Path, sentence: str) -> None:
    texts = translated(tmp_path, reasons={"default": sentence, "secure_account": "x"})
    with pytest.raises(ConfigError, match=r"reasons\.default"):
        read_wording(texts=texts)
