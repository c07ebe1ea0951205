"""How long nobody told the ticketing system, after whoever told it had died: read from the gateways' own logs."""

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
    """From here on a process has these lanes."""

    at: float
    process: int
    lanes: frozenset[str]


def takeovers(logs: Sequence[Path], kills: Sequence[Kill]) -> dict[str, list[float]]:
    """Give the seconds from each death until all lanes of who died had another owner, by who was killed.

    Where something else was killed in between, it is that one's time too, and is left out.
    """
    taken = sorted((each for log in logs for each in _taken(log)), key=lambda each: each.at)
    found: defaultdict[str, list[float]] = defaultdict(list)
    for kill, next_kill in pairwise([*kills, None]):
        assert kill is not None
        orphans = _orphans(kill, taken)
        after = [_again(lane, kill, taken) for lane in orphans]
        again = max((each for each in after if each is not None), default=None)
        if again is not None and None not in after and (next_kill is None or again < next_kill.at):
            found[kill.victim.value].append(round(again - kill.at, 2))
    return dict(found)


def _orphans(kill: Kill, taken: Sequence[Taken]) -> set[str]:
    """Give the lanes whose owner died of it; with a supervisor its workers do."""
    if kill.victim is Victim.DATABASE:
        return set()
    owners: dict[str, int] = {}
    for each in taken:
        if each.at <= kill.at:
            owners = {lane: owner for lane, owner in owners.items() if owner != each.process}
            owners |= dict.fromkeys(each.lanes, each.process)
    return {lane for lane, owner in owners.items() if owner in _dead(kill)}


def _dead(kill: Kill) -> frozenset[int]:
    return kill.family | {kill.process}


def _again(lane: str, kill: Kill, taken: Sequence[Taken]) -> float | None:
    return next(
        (each.at for each in taken if each.at > kill.at and each.process not in _dead(kill) and lane in each.lanes),
        None,
    )


def _taken(log: Path) -> Iterator[Taken]:
    for line in log.read_bytes().splitlines():
        try:
            said = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(said, dict) and said.get("event") == "lanes changed":
            at = datetime.fromisoformat(said["timestamp"]).timestamp()
            yield Taken(at=at, process=int(said["owner"].partition("-")[0]), lanes=frozenset(said["lanes"]))
