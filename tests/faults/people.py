"""Everybody who tells the gateway anything: fault managers, meters, an inventory with its people, customers; and what each remembers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random
from typing import Final, TypeAlias

import httpx
from pydantic import SecretStr

from adapters.fault_management.inbound.alarms import BASE
from gateway.auth.minting import LocalIssuer
from tests.faults import meter
from tests.faults.bookings import Booker, booked_services, bookers_of
from tests.faults.evidence import Told
from tests.faults.meter import Meter
from tests.faults.network import Network
from tests.faults.sources import NAMES, Hand, hands_of
from tests.faults.stock import Sender, Settler, Worker
from tests.faults.systems import INVENTORY, Systems, at_the_top
from tests.faults.telling import Until

_METERS: Final = 4
_SETTLERS: Final = 3
_GRAPHQL: Final = {"Accept": "application/graphql-response+json"}
_SECONDS: Final = 10.0
"""for one attempt."""
_TOKEN_SECONDS: Final = 7_200

Work: TypeAlias = Callable[[asyncio.Event], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """All of them, at work."""

    hands: Sequence[Hand]
    meters: Sequence[Meter]
    sender: Sender
    worker: Worker
    settlers: Sequence[Settler]
    bookers: Sequence[Booker]
    asking: Sequence[Until]
    over: asyncio.Event = field(default_factory=asyncio.Event)
    group: list[asyncio.Task[None]] = field(default_factory=list)

    def begin(self) -> None:
        """Begin to tell."""
        works: list[Work] = [each.work for each in self.hands]
        works += [each.work for each in self.meters]
        works += [each.work for each in self.settlers]
        works += [each.work for each in self.bookers]
        works += [self.sender.work, self.worker.work]
        self.group.extend(asyncio.create_task(_run(each, self.over)) for each in works)

    async def end(self) -> None:
        """Begin nothing new, and wait until all that was begun has been heard; raises what kept it from being."""
        self.over.set()
        await asyncio.gather(*self.group)

    async def drop(self) -> None:
        """Stop at once."""
        for each in self.group:
            each.cancel()
        await asyncio.gather(*self.group, return_exceptions=True)

    async def send(self) -> None:
        """Let the inventory say what it has, and wait until that is compared."""
        await self.sender.send_and_wait()

    @property
    def acknowledged(self) -> int:
        """How often the gateway has said that it has something."""
        return sum(each.acknowledged for each in self.hands) + sum(each.acknowledged for each in self.asking)

    @property
    def repeated(self) -> int:
        """How often something had to be told again."""
        managers = {id(each.manager): each.manager for each in self.hands}
        return sum(each.repeated for each in managers.values()) + sum(each.repeated for each in self.asking)

    @property
    def told(self) -> Told:
        """What must be true in the end."""
        return Told(
            alarms=tuple(each for hand in self.hands for each in hand.known.values()),
            metered=tuple(each for meter in self.meters for each in meter.metered),
            settled=tuple(each for settler in self.settlers for each in settler.settled),
            feeds=tuple(each.rpartition("/")[2] for each in self.sender.feeds),
            booked=tuple(each for booker in self.bookers for each in booker.booked.values()),
        )


async def people(
    stack: AsyncExitStack, gateway: str, issuer: LocalIssuer, systems: Systems, network: Network, seed: str
) -> People:
    """Set everybody up against the gateway at this address, each with a token of its own."""

    async def asking(address: str, role: str | None, *customers: str) -> Until:
        headers = dict(_GRAPHQL)
        if role:
            may = {"customers": customers, "changes": ("boostBandwidth",)} if customers else {}
            token = issuer.token(subject=":".join((role, *customers)), role=role, seconds=_TOKEN_SECONDS, **may)
            headers["Authorization"] = f"Bearer {token}"
        client = httpx.AsyncClient(base_url=address, headers=headers, timeout=_SECONDS)
        return Until(client=await stack.enter_async_context(client))

    measured = await asking(gateway, f"system:{meter.NAME}")
    feeding = await asking(gateway, f"system:{INVENTORY}")
    operating = await asking(gateway, "operator")
    inventory = await asking(at_the_top(systems.stand_ins[INVENTORY], "/"), None)
    tokens = {
        name: SecretStr(issuer.token(subject=name, role=f"system:{name}", seconds=_TOKEN_SECONDS)) for name in NAMES
    }
    services = sorted(network.services)
    booked = booked_services(network)
    by_customer = {each: await asking(gateway, "customer", each) for each in sorted({each.customer for each in booked})}
    return People(
        hands=await hands_of(stack, f"{gateway}{BASE}", tokens, network, seed),
        meters=[
            Meter(telling=measured, services=services, chance=Random(f"{seed} meter {each}"), first=10_000 * each)
            for each in range(_METERS)
        ],
        sender=Sender(gateway=feeding, inventory=inventory, chance=Random(f"{seed} sender")),
        worker=Worker(inventory=inventory, chance=Random(f"{seed} worker")),
        settlers=[
            Settler(name=f"settler-{each}", gateway=operating, chance=Random(f"{seed} settler {each}"))
            for each in range(_SETTLERS)
        ],
        bookers=bookers_of(booked, by_customer.__getitem__, seed),
        asking=(measured, feeding, operating, *by_customer.values()),
    )


async def _run(work: Work, over: asyncio.Event) -> None:
    await work(over)
