"""The provider's other systems: each a process of its own that misbehaves by chance, behind a network that does so too."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, get_args
from urllib.parse import urljoin

import httpx
import orjson

from adapters.simulator.provisioning.services import BASE, SERVICE
from gateway.settings.fault_management import AlarmEvent
from tests.faults.bookings import TARIFF
from tests.faults.network import Service
from tests.faults.processes import started
from tests.faults.wire import Wire, wired

TICKETING: Final = "ticketing"
FAULT_MANAGEMENT: Final = "fault-management"
BILLING: Final = "billing"
INVENTORY: Final = "inventory"
PROVISIONING: Final = "provisioning"
PERFORMANCE: Final = "performance"
SALES: Final = "sales"
EVENTS: Final = "events"
"""Where fault management hears what is no alarm."""
NAMES: Final = (TICKETING, FAULT_MANAGEMENT, BILLING, INVENTORY, PROVISIONING, PERFORMANCE, SALES, EVENTS)
"""What the stand-in of each is called; deliveries call them so too."""

REQUEST_SECONDS: Final = 2.0
PROCESSING_SECONDS: Final = 4.0
_POLL_SECONDS: Final = 5.0
_SLOW_SECONDS: Final = (0.1, 2.6)
"""within the processing time, and not always within that of a request."""
_CONFIRM_SECONDS: Final = 8.0
"""after which a change of the network that does not end is given up."""
_BAD: Final = ("slow", "silent", "truncated", "error", "unavailable", "down")
_WAYS: Final[Mapping[str, float]] = {
    "refused": 0.4,
    "late": 0.6,
    "secret": 0.2,
    "fails": 0.4,
    "echoed": 0.3,
    "otherRate": 0.2,
    "endless": 0.1,
}
"""What the network may make of the next changes of a rate instead of doing it, and how likely that is ordered between two kills."""
_LATE_SECONDS: Final = (0.1, 2.0)
_CHANGES: Final = "/simulator/changes"
_CONTROL_SECONDS: Final = 300.0
"""in which a stand-in does what it is told, on a machine that does much else."""
_PAGE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """One of them."""

    name: str
    address: str
    """of its API."""
    faults: str
    journal: Path
    process: subprocess.Popen[bytes]

    async def misbehave(self, rules: Sequence[Mapping[str, object]]) -> None:
        """Misbehave by these rules from now on; none: behave."""
        async with httpx.AsyncClient(timeout=_CONTROL_SECONDS) as client:
            (await client.put(self.faults, json=list(rules))).raise_for_status()

    async def change(self, ways: Sequence[Mapping[str, object]]) -> None:
        """Of a network: let this become of the next changes; none: they are made."""
        async with httpx.AsyncClient(timeout=_CONTROL_SECONDS) as client:
            (await client.put(at_the_top(self, _CHANGES), json=list(ways))).raise_for_status()

    async def listed(self, path: str) -> list[dict[str, Any]]:
        """Give all that it lists at a path of its API, or at one from the top (`/...`), as it shows them."""
        found: list[dict[str, Any]] = []
        async with httpx.AsyncClient(timeout=_CONTROL_SECONDS) as client:
            while True:
                query = {"offset": len(found), "limit": _PAGE}
                page = (await client.get(urljoin(f"{self.address}/", path), params=query)).raise_for_status().json()
                found += page
                if not page:
                    return found

    def end(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        for each in (self.process.stdin, self.process.stdout):
            if each is not None:
                each.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Systems:
    """All of them, and the way to each."""

    stand_ins: Mapping[str, StandIn]
    wires: Mapping[str, Wire]

    async def misbehave(self, chance: Random) -> None:
        """Misbehave for a while, each in its own way."""
        await self._change_network(_ways(chance))
        for name, each in self.stand_ins.items():
            await each.misbehave(_rules(chance))
            self.wires[name].trouble(chance.choice((0.0, 0.02, 0.08)), chance.randrange(1_000_000))

    async def behave(self) -> None:
        """Misbehave no more."""
        for name, each in self.stand_ins.items():
            await each.misbehave(())
            self.wires[name].trouble(0.0, 0)
        await self._change_network(())

    async def _change_network(self, ways: Sequence[Mapping[str, object]]) -> None:
        network = self.stand_ins[PROVISIONING]
        await network.misbehave(())  # it is told over the same address
        await network.change(ways)

    @property
    def settings(self) -> dict[str, str]:
        """Give the settings by which a gateway reaches them."""
        common = {"request_seconds": REQUEST_SECONDS, "processing_seconds": PROCESSING_SECONDS}
        looked_at = {**common, "poll_seconds": _POLL_SECONDS}
        heard = {"events": [*get_args(AlarmEvent), "ServiceRateChanged"], "events_address": self.wires[EVENTS].address}
        sections: dict[str, dict[str, object]] = {
            TICKETING: {**looked_at},
            FAULT_MANAGEMENT: {**looked_at, **heard},
            BILLING: {**common},
            INVENTORY: {**common},
            PROVISIONING: {**common, "confirm_seconds": _CONFIRM_SECONDS},
            PERFORMANCE: {**common},
            SALES: {**looked_at},
        }
        systems = {
            f"TRUNKLINE_{name.upper().replace('-', '_')}": json.dumps(
                {"name": name, "address": self.wires[name].address, **section}
            )
            for name, section in sections.items()
        }
        sold = {"tariffs": {"any": TARIFF}, "quotes_per_minute": 10_000, "notice_seconds": 1, "late_seconds": 900}
        return {**systems, "TRUNKLINE_BANDWIDTH": json.dumps(sold)}


@asynccontextmanager
async def systems(directory: Path, states: Mapping[str, Sequence[Mapping[str, object]]]) -> AsyncIterator[Systems]:
    """Run all of them while the block runs; `states` is what some of them know from an earlier life."""
    async with AsyncExitStack() as stack:
        stand_ins, wires = {}, {}
        for name in NAMES:
            stand_ins[name] = _stand_in(name, directory, states.get(name, ()))
            stack.callback(stand_ins[name].end)
            wires[name] = await stack.enter_async_context(wired(stand_ins[name].address))
        yield Systems(stand_ins=stand_ins, wires=wires)


def _stand_in(name: str, directory: Path, state: Sequence[Mapping[str, object]]) -> StandIn:
    journal, kept = directory / f"{name}-journal.jsonl", directory / f"{name}.jsonl"
    kept.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in state))
    command = [sys.executable, "-m", "adapters.simulator", name, "--leash"]
    files = ["--journal", str(journal), "--state", str(kept)]
    process = started([*command, *files], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = orjson.loads(process.stdout.readline())
    return StandIn(name=name, address=said["address"], faults=said["faults"], journal=journal, process=process)


def states_of(services: Iterable[Service]) -> dict[str, list[Mapping[str, object]]]:
    """Give what network and inventory know of services that may be boosted, under our ids, before anything happens."""
    known = [_laid_out(each) for each in services]
    return {
        PROVISIONING: [{"kind": "service", "value": each} for each in known],
        INVENTORY: [{"service": each} for each in known],
    }


def _laid_out(service: Service) -> dict[str, object]:
    rate = {"name": "bandwidth", "valueType": "integer", "value": service.committed}
    return {
        "id": service.id,
        "href": f"{BASE}/{SERVICE}/{service.id}",
        "state": "active",
        "serviceSpecification": {"id": "line"},
        "serviceCharacteristic": [rate],
    }


def _rules(chance: Random) -> list[dict[str, object]]:
    """Draw how one of them misbehaves for a while."""
    kinds = chance.sample(_BAD, chance.randint(1, 3))
    return [
        {
            "kind": kind,
            "probability": chance.uniform(0.02, 0.15),
            "seconds": round(chance.uniform(*_SLOW_SECONDS), 2) if kind == "slow" else 0.0,
            "seed": chance.randrange(1_000_000),
        }
        for kind in kinds
    ]


def _ways(chance: Random) -> list[dict[str, object]]:
    """Draw what the network makes of the next changes; those of a way come one after the other."""
    ways = [each for each, likely in _WAYS.items() if chance.random() < likely]
    chance.shuffle(ways)
    return [
        {"way": each, "times": chance.randint(1, 2), "seconds": round(chance.uniform(*_LATE_SECONDS), 2)}
        for each in ways
    ]


def at_the_top(stand_in: StandIn, path: str) -> str:
    """Give the address of what lies outside of the API."""
    return urljoin(stand_in.address, path)
