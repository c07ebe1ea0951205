"""Customers who book more bandwidth for some seconds, let it last longer, and give it back, all of it through GraphQL.

Seconds stand for hours. The services that they book for run over one trunk that has not room for all of them at once, so that
some are refused. What each was told of its boosts is remembered: that is what must be true in the end.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final, TypeAlias

from adapters.tmf.tmf630 import read_time, write_time
from tests.faults.network import Network, Service
from tests.faults.telling import Until

SERVICES: Final = 8
"""for which somebody books."""
STEP_MBPS: Final = 50
TARIFF: Final[Mapping[str, Any]] = {
    "currency": "EUR",
    "step_mbps": STEP_MBPS,
    "minimum": "1.00",
    "tiers": [{"name": "L", "mbps": 1_000, "per_mbps_hour": "0.02"}],
}
_LASTS_SECONDS: Final = (4.0, 60.0)
"""long enough for some on a machine that does much else, and short enough to end while processes are killed."""
_WAITED_MS: Final = 10_000
"""for a boost to end by itself when all is over; those that last longer are given back."""
_AHEAD_MS: Final = (500, 6_000)
_LONGER_MS: Final = (1_000, 10_000)
_LEFT_MS: Final = 300
"""of a boost, so that it is worth while to change it."""
_AT_ONCE: Final = 2
"""boosts of one service."""
_PAUSES: Final = (0.2, 1.6)
_SHOWN: Final = "boost { id mbps startAt endAt } userErrors { code }"
_BOOK: Final = f"""
mutation Book($key: String!, $service: ID!, $mbps: Int!, $startAt: DateTime, $hours: Float!) {{
  done: boostBandwidth(idempotencyKey: $key, serviceId: $service, mbps: $mbps, startAt: $startAt, hours: $hours) {{ {_SHOWN} }}
}}
"""
_EXTEND: Final = f"""
mutation Extend($key: String!, $boost: ID!, $endAt: DateTime!) {{
  done: extendBoost(idempotencyKey: $key, boostId: $boost, endAt: $endAt) {{ {_SHOWN} }}
}}
"""
_CANCEL: Final = f"""
mutation Cancel($key: String!, $boost: ID!) {{ done: cancelBoost(idempotencyKey: $key, boostId: $boost) {{ {_SHOWN} }} }}
"""
Asking: TypeAlias = Callable[[str], Until]
"""Gives who asks for a customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A boost as its customer was told of it last. Times are epoch milliseconds UTC."""

    boost: str
    service: str
    mbps: int
    start: int
    end: int
    cancelled: bool = False


@dataclass(slots=True, kw_only=True)
class Booker:
    """Somebody who books for one service, and is alone on it."""

    service: Service
    telling: Until
    chance: Random
    tries: int = 0
    booked: dict[str, Booked] = field(default_factory=dict)
    changed: Counter[str] = field(default_factory=Counter)
    """how often each mutation was done."""
    refused: Counter[str] = field(default_factory=Counter)
    """how often something was not, by the code of the reason."""

    async def work(self, over: asyncio.Event) -> None:
        """Do one thing after the other until it is over; the last is done to its end, and what would last long is given back."""
        while not over.is_set():
            await self._one()
            await asyncio.sleep(self.chance.uniform(*_PAUSES))
        for each in self._running(_WAITED_MS):
            await self._cancel(each)

    async def _one(self) -> None:
        running = self._running(_LEFT_MS)
        dice = self.chance.random()
        if not running or (dice < 0.5 and len(running) < _AT_ONCE):
            await self._book()
        elif dice < 0.75:
            chosen = self.chance.choice(running)
            end = write_time(chosen.end + self.chance.randrange(*_LONGER_MS))
            await self._ask("extendBoost", _EXTEND, {"boost": chosen.boost, "endAt": end})
        else:
            await self._cancel(self.chance.choice(running))

    def _running(self, left_ms: int) -> list[Booked]:
        """Give the boosts of which there is more left than that."""
        return [each for each in self.booked.values() if not each.cancelled and each.end > _now() + left_ms]

    async def _cancel(self, chosen: Booked) -> None:
        if await self._ask("cancelBoost", _CANCEL, {"boost": chosen.boost}):
            self.booked[chosen.boost] = replace(self.booked[chosen.boost], cancelled=True)

    async def _book(self) -> None:
        most = self.service.committed
        mbps = self.chance.choice((most, most, max(STEP_MBPS, most // 2 // STEP_MBPS * STEP_MBPS)))
        ahead = None if self.chance.random() < 0.6 else write_time(_now() + self.chance.randrange(*_AHEAD_MS))
        shortest, longest = _LASTS_SECONDS
        hours = shortest * (longest / shortest) ** self.chance.random() / 3_600  # as many short ones as long ones
        wanted = {"service": self.service.id, "mbps": mbps, "startAt": ahead, "hours": hours}
        await self._ask("boostBandwidth", _BOOK, wanted)

    async def _ask(self, name: str, document: str, variables: Mapping[str, Any]) -> bool:
        """Ask until there is an answer, and remember it; tell whether it was done."""
        self.tries += 1
        given = {**variables, "key": f"{self.service.id}-{self.tries}"}
        answer = await self.telling.ask("POST", "/graphql", json={"query": document, "variables": given})
        done = answer.json()["data"]["done"]
        if errors := done["userErrors"]:
            self.refused[errors[0]["code"]] += 1
            return False
        boost = done["boost"]
        start, end = (read_time(boost[each], each) for each in ("startAt", "endAt"))
        self.changed[name] += 1
        self.booked[boost["id"]] = Booked(
            boost=boost["id"], service=self.service.id, mbps=boost["mbps"], start=start, end=end
        )
        return True


def booked_services(network: Network) -> list[Service]:
    """Choose services that run over the trunk which is fullest: the largest of those that somebody uses."""
    over: dict[str, list[Service]] = {}
    for each in network.services.values():
        for trunk in {*each.needs.working, *each.needs.protecting}:
            over.setdefault(trunk, []).append(each)
    fullest = max(sorted(over), key=lambda each: sum(one.committed for one in over[each]) / network.capacity[each])
    used = [each for each in over[fullest] if each.needs.state == "active" and each.committed >= STEP_MBPS]
    return sorted(used, key=lambda each: (-each.committed, each.id))[:SERVICES]


def bookers_of(services: Sequence[Service], asking: Asking, seed: str) -> list[Booker]:
    """Set up one for each service."""
    return [
        Booker(service=each, telling=asking(each.customer), chance=Random(f"{seed} booker {number}"))
        for number, each in enumerate(services)
    ]


def _now() -> int:
    return time.time_ns() // 1_000_000
