"""Our side of a proof is what is served in earnest: the command that loads, the command that serves, and HTTP.

`Ours` asks as an operator or as a customer, by GraphQL, and lets things break by TMF642.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from pydantic import SecretStr

from adapters.simulator.fault_management.fault_management import FaultManagement, reporting
from gateway.auth.minting import LocalIssuer, local_issuer
from tests.faults.processes import TOP, Gateway, free_port

SOURCE: Final = "nms"
TOPOLOGY: Final = "sndlib/abilene"
SCALE: Final = 1_500
_UP_SECONDS: Final = 300.0
_SECONDS: Final = 30.0
_SERVICES: Final = """
{ services(first: 100) { nodes {
  id customer { id } sla { tier } route { path trunk { id } }
} } }
"""
_IMPACT: Final = "query ($of: [ID!]!) { impact(of: $of) { totalServices } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """A service with two ways, each of one trunk that can fail for itself."""

    service: str
    customer: str
    other: str
    """a customer that has nothing to do with it."""
    working: str
    protecting: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our gateway, and who asks it."""

    address: str
    issuer: LocalIssuer
    client: httpx.AsyncClient
    faults: FaultManagement
    gateway: Gateway

    async def as_operator(self, text: str, variables: Mapping[str, Any] | None = None) -> Any:
        """Ask, and give the data."""
        return await self._asked(self.issuer.token(subject="ann", role="operator"), text, variables)

    async def as_customer(self, customer: str, text: str, variables: Mapping[str, Any] | None = None) -> Any:
        """Ask as one customer."""
        token = self.issuer.token(subject=customer, role="customer", customers=(customer,))
        return await self._asked(token, text, variables)

    async def breaks(self, target: str, number: int) -> str:
        """Let something break; gives the alarm's id."""
        return (await self.faults.raise_alarm(target, number=number, deadline=time.monotonic() + _SECONDS)).id

    async def is_mended(self, number: int) -> None:
        """Let it work again."""
        await self.faults.clear_alarm(f"FM-{number:08d}", deadline=time.monotonic() + _SECONDS)

    async def protected_service(self) -> Protected:
        """Find a PREMIUM service whose two ways each fail by a trunk that takes few others along."""
        services = (await self.as_operator(_SERVICES))["services"]["nodes"]
        found = [each for each in services if each["sla"]["tier"] == "PREMIUM" and len(_ways(each)) == 2]
        sizes: dict[str, int] = {}
        for trunk in sorted({one for each in found for way in _ways(each).values() for one in way}):
            sizes[trunk] = (await self.as_operator(_IMPACT, {"of": [trunk]}))["impact"]["totalServices"]
        chosen = min(found, key=lambda each: sum(min(sizes[one] for one in way) for way in _ways(each).values()))
        ways = {name: min(way, key=sizes.__getitem__) for name, way in _ways(chosen).items()}
        mine = chosen["customer"]["id"]
        return Protected(
            service=chosen["id"],
            customer=mine,
            other=next(each["customer"]["id"] for each in services if each["customer"]["id"] != mine),
            working=ways["WORKING"],
            protecting=ways["PROTECTING"],
        )

    async def _asked(self, token: str, text: str, variables: Mapping[str, Any] | None) -> Any:
        body = {"query": text, "variables": dict(variables or {})}
        answer = await self.client.post("/graphql", json=body, headers={"Authorization": f"Bearer {token}"})
        told = answer.json()
        assert "errors" not in told, f"the gateway answered {told}"
        return told["data"]


@asynccontextmanager
async def ours(directory: Path, sections: Mapping[str, Mapping[str, Any]]) -> AsyncIterator[Ours]:
    """Load a network, and serve it with these sections of the settings (`ticketing`, ...) while the block runs."""
    issuer, port = local_issuer(directory / "issuer.json"), free_port()
    environment = _environment(directory, issuer, port, sections)
    await asyncio.to_thread(_load, environment)
    address = f"http://127.0.0.1:{port}"
    gateway = Gateway(
        address=address, environment=environment, directory=directory / "store", log=directory / "gateway.log"
    )
    gateway.begin()
    try:
        await gateway.until_ready(_UP_SECONDS)
        async with AsyncExitStack() as stack:
            token = SecretStr(issuer.token(subject=SOURCE, role=f"system:{SOURCE}"))
            base = f"{address}/tmf-api/alarmManagement/v4"
            faults = await stack.enter_async_context(reporting(base, token, source=SOURCE))
            client = await stack.enter_async_context(httpx.AsyncClient(base_url=address, timeout=_SECONDS))
            yield Ours(address=address, issuer=issuer, client=client, faults=faults, gateway=gateway)
    finally:
        left = await gateway.end()
    assert left == [], f"processes of the gateway had to be killed: {left}"


def _load(environment: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "gateway", "load", "--topology", TOPOLOGY, "--scale", str(SCALE)]
    done = subprocess.run(command, cwd=TOP, env=dict(environment), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _environment(
    directory: Path, issuer: LocalIssuer, port: int, sections: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    return {
        **kept,
        "TRUNKLINE_STORE": f"embedded:{directory / 'store'}",
        "TRUNKLINE_STORE_HEAP_MEGABYTES": "512",
        "TRUNKLINE_LISTEN": f"127.0.0.1:{port}",
        "TRUNKLINE_ISSUERS": json.dumps([issuer.settings().model_dump(mode="json")]),
        "TRUNKLINE_SYSTEMS": json.dumps({SOURCE: {"sources": [SOURCE]}}),
        **{f"TRUNKLINE_{name.upper()}": json.dumps(section) for name, section in sections.items()},
    }


def _ways(service: Mapping[str, Any]) -> dict[str, list[str]]:
    """Give the trunks of each way; of one that both ways share, none."""
    ways: dict[str, list[str]] = {}
    for hop in service["route"]:
        ways.setdefault(hop["path"], []).append(hop["trunk"]["id"])
    return ways
