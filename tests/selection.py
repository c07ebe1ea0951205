"""Which tests run in which pass, in which order, and what is drawn by chance.

    make test            what starts no process of ours, on the embedded database; what is large is sampled
    make test-processes  what does: the demo, kills, what is served, the examples of docs/examples
    .ci/run              both, and on Neo4j what touches a store: -m "store and not process"
    make test-all        both databases, nothing sampled: --full

`store` is never written at a test: it is found from the fixtures that a test asks for, so that no test can be forgotten.
`sampled(most)` is written at a test with many parameters each of which takes long: so many are drawn in each run.
Chance has one seed for the whole run. It is printed, and `TRUNKLINE_TEST_SEED` repeats it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import Final, TypeVar

import pytest

T = TypeVar("T")

SEED_VARIABLE: Final = "TRUNKLINE_TEST_SEED"
FULL_VARIABLE: Final = "TRUNKLINE_TEST_FULL"
STORE_FIXTURES: Final = frozenset({"store", "store_address"})


def choose_seed() -> int:
    """Give the seed of this run; whoever is first chooses, and the workers that it starts find it."""
    return int(os.environ.setdefault(SEED_VARIABLE, str(random.SystemRandom().randrange(2**32))))


def is_full() -> bool:
    """Whether nothing may be left out."""
    return os.environ.get(FULL_VARIABLE) == "1"


def sample(items: Sequence[T], most: int, *, about: str) -> Sequence[T]:
    """Draw at most so many of them, in their order; all of them in a full run. The same seed draws the same."""
    if is_full() or len(items) <= most:
        return items
    drawn = random.Random(f"{choose_seed()} {about}").sample(range(len(items)), most)
    return [items[index] for index in sorted(drawn)]


def examples(most: int) -> int:
    """Give how many examples of a property are tried: all in a full run, else a quarter; the run's seed draws which."""
    return most if is_full() else most // 4


def draw(items: list[pytest.Item]) -> list[pytest.Item]:
    """Leave so many of a `sampled` test's parameters as it says, drawn by chance, and give what was taken out."""
    families: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sampled"):
            families.setdefault(item.nodeid.partition("[")[0], []).append(item)
    drawn = {each for name, family in families.items() for each in sample(family, _most_of(family[0]), about=name)}
    left_out = [each for family in families.values() for each in family if each not in drawn]
    items[:] = [each for each in items if each not in set(left_out)]
    return left_out


def _most_of(item: pytest.Item) -> int:
    marker = item.get_closest_marker("sampled")
    assert marker
    return int(marker.args[0])


def mark_and_order(items: list[pytest.Item]) -> None:
    """Mark what touches a store, and begin with what takes longest: its end would be waited for alone.

    `long` may say about how many seconds, on two quiet cores: `pytest.mark.long(90)`.
    """
    for item in items:
        if STORE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.store)
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[int, float]:
    """Give the long ones, the longest first; then what starts processes; then the rest, in which nothing is waited for."""
    if long := item.get_closest_marker("long"):
        return 0, -float(long.args[0]) if long.args else 0.0
    return (1 if item.get_closest_marker("process") else 2), 0.0
