"""Every dialect keeps the same contract; what differs between the systems behind them is only what people do there.

A `Desk` is a ticketing system with its client and the people who work there, each by the system's own API. Stand-ins are always
there; a real Request Tracker is when the environment says where (`TRUNKLINE_TEST_RT`: its address, the file with our token,
the file with that of a person, with blanks between), which the proof does that has laid one out.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import httpx
from pydantic import SecretStr

from adapters.simulator.faults import Faults
from adapters.simulator.manners import POLITE, Manners
from adapters.simulator.ticketing.request_tracker import RequestTracker, serving_rt
from adapters.simulator.ticketing.ticketing import TicketingSystem, serving
from adapters.ticketing import Ticketing
from adapters.ticketing.outbound.rt import Rt
from adapters.ticketing.outbound.rt_resource import RtDesk
from adapters.ticketing.outbound.tmf621 import Tmf621
from adapters.transport.credentials import Token, fixed
from adapters.transport.transport import System, opened

LAID_OUT: Final = RtDesk(queue="Customers", key_field="Order key", service_field="Service")
USERS: Final = {"our-token": "trunkline", "her-token": "grace"}


class Desk(Protocol):
    """A ticketing system."""

    ticketing: Ticketing
    faults: Faults | None
    """None for a system that is real."""
    settable: Mapping[str, str]
    """what a person can set there, by TMF621's word for it."""
    final: tuple[str, ...]
    """those of them after which a ticket is not changed any more."""

    def keys(self) -> list[str]:
        """The order keys of all tickets there, in the order in which they were opened."""
        ...

    async def set_status(self, their_id: str, status: str) -> None:
        """Set a status, given as TMF621's word, as a person would."""
        ...

    async def write(self, their_id: str, text: str) -> None:
        """Write something for the customer, as Grace."""
        ...

    async def report(self, *services: str) -> str:
        """Open a ticket about services, as a person would; gives its id."""
        ...


class TmfDesk:
    settable: Mapping[str, str] = {
        each: each
        for each in ("acknowledged", "rejected", "pending", "held", "inProgress", "cancelled", "closed", "resolved")
    }
    final: tuple[str, ...] = ("closed", "cancelled")

    faults: Faults | None

    def __init__(self, system: TicketingSystem, ticketing: Ticketing, person: httpx.AsyncClient) -> None:
        self.ticketing, self.faults = ticketing, system.faults
        self._system, self._person = system, person

    def keys(self) -> list[str]:
        return [str(each.get("externalId")) for each in self._system.tickets.all()]

    async def set_status(self, their_id: str, status: str) -> None:
        await self._patch(their_id, status=status)

    async def write(self, their_id: str, text: str) -> None:
        ticket: Any = self._system.tickets.get(their_id)
        await self._patch(their_id, note=[*ticket.get("note", []), {"author": "grace", "text": text}])

    async def report(self, *services: str) -> str:
        entities = [{"id": each, "role": "affected", "@referredType": "Service"} for each in services]
        body = {"description": "It is slow", "severity": "minor", "ticketType": "complaint", "relatedEntity": entities}
        answer = (await self._person.post("/troubleTicket", json=body)).raise_for_status()
        return str(answer.json()["id"])

    async def _patch(self, their_id: str, **change: Any) -> None:
        (await self._person.patch(f"/troubleTicket/{their_id}", json=change)).raise_for_status()


class RtsDesk:
    settable: Mapping[str, str] = {
        "acknowledged": "new",
        "inProgress": "open",
        "pending": "stalled",
        "resolved": "resolved",
        "rejected": "rejected",
        "cancelled": "deleted",
    }
    final: tuple[str, ...] = ("cancelled",)

    faults: Faults | None

    def __init__(self, system: RequestTracker | None, ticketing: Ticketing, person: httpx.AsyncClient) -> None:
        self.ticketing, self.faults = ticketing, system.faults if system else None
        self._system, self._person = system, person

    def keys(self) -> list[str]:
        assert self._system is not None
        kept: Any = [each["CustomFields"] for each in self._system.tickets.tickets.values()]
        return [key for fields in kept for key in fields["Order key"]]

    async def empty(self) -> None:
        """Delete whatever is there: a search does not show it any more."""
        query = {"query": "Queue = 'Customers'", "per_page": "100"}
        while found := (await self._person.get("/tickets", params=query)).raise_for_status().json()["items"]:
            for each in found:
                await self.set_status(each["id"], "cancelled")

    async def set_status(self, their_id: str, status: str) -> None:
        body = {"Status": self.settable[status]}
        (await self._person.put(f"/ticket/{their_id}", json=body)).raise_for_status()

    async def write(self, their_id: str, text: str) -> None:
        body = {"Content": text, "ContentType": "text/plain"}
        (await self._person.post(f"/ticket/{their_id}/correspond", json=body)).raise_for_status()

    async def report(self, *services: str) -> str:
        body = {"Queue": "Customers", "Subject": "It is slow", "CustomFields": {"Service": list(services)}}
        answer = (await self._person.post("/ticket", json=body)).raise_for_status()
        return str(answer.json()["id"])


@asynccontextmanager
async def tmf_desk(
    journal: Path | None = None, *, failures: int = 100, manners: Manners = POLITE
) -> AsyncIterator[Desk]:
    async with (
        serving(journal=journal, manners=manners) as system,
        opened(System(name="ticketing", address=system.address, failures=failures)) as transport,
        httpx.AsyncClient(base_url=system.address) as person,
    ):
        yield TmfDesk(system, Tmf621(transport), person)


def odd_desk(journal: Path | None = None, *, failures: int = 100) -> AbstractAsyncContextManager[Desk]:
    """One that follows the conventions, and is as little like the other as they allow."""
    manners = Manners(counts=True, links=False, most=1, shows_changes=False, tags=False, hub="many")
    return tmf_desk(journal, failures=failures, manners=manners)


@asynccontextmanager
async def rt_desk(journal: Path | None = None, *, failures: int = 100) -> AsyncIterator[Desk]:
    async with (
        serving_rt(journal=journal, users=USERS) as system,
        opened(rt_system(system.address, failures=failures)) as transport,
        httpx.AsyncClient(base_url=system.address, headers={"Authorization": "token her-token"}) as person,
    ):
        yield RtsDesk(system, Rt(transport, LAID_OUT), person)


def rt_system(address: str, *, failures: int = 100) -> System:
    return _system(address, SecretStr("our-token"), failures)


def _system(address: str, token: SecretStr, failures: int) -> System:
    credential = Token(secret=fixed(token), scheme="token")
    return System(name="ticketing", address=address, credential=credential, failures=failures)


@asynccontextmanager
async def real_rt_desk(journal: Path | None = None) -> AsyncIterator[Desk]:  # noqa: ARG001 - a real one keeps none for us
    address, ours, hers = _REAL.split()
    system = _system(address, _token(ours), 100)
    authorization = f"token {_token(hers).get_secret_value()}"
    async with (
        opened(system) as transport,
        httpx.AsyncClient(base_url=address, headers={"Authorization": authorization}, timeout=30) as person,
    ):
        desk = RtsDesk(None, Rt(transport, LAID_OUT), person)
        await desk.empty()
        yield desk


def _token(path: str) -> SecretStr:
    return SecretStr(Path(path).read_text(encoding="utf-8").strip())


_REAL: Final = os.environ.get("TRUNKLINE_TEST_RT", "")
STAND_INS: Final[Mapping[str, Callable[..., AbstractAsyncContextManager[Desk]]]] = {
    "tmf621": tmf_desk,
    "odd-tmf621": odd_desk,
    "rt": rt_desk,
}
DESKS: Final[Mapping[str, Callable[[Path], AbstractAsyncContextManager[Desk]]]] = {
    **STAND_INS,
    **({"real-rt": real_rt_desk} if _REAL else {}),
}
