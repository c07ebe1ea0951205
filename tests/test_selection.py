"""What is drawn of tests with many parameters."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import pytest

from tests.selection import FULL_VARIABLE, SEED_VARIABLE, draw


class Item(NamedTuple):
    """As much of a collected test as is looked at."""

    nodeid: str
    most: int | None = None

    def get_closest_marker(self, name: str) -> Any:
        return pytest.mark.sampled(self.most).mark if name == "sampled" and self.most is not None else None


ITEMS = [
    Item("a.py::one"),
    *(Item(f"a.py::many[{n}]", 3) for n in range(9)),
    *(Item(f"a.py::all[{n}]") for n in range(9)),
]


def drawn(monkeypatch: pytest.MonkeyPatch, *, seed: int, full: bool = False) -> tuple[list[Item], list[Item]]:
    monkeypatch.setenv(SEED_VARIABLE, str(seed))
    monkeypatch.setenv(FULL_VARIABLE, "1" if full else "0")
    items = list(ITEMS)
    left_out = draw(cast("list[pytest.Item]", items))
    return items, cast("list[Item]", left_out)


def test_so_many_as_it_says_are_drawn_and_every_one_by_some_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[Item] = set()
    for seed in range(30):
        kept, left_out = drawn(monkeypatch, seed=seed)
        assert kept == [each for each in ITEMS if each not in left_out], "in their order"
        assert [each.most for each in left_out] == [3] * 6
        assert drawn(monkeypatch, seed=seed) == (kept, left_out), "each worker draws the same"
        seen |= set(kept)
    assert seen == set(ITEMS)


def test_a_full_run_leaves_out_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, seed=1, full=True) == (ITEMS, [])
