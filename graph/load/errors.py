"""What can be wrong with what a caller gives to a load; the store's own faults are in `graph.errors`.

GraphError
  LoadRefused            nothing was written
    UnknownTopology      no such topology
    BadLines             a file with faults, each by its line
"""

from __future__ import annotations

from dataclasses import dataclass

from graph.errors import GraphError


class LoadRefused(GraphError):
    """Nothing was written, because what was given cannot be loaded."""


class UnknownTopology(LoadRefused):
    """There is no topology of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is no topology {name!r}",
            hint="name one of the package topohub, such as sndlib/germany50, sndlib/abilene or topozoo/Surfnet",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with one line."""

    line: int
    problem: str


class BadLines(LoadRefused):
    """A file has faults; the first of them are kept, all of them are counted."""

    def __init__(self, faults: tuple[Fault, ...], count: int) -> None:
        super().__init__(
            f"{count} lines cannot be loaded" if count > 1 else f"line {faults[0].line}: {faults[0].problem}",
            hint="correct the lines named and load the file again: nothing of it was written",
        )
        self.faults = faults
        self.count = count
