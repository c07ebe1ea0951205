"""How much one decision may look at: whoever asks gets an answer, or learns soon that there is none yet.

Everything counts in settled nodes: a place that a search has done with is one, and what else takes time counts as many as it takes. It is
one budget for all searches and all reading of a decision, so that no mixture of them lasts long. It is counted and not timed: the same
question has the same answer on every machine, unless whoever waits for it stops.

>>> budget = Budget(left=2)
>>> budget.spend(2)
>>> budget.spend()
Traceback (most recent call last):
    ...
graph.routing.budget.Spent
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NODES: Final = 400_000
"""settled in about a second."""
READ: Final = 1_000
"""what it costs to ask for loads: a statement takes about as long as settling so many."""


class Spent(Exception):
    """The budget is used up."""


@dataclass(slots=True, kw_only=True)
class Budget:
    """What is left for one decision."""

    left: int = NODES
    stopped: bool = False

    def spend(self, nodes: int = 1) -> None:
        """Count so many; raises Spent where they are too many, or nobody waits any more."""
        self.left -= nodes
        if self.left < 0 or self.stopped:
            raise Spent

    def stop(self) -> None:
        """Let the decision end where it next counts; it may be in another thread."""
        self.stopped = True

    def after(self, share: int) -> int:
        """Give what will be left when one of so many shares is used."""
        return self.left - self.left // share
