"""The provider's other systems: each a process of its own that misbehaves by chance, behind a network that does so too."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import urljoin

import httpx
import orjson

from tests.faults.processes import started
from tests.faults.wire import Wire, wired

TICKETING: Final = "ticketing"
FAULT_MANAGEMENT: Final = "fault-management"
BILLING: Final = "billing"
INVENTORY: Final = "inventory"
NAMES: Final = (TICKETING, FAULT_MANAGEMENT, BILLING, INVENTORY)
"""What deliveries call each, and what its stand-in is called."""

REQUEST_SECONDS: Final = 2.0
PROCESSING_SECONDS: Final = 4.0
_POLL_SECONDS: Final = 5.0
_SLOW_SECONDS: Final = (0.1, 2.6)
"""within the processing time, and not always within that of a request."""
_BAD: Final = ("slow", "silent", "truncated", "error", "unavailable", "down")
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
        async with httpx.AsyncClient(timeout=30) as client:
            (await client.put(self.faults, json=list(rules))).raise_for_status()

    async def listed(self, path: str) -> list[dict[str, Any]]:
        """Give all that it lists at a path of its API, as it shows them."""
        found: list[dict[str, Any]] = []
        async with httpx.AsyncClient(timeout=60) as client:
            while True:
                query = {"offset": len(found), "limit": _PAGE}
                page = (await client.get(f"{self.address}/{path}", params=query)).raise_for_status().json()
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
        for name, each in self.stand_ins.items():
            await each.misbehave(_rules(chance))
            self.wires[name].trouble(chance.choice((0.0, 0.02, 0.08)), chance.randrange(1_000_000))

    async def behave(self) -> None:
        """Misbehave no more."""
        for name, each in self.stand_ins.items():
            await each.misbehave(())
            self.wires[name].trouble(0.0, 0)

    @property
    def settings(self) -> dict[str, str]:
        """Give the settings by which a gateway reaches them."""
        common = {"request_seconds": REQUEST_SECONDS, "processing_seconds": PROCESSING_SECONDS}
        looked_at = {**common, "poll_seconds": _POLL_SECONDS}
        sections = {TICKETING: looked_at, FAULT_MANAGEMENT: looked_at, BILLING: common, INVENTORY: common}
        return {
            f"TRUNKLINE_{name.upper().replace('-', '_')}": json.dumps(
                {"name": name, "address": self.wires[name].address, **section}
            )
            for name, section in sections.items()
        }


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


def at_the_top(stand_in: StandIn, path: str) -> str:
    """Give the address of what lies outside of the API."""
    return urljoin(stand_in.address, path)
