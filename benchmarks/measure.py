"""One row of figures: rounds of blocks, a block for each contestant, in a new order every time.

A contestant whose blocks take many times as long as were asked for, because a single answer does, takes part in every
third round only; its figures say how many blocks they rest on.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.agreement import Ready
from benchmarks.asking import Client
from benchmarks.cases import Case
from benchmarks.client import Load
from benchmarks.contestants import OURS
from benchmarks.databases import Database
from benchmarks.figures import Block, Figures, Ratios, figures, ratios

_SLOW: Final = 6
"""times the asked length of a block."""
_SELDOM: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long and how often."""

    blocks: int
    seconds: float
    """of one block."""
    connections: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One row."""

    case: Case
    store: str
    version: str
    connections: int
    length: int
    """of our answer, in bytes."""
    contestants: Mapping[str, Figures]
    ours_over: Mapping[str, Ratios]
    """by the reference's name."""


def measure(case: Case, database: Database, ready: Sequence[Ready], client: Client, plan: Plan) -> list[Measured]:
    """Measure a case with each number of connections."""
    return [_row(case, database, ready, client, (connections, plan)) for connections in plan.connections]


def _row(case: Case, database: Database, ready: Sequence[Ready], client: Client, how: tuple[int, Plan]) -> Measured:
    connections, plan = how
    loads = {each.server.name: _load(each, connections, plan.seconds) for each in ready}
    warm = {each.server.name: client.block(loads[each.server.name], each.server.pid) for each in ready}
    seldom = {name for name, block in warm.items() if block.seconds > _SLOW * plan.seconds}
    rounds: list[dict[str, Block]] = []
    for number in range(plan.blocks):
        taking_part = [each for each in ready if each.server.name not in seldom or number % _SELDOM == 0]
        random.shuffle(taking_part)
        rounds.append(
            {each.server.name: client.block(loads[each.server.name], each.server.pid) for each in taking_part}
        )
    return Measured(
        case=case,
        store=database.product,
        version=database.version,
        connections=connections,
        length=next(each.length for each in ready if each.server.name == OURS),
        contestants={each.server.name: _figures(rounds, each) for each in ready},
        ours_over={each.server.name: _ratios(rounds, each.server.name) for each in ready if each.server.name != OURS},
    )


def _load(ready: Ready, connections: int, seconds: float) -> Load:
    requests = [each.decode() for each in ready.question.wires(connections)]
    return Load(port=ready.server.port, requests=requests, length=ready.length, seconds=seconds)


def _figures(rounds: Sequence[Mapping[str, Block]], ready: Ready) -> Figures:
    return figures([each[ready.server.name] for each in rounds if ready.server.name in each], ready.first_ms)


def _ratios(rounds: Sequence[Mapping[str, Block]], name: str) -> Ratios:
    return ratios([(each[OURS], each[name]) for each in rounds if name in each])
