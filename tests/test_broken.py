"""What `make broken` breaks is there to be broken: a text that has changed would end that run before the rest is tried."""

from __future__ import annotations

import pytest

from tests.broken import BREAKAGES, TOP, Breakage


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda each: each.name)
def test_what_is_broken_stands_there_once(breakage: Breakage) -> None:
    assert (TOP / breakage.file).read_text(encoding="utf-8").count(breakage.before) == 1
    assert breakage.after != breakage.before
    assert all((TOP / each).exists() for each in breakage.tests)
