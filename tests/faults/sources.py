"""Things break and are mended all the time, in several places at once, and whoever sees it tells it until it is heard.

Each `Source` is a fault management system of its own; several hands of it work at the same time, each on alarms of its
own: it raises them, says that they got better or worse, clears them, and raises them again. What the gateway has
acknowledged is remembered: that is what must be true in the end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from pydantic import SecretStr

from adapters.simulator.fault_management.fault_management import FaultManagement, Words, reporting, words_of
from tests.faults.network import Network
from tests.naive_effects import says_that_something_failed

NAMES: Final = ("nms-1", "nms-2", "nms-3")
HANDS: Final = 4
BETTER: Final = Words(
    alarm_type="communicationsAlarm", severity="minor", cause="degradedSignal", problem="It works, not well"
)
"""Asserts no failure: an alarm that says so stays open and hurts nobody."""
_TELL_SECONDS: Final = 900.0
"""in which everything must be heard, whatever dies meanwhile: on a busy machine a gateway is hardly up between two kills."""
_PAUSES: Final = (0.05, 0.6)
_OPEN_AT_ONCE: Final = 3
_MOST_HIT: Final = 25
"""services: an alarm that hits half of the network makes everything else wait."""
_HOT: Final = {"trunk": 8, "card": 6, "port": 6, "networkelement": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """An alarm as its source last said it and was heard."""

    source: str
    external_id: str
    target: str
    alarm: str
    """the gateway's id of it."""
    cleared: bool
    words: Words
    ever_asserted: bool
    """whether it ever said that something fails."""

    @property
    def fails(self) -> bool:
        """Tell whether it says now that something fails."""
        return not self.cleared and _asserts(self.words)


@dataclass(slots=True, kw_only=True)
class Hand:
    """One thread of a source's work; it is alone on its alarms."""

    source: str
    manager: FaultManagement
    targets: Sequence[str]
    chance: Random
    first: int
    known: dict[str, Remembered] = field(default_factory=dict)
    acknowledged: int = 0
    """how often the gateway said that it has something."""

    async def work(self, over: asyncio.Event) -> None:
        """Tell one thing after the other until it is over; the last is told to its end."""
        while not over.is_set():
            await self._one()
            await asyncio.sleep(self.chance.uniform(*_PAUSES))

    async def _one(self) -> None:
        open_ones = [each for each in self.known.values() if not each.cleared]
        cleared = [each for each in self.known.values() if each.cleared]
        dice = self.chance.random()
        if not open_ones or (dice < 0.45 and len(open_ones) < _OPEN_AT_ONCE):
            if cleared and self.chance.random() < 0.5:
                await self._raise_again(self.chance.choice(cleared))
            else:
                await self._raise(self.chance.choice(self.targets), len(self.known), None)
        elif dice < 0.6:
            chosen = self.chance.choice(open_ones)
            await self._raise(chosen.target, self._number(chosen), None if chosen.words == BETTER else BETTER)
        else:
            await self._clear(self.chance.choice(open_ones))

    async def _raise_again(self, before: Remembered) -> None:
        await self._raise(before.target, self._number(before), None)

    async def _raise(self, target: str, number: int, words: Words | None) -> None:
        raised = await self.manager.raise_alarm(
            target, number=self.first + number, words=words, deadline=time.monotonic() + _TELL_SECONDS
        )
        said = words or words_of(target)
        before = self.known.get(raised.external_alarm_id)
        self.known[raised.external_alarm_id] = Remembered(
            source=self.source,
            external_id=raised.external_alarm_id,
            target=target,
            alarm=raised.id,
            cleared=False,
            words=said,
            ever_asserted=_asserts(said) or bool(before and before.ever_asserted),
        )
        self.acknowledged += 1

    async def _clear(self, chosen: Remembered) -> None:
        await self.manager.clear_alarm(chosen.external_id, deadline=time.monotonic() + _TELL_SECONDS)
        self.known[chosen.external_id] = replace(chosen, cleared=True)
        self.acknowledged += 1

    def _number(self, known: Remembered) -> int:
        return int(known.external_id.removeprefix("FM-")) - self.first


async def hands_of(
    stack: AsyncExitStack, address: str, tokens: dict[str, SecretStr], network: Network, seed: str
) -> list[Hand]:
    """Set up all sources against the alarm management API at this address."""
    targets = _hot(network, Random(f"targets {seed}"))
    hands: list[Hand] = []
    for name in NAMES:
        manager = await stack.enter_async_context(reporting(address, tokens[name], source=name))
        hands += [
            Hand(
                source=name,
                manager=manager,
                targets=targets,
                chance=Random(f"{seed} {name} {number}"),
                first=1_000 * (number + 1),
            )
            for number in range(HANDS)
        ]
    return hands


def _hot(network: Network, chance: Random) -> list[str]:
    """Choose few things, so that alarms overlap: of those that hit somebody, and not too many."""
    hit: dict[str, list[str]] = {kind: [] for kind in _HOT}
    for target in sorted(network.fails_with):
        kind = target.partition("-")[0]
        if 1 < len(network.hit(target)) <= _MOST_HIT:
            hit[kind].append(target)
    return [each for kind, most in _HOT.items() for each in _some(hit[kind], most, chance)]


def _some(among: Iterable[str], most: int, chance: Random) -> list[str]:
    found = list(among)
    return chance.sample(found, min(most, len(found)))


def _asserts(words: Words) -> bool:
    return says_that_something_failed(words.alarm_type, words.severity)
