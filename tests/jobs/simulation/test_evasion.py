from __future__ import annotations

from dataclasses import fields

import pytest

from jobs.errors import ConfigError
from jobs.simulation.evasion import Evasion


def test_level_zero_is_no_evasion() -> None:
    assert Evasion.from_level(0) == Evasion()


def test_level_one_half_is_what_the_project_agreed_on() -> None:
    half = Evasion.from_level(0.5)
    assert half.addresses == 5
    assert half.pool_ratio == 0
    assert half.own_device_ratio == 0.5
    assert half.jitter_s == 600
    assert half.varied_content_ratio == 0.5
    assert half.camouflage_ratio == 0.5
    assert 0 < half.drip_ratio < 1
    assert half.cell_ratio > 0 and half.inflation_ratio > 0 and half.framed_ratio > 0


@pytest.mark.parametrize("knob", [field.name for field in fields(Evasion)])
def test_every_knob_moves_one_way_with_the_level(knob: str) -> None:
    values = [getattr(Evasion.from_level(level / 20), knob) for level in range(21)]
    assert values != [values[0]] * 21
    assert values in (sorted(values), sorted(values, reverse=True))


def test_knobs_are_set_one_by_one() -> None:
    changed = Evasion.from_level(0.5).with_knobs({"jitter_s": 60, "addresses": 2})
    assert (changed.jitter_s, changed.addresses) == (60, 2)
    assert changed.camouflage_ratio == 0.5


def test_impossible_levels_and_unknown_knobs_are_named() -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        Evasion.from_level(1.5)
    with pytest.raises(ConfigError, match=r"no evasion knob 'jiter_s'; there are .*jitter_s"):
        Evasion().with_knobs({"jiter_s": 60})
