"""Whoever forgets a word must not find a made-up network in the database."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from gateway.commands import load


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param([], "give FILE (- for stdin), or --topology NAME", id="nothing"),
        pytest.param(["--scale", "5"], "give FILE (- for stdin), or --topology NAME", id="a scale of nothing"),
        pytest.param(["-", "--seed", "1"], "--seed is for a network that is grown", id="a seed for a file"),
        pytest.param(["-", "--topology", "sndlib/abilene"], "--topology is for a network that is grown", id="both"),
    ],
)
def test_what_may_be_meant_in_two_ways_is_refused(given: list[str], said: str) -> None:
    done = CliRunner().invoke(load.command, given)
    assert done.exit_code == 2
    assert said in done.output
