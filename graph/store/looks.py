"""A look at all that a label has may take longer than anybody waits: each look has a time of its own, and the others go on.

What was not looked through in time is told beside what was found: nobody knows then whether it is as the model allows.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from graph.errors import DeadlineExceeded
from graph.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class NotLookedThrough:
    """What a look had no time for."""

    what: str
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.what}: not looked through within {self.seconds:g} s, so it is not known whether all are as the model "
            "allows. Look when the database has less to do, or give each look more time (--seconds)"
        )


async def look(
    store: Store, what: str, text: str, parameters: Mapping[str, object], *, seconds: float
) -> list[list[object]] | NotLookedThrough:
    """Give the rows of a statement that reads all of something, or what it had no time for."""
    try:
        return await store.rows(text, parameters, deadline=time.monotonic() + seconds)
    except DeadlineExceeded:
        return NotLookedThrough(what=what, seconds=seconds)
