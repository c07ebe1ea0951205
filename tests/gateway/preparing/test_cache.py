"""What is kept is bounded by what it weighs, over all tables together."""

from __future__ import annotations

import random
from collections import OrderedDict
from dataclasses import dataclass

from gateway.preparing.cache import SharedCache, Table


@dataclass(frozen=True, slots=True)
class Stone:
    weight: int


def tables(most: int, count: int) -> tuple[SharedCache, list[Table[Stone]]]:
    cache = SharedCache(most)
    return cache, [cache.table() for _ in range(count)]


def test_what_was_used_longest_ago_in_any_table_goes_first() -> None:
    cache, (one, two) = tables(10, 2)
    one["a"], two["a"], one["b"] = Stone(3), Stone(4), Stone(3)
    assert one.get("a") == Stone(3)
    two["b"] = Stone(4)
    assert (one.get("a"), two.get("a"), one.get("b"), two.get("b")) == (Stone(3), None, Stone(3), Stone(4))
    assert (cache.bytes, len(one), len(two)) == (10, 2, 1)
    one["c"] = Stone(10)
    assert (cache.bytes, one.values(), two.values()) == (10, [Stone(10)], [])


def test_a_value_that_is_larger_than_the_bound_is_not_kept_and_displaces_nothing() -> None:
    cache, (one,) = tables(10, 1)
    one["a"] = Stone(10)
    one["b"] = Stone(11)
    assert (one.get("a"), one.get("b"), cache.bytes) == (Stone(10), None, 10)


def test_it_forgets_as_the_plainest_cache_would() -> None:
    rng = random.Random(7)
    cache, both = tables(100, 2)
    plain: OrderedDict[tuple[int, int], int] = OrderedDict()
    for _ in range(5_000):
        number, key, weight = rng.randrange(2), rng.randrange(40), rng.randrange(1, 30)
        if rng.random() < 0.5:
            found = both[number].get(key)
            assert (found.weight if found else None) == plain.get((number, key))
            if found:
                plain.move_to_end((number, key))
        elif (number, key) not in plain:
            both[number][key] = Stone(weight)
            plain[number, key] = weight
            while sum(plain.values()) > 100:
                plain.popitem(last=False)
        assert cache.bytes == sum(plain.values())
