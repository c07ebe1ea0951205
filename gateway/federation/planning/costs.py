"""A plan that cannot give a field must lose against any that can, however many fetches that one makes.

Costs are therefore numbers that are compared in order (missing fields, fetches, fields behind a fetch, fields), and never
one number with a penalty in it: whatever the penalty, some operation is large enough to outweigh it.
"""

from __future__ import annotations

from typing import Final, TypeAlias

Cost: TypeAlias = tuple[int, int, int, int]

FREE: Final = (0, 0, 0, 0)
FIELD: Final = (0, 0, 0, 1)
HOP: Final = (0, 1, 0, 0)
MISSING: Final = (1, 0, 0, 0)


def plus(one: Cost, other: Cost) -> Cost:
    """Add two costs."""
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3])


def minus(one: Cost, other: Cost) -> Cost:
    """Say what is saved."""
    return (one[0] - other[0], one[1] - other[1], one[2] - other[2], one[3] - other[3])


def behind_a_fetch(cost: Cost) -> Cost:
    """Give the cost of what stands in a fetch of its own."""
    return (cost[0], cost[1], cost[3], cost[3])
