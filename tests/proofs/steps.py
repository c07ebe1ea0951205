"""What a proof has shown must be read by people who were not there: one line for each thing, in order."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that was shown."""

    text: str
    seconds: float
    """since the step before."""


@dataclass(slots=True, kw_only=True)
class Steps:
    """What has been shown so far."""

    say: Say
    shown: list[Step] = field(default_factory=list)
    _since: float = field(default_factory=time.monotonic)

    def show(self, text: str) -> None:
        """Note that this has come to be."""
        now = time.monotonic()
        self.shown.append(Step(text=text, seconds=round(now - self._since, 1)))
        self.say(f"{self.shown[-1].seconds:6.1f} s  {text}")
        self._since = now


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What came of a proof."""

    name: str
    system: str
    """what was proven on, with its version."""
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        lines = [f"**{self.name}**, on {self.system}:", "", "| shown | seconds |", "|---|---|"]
        return "\n".join([*lines, *(f"| {each.text} | {each.seconds} |" for each in self.steps)])
