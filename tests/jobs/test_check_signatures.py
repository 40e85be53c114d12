"""`actorgraph signatures`: one clear line for each problem, and the exit codes of all commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.check_signatures import main
from signatures.loading import signature_of_abuse
from tests.signatures.signature_files import SOUND, changed, write


def test_check_counts_the_sound_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(write(tmp_path, SOUND))]) == 0
    assert capsys.readouterr().out == "27 signatures are sound\n"


def test_check_names_every_problem_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, changed("level", "urgent"))
    write(tmp_path, changed("evidence", ["acounts"]), "other.yml")
    assert main(["check", str(tmp_path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "example_ring.yml, line 4: level: 'urgent' is not one of" in lines[0]
    assert "other.yml, line " in lines[1]
    assert lines[1].endswith("evidence.0: unknown feature; did you mean 'accounts'?")


def test_check_refuses_a_policy_that_no_notice_could_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write(tmp_path, changed("enforcement.policy_id", "fake_fans")))
    assert main(["check", path]) == 2
    assert "Example ring: policy 'fake_fans' is not in the policies file" in capsys.readouterr().err
    policies = tmp_path / "policies.yaml"
    policies.write_text("policies: {fake_fans: {version: '1', title: Fake fans}}")
    config = tmp_path / "site.yaml"
    config.write_text(f"enforcement: {{policies: {policies}}}")
    assert main(["check", path, "--config", str(config)]) == 2
    assert "Device farm: policy 'inauthentic_accounts'" in capsys.readouterr().err


def test_test_runs_all_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test"]) == 0
    assert capsys.readouterr().out.endswith("examples of 26 signatures come out as they say\n")


def test_test_says_which_example_is_wrong_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sparse = changed("tests.positive.0.features.density", 0.05)
    assert main(["test", str(write(tmp_path, sparse))]) == 2
    assert (
        "Example ring: the positive example 'A dense dozen' must match: "
        "selection_large holds, filter_sparse holds" in capsys.readouterr().err
    )


def test_list_shows_signatures_or_features(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    (farm,) = (line for line in capsys.readouterr().out.splitlines() if "Device farm" in line)
    assert str(signature_of_abuse("Device farm").id) in farm
    assert main(["list", "--features"]) == 0
    assert "Share of the possible links that exist" in capsys.readouterr().out


def test_list_shows_a_sites_own_as_they_would_be_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(
        f"home: {tmp_path / 'home'}\n"
        f"signatures:\n  paths: [{write(tmp_path, SOUND)}]\n"
        f"  live: [{SOUND['id']}]\n  stable: [{SOUND['id']}]\n"
    )
    assert main(["list", "--config", str(site)]) == 0
    (ring,) = (line for line in capsys.readouterr().out.splitlines() if "Example ring" in line)
    assert ring.split()[4:6] == ["stable", "live"]


def test_a_sites_own_trace_is_known_by_its_config(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = changed("evidence", ["accounts", "trace_co_install_ratio"])
    path = str(write(tmp_path, own))
    assert main(["check", path]) == 2
    assert "evidence.1: unknown feature" in capsys.readouterr().err
    config = tmp_path / "site.yaml"
    config.write_text("traces: {co_install: {entity: device, family: device}}")
    assert main(["check", path, "--config", str(config)]) == 0
    assert main(["test", path, "--config", str(config)]) == 0
    assert main(["list", "--features", "--config", str(config)]) == 0
    assert "rest, also or only, on the trace co_install." in capsys.readouterr().out
    switched_off = ["--set", "traces.co_install.enabled=false"]
    assert main(["check", path, "--config", str(config), *switched_off]) == 2


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Signature"


def test_features_is_the_page_of_the_docs(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parents[2] / "docs" / "features.md"
    assert main(["features"]) == 0
    assert capsys.readouterr().out == page.read_text(encoding="utf-8")


@pytest.mark.parametrize("arguments", [[], ["chek"], ["schema", "--set", "x"]])
def test_what_it_does_not_know_ends_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "usage: actorgraph signatures" in capsys.readouterr().err
