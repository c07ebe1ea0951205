"""How long nobody told the ticketing system, after whoever told it had died: read from the gateway's own log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import orjson

from tests.faults.processes import Kill, Victim


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A lane was taken."""

    at: float
    process: int


def takeovers(log: Path, kills: Sequence[Kill]) -> dict[str, list[float]]:
    """Give the seconds from each death of the lane's owner to its next one, by who was killed.

    Where something else was killed in between, it is that one's time too, and is left out.
    """
    taken = sorted(_taken(log), key=lambda each: each.at)
    found: defaultdict[str, list[float]] = defaultdict(list)
    for kill, next_kill in pairwise([*kills, None]):
        assert kill is not None
        again = min((each.at for each in taken if each.at > kill.at), default=None)
        if again is not None and _held_it(kill, taken) and (next_kill is None or again < next_kill.at):
            found[kill.victim.value].append(round(again - kill.at, 2))
    return dict(found)


def _held_it(kill: Kill, taken: Sequence[Taken]) -> bool:
    """Tell whether the lane's owner died of it; with the supervisor all of its workers do."""
    before = [each for each in taken if each.at <= kill.at]
    if not before or kill.victim is Victim.DATABASE:
        return False
    return kill.victim is Victim.SUPERVISOR or before[-1].process == kill.process


def _taken(log: Path) -> Iterator[Taken]:
    for line in log.read_bytes().splitlines():
        try:
            said = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(said, dict) and said.get("event") == "lane taken":
            at = datetime.fromisoformat(said["timestamp"]).timestamp()
            yield Taken(at=at, process=int(said["owner"].partition("-")[0]))
