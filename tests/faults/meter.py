"""Meters tell what services have carried, until they are heard; some call a service by a name that nobody knows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from adapters.tmf.tmf630 import write_time
from tests.faults.telling import Until

NAME: Final = "meter"
BASE: Final = "/tmf-api/usageManagement/v4"
UNKNOWN: Final = "circuit that nobody knows"
_UNKNOWN: Final = 0.1
"""of all records."""
_PAUSES: Final = (0.05, 0.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """A record that the gateway has heard of."""

    usage: str
    """the gateway's id of it."""
    external_id: str
    service: str | None
    """None: of a name that nobody knows."""
    octets: int
    start: int
    end: int


@dataclass(slots=True, kw_only=True)
class Meter:
    """One thread of a meter's work."""

    telling: Until
    services: Sequence[str]
    chance: Random
    first: int
    metered: list[Metered] = field(default_factory=list)

    async def work(self, over: asyncio.Event) -> None:
        """Tell one record after the other until it is over; the last is told to its end."""
        while not over.is_set():
            await self._one()
            await asyncio.sleep(self.chance.uniform(*_PAUSES))

    async def _one(self) -> None:
        service = None if self.chance.random() < _UNKNOWN else self.chance.choice(self.services)
        external_id = f"CDR-{self.first + len(self.metered)}"
        end = time.time_ns() // 1_000_000 - self.chance.randrange(86_400_000)
        start, octets = end - 3_600_000, self.chance.randrange(2**50)
        characteristics = {
            "sourceSystemId": NAME,
            "externalId": external_id,
            "service": service or UNKNOWN,
            "startDateTime": write_time(start),
            "endDateTime": write_time(end),
            "octets": str(octets),
            "mbps": 100,
        }
        body = {
            "usageSpecification": {"id": "bandwidthInterval"},
            "usageCharacteristic": [{"name": name, "value": value} for name, value in characteristics.items()],
        }
        told = (await self.telling.ask("POST", f"{BASE}/usage", json=body)).json()
        self.metered.append(
            Metered(usage=told["id"], external_id=external_id, service=service, octets=octets, start=start, end=end)
        )
