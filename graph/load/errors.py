"""What can be wrong with what a caller gives to a load; the store's own faults are in `graph.errors`.

GraphError
  LoadRefused            nothing was written
    UnknownTopology      no such topology
    BadLines             a file with faults, each by its line
  Overtaken              what was right when it was checked is so no more, since another program wrote meanwhile
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
            hint="Name one of the package topohub, such as sndlib/germany50, sndlib/abilene or topozoo/Surfnet",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with one line."""

    line: int
    problem: str


class BadLines(LoadRefused):
    """A file has faults; the first of them are kept, and all lines that have any are counted."""

    def __init__(self, faults: tuple[Fault, ...], lines: int) -> None:
        one = f"line {faults[0].line}: {faults[0].problem}" if len(faults) == 1 else "1 line cannot be loaded"
        super().__init__(
            f"{lines} lines cannot be loaded" if lines > 1 else one,
            hint="Correct the lines named and load the file again: nothing of it was written",
        )
        self.faults = faults
        self.lines = lines


class Overtaken(GraphError):
    """Another program has given a node the one that it may have, after the file was checked."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"another program was quicker: {problem}",
            hint="What was loaded before it stays; load the file again, and all that is wrong with it is told by line",
        )
