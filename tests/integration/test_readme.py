"""What the README shows is what there is: its commands, its config and its example in Python."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from exporters.enforcement.keyed import read_key
from graph.history import new_network_id
from jobs.command_line import COMMANDS
from jobs.configuration import load
from tests.conftest import missing
from tests.integration.sites import DAY, Site

README = Path(__file__).parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_every_command_shown_exists() -> None:
    shown = set(re.findall(r"actorgraph ([a-z][a-z0-9-]+)", "".join(blocks("console"))))
    assert shown <= {command.name for command in COMMANDS}
    assert {"run", "status", "doctor", "simulate"} <= shown


def test_every_script_and_target_shown_exists() -> None:
    root = README.parent
    shown = "".join(blocks("console"))
    for script in re.findall(r"jobs/\w+\.py", shown):
        assert (root / script).is_file(), script
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", shown, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_config_shown_is_valid(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("".join(blocks("yaml")), encoding="utf-8")
    config = load([str(site)])
    assert config.events.columns["account_id"] == "user"
    assert config.lookback_days == 28
    assert config.enforcement.environment == "production"


def test_the_key_shown_is_one_that_a_batch_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("openssl") is None:
        missing("there is no openssl")
    monkeypatch.chdir(tmp_path)
    (command,) = (line for line in "".join(blocks("console")).splitlines() if "openssl" in line)
    assert subprocess.run(command, shell=True).returncode == 0
    (tmp_path / "site.yaml").write_text("".join(blocks("yaml")), encoding="utf-8")
    assert len(read_key(load(["site.yaml"]).enforcement.key_file)) == 32


def test_ids_and_folders_of_batches_are_shown_as_they_are() -> None:
    shown = "".join(blocks("console"))
    (network,) = set(re.findall(r"--network (\S+)", shown))
    assert len(network) == len(new_network_id(str(DAY), "first"))
    home = load().home
    assert re.findall(r"(\S+)/released", shown) == [f"{home}/batches"]


@pytest.mark.spark
@pytest.mark.graphframes
@pytest.mark.usefixtures("graphframes")
def test_the_example_finds_accounts_that_share_a_device_and_a_content_hash(
    two_days: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = blocks("python")
    example = example.replace('"2026-11-22"', f'"{DAY}"')
    example = example.replace('".actorgraph/demo"', repr(str(two_days.home)))
    names: dict[str, Any] = {}
    exec(compile(example, str(README), "exec"), names)
    assert "node_id" in capsys.readouterr().out
    found = {tuple(row) for row in names["pairs"].collect()}
    assert found == _pairs_by_hand(two_days) != set()


def _pairs_by_hand(site: Site) -> set[tuple[str, str, str, str]]:
    """The same by loops over the edges."""
    hubs = {(row["node_type"], row["node_id"]) for row in site.rows("nodes") if row["is_hub"]}
    accounts: dict[tuple[str, str], set[str]] = {}
    for edge in site.rows("edges"):
        entity = (edge["entity_type"], edge["entity_id"])
        if entity not in hubs:
            accounts.setdefault(entity, set()).add(edge["account_id"])
    shared: dict[tuple[str, str], dict[str, set[str]]] = {}
    for (kind, entity_id), members in accounts.items():
        if kind in ("device", "content"):
            for one in members:
                for other in members:
                    if f"account:{one}" < f"account:{other}":
                        both = shared.setdefault((one, other), {})
                        both.setdefault(kind, set()).add(entity_id)
    return {
        (one, other, device, content)
        for (one, other), both in shared.items()
        for device in both.get("device", ())
        for content in both.get("content", ())
    }
