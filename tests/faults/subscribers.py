"""Somebody listens all the while, over connections that are cut again and again, and writes down what comes.

A subscriber keeps the last cursor that it was sent, and comes back with it, to whichever replica. It loses its connection by a
kill, by the network between, by a token that expires, and by going away itself after some seconds. It never looks at what it
has heard: whether that is right is for `about_streams.py` to say.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Final

from gateway.auth.minting import LocalIssuer
from graph.compiler.cursor import CursorKey, StreamCursors
from graph.compiler.cursor_key import load_cursor_key
from graph.model.scope import Principal, Role, scope_of
from graph.store.store import Store
from tests.faults.about_streams import expected
from tests.faults.stream_records import Heard, Seen, read_sequence
from tests.faults.transports import Asked, Over, Transport, listened
from tests.faults.wire import Wire

FIELDS: Final[Mapping[str, str]] = {
    "alerts": "kind alarmId services { serviceId effect severity service { id } } alarm { id }",
    "serviceEvents": "kind serviceId service { id }",
    "topologyChanges": "kind resourceId",
    "deliveries": "kind deliveryId",
}
_ABOUT: Final = ("alarmId", "serviceId", "resourceId", "deliveryId")
_WORDS: Final[Mapping[str | None, str | None]] = {
    None: None,
    "DOWN": "down",
    "DEGRADED": "degraded",
    "AT_RISK": "atRisk",
    "CRITICAL": "critical",
    "MAJOR": "major",
    "MINOR": "minor",
    "WARNING": "warning",
}
"""As the ledger has them."""
_STAYS_SECONDS: Final = (0.2, 8.0)
"""on one connection, unless it is cut first."""
_AWAY_SECONDS: Final = (0.05, 1.0)
_SHORT_TOKENS: Final = 0.25
"""of all tokens: they expire while somebody listens,"""
_SHORT_SECONDS: Final = 3
"""after so long, to which belongs a leeway."""
_LEEWAY_SECONDS: Final = 60
_TOKEN_SECONDS: Final = 7_200
_BEGIN_SECONDS: Final = 300.0
_CATCH_UP_SECONDS: Final = 300.0
_LOOK_SECONDS: Final = 0.5
_MORE_SECONDS: Final = 1.0
"""in which what should not come would come."""
_STORE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """An event, as it came."""

    cursor: str
    value: Mapping[str, Any] | None
    """the field's; None: an error came in its place."""
    at: float
    """time.time()."""
    replica: int
    is_live: bool
    """whether the subscriber was there before the event, over a network that troubled nothing."""


@dataclass(slots=True, kw_only=True)
class Subscriber:
    """Somebody who listens."""

    stream: str
    customer: str | None
    transport: Transport
    replicas: Sequence[Wire]
    issuer: LocalIssuer
    chance: Random
    cursor: str | None = None
    first: str = ""
    """the cursor with which it began;"""
    came: list[Came] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    """how often a connection was over, by why."""
    is_calm: bool = False
    """once it goes away no more, and its token lasts."""
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """Say who it is."""
        return f"{self.customer or 'operator'}, {self.stream} by {self.transport}"

    @property
    def principal(self) -> Principal:
        """Give who it is to the gateway."""
        if self.customer is None:
            return Principal(subject=self.name, role=Role.OPERATOR)
        return Principal(subject=self.name, role=Role.CUSTOMER, customers=(self.customer,))

    @property
    def _stays(self) -> bool:
        """Tell whether it stays until it is cut off: at the end, and before it has begun, however long that takes."""
        return self.is_calm or not self.begun.is_set()

    async def work(self) -> None:
        """Listen until cancelled, or until coming back would not help."""
        while True:
            try:
                async with asyncio.timeout(None if self._stays else self.chance.uniform(*_STAYS_SECONDS)):
                    await self._listen()
            except TimeoutError:
                self.ends["went away"] += 1
            except Over as over:
                self.ends[over.reason[:40]] += 1
                self.cursor = over.after or self.cursor
                if not over.again:
                    self.faults.append(f"could not go on: {over.reason}")
                    return
            await asyncio.sleep(self.chance.uniform(*_AWAY_SECONDS))

    async def _listen(self) -> None:
        replica = self.chance.randrange(len(self.replicas))
        wire, since = self.replicas[replica], 0.0
        asked = Asked(document=self._document, token=self._token(), after=self.cursor)
        async with aclosing(listened(self.transport, wire.address, asked)) as saying:
            async for said in saying:
                self.cursor = said.cursor
                now = time.time()
                if not self.begun.is_set():
                    self.first = said.cursor
                    self.begun.set()
                if said.answer is None:
                    since = since or now
                    continue
                value = self._value(said.answer)
                is_live = bool(since) and value is not None and since < _seconds(value) and not wire.probability
                self.came.append(Came(cursor=said.cursor, value=value, at=now, replica=replica, is_live=is_live))

    def _value(self, answer: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if answer.get("errors"):
            self.faults.append(f"was told {answer['errors']}")
        return (answer.get("data") or {}).get(self.stream)

    @property
    def _document(self) -> str:
        return f"subscription ($after: String) {{ {self.stream}(after: $after) {{ at {FIELDS[self.stream]} }} }}"

    def _token(self) -> str:
        is_short = not self._stays and self.chance.random() < _SHORT_TOKENS
        principal = self.principal
        return self.issuer.token(
            subject=principal.subject,
            role=principal.role.value,
            customers=principal.customers,
            seconds=_SHORT_SECONDS - _LEEWAY_SECONDS if is_short else _TOKEN_SECONDS,
        )

    def heard(self, key: CursorKey) -> Heard:
        """Give what it has heard, with its cursors opened."""
        cursors = StreamCursors(key, self.stream, scope_of(self.principal))
        return Heard(
            name=self.name,
            stream=self.stream,
            customer=self.customer,
            after=cursors.open(self.first).position if self.first else 0,
            seen=tuple(_seen(each, cursors) for each in self.came if each.value is not None),
            faults=tuple(self.faults),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """All who listen."""

    subscribers: Sequence[Subscriber]
    group: Sequence[asyncio.Task[None]]

    async def heard(self, store: Store) -> tuple[Heard, ...]:
        """Wait until everybody has heard all that there is, or has had time enough; give what each has heard."""
        for each in self.subscribers:
            each.is_calm = True
        key = CursorKey(await load_cursor_key(store, deadline=time.monotonic() + _STORE_SECONDS))
        happened = await read_sequence(store)
        end = time.monotonic() + _CATCH_UP_SECONDS
        while time.monotonic() < end:
            heard = [each.heard(key) for each in self.subscribers]
            if all(len(each.seen) >= len(expected(each, happened)) for each in heard):
                break
            await asyncio.sleep(_LOOK_SECONDS)
        await asyncio.sleep(_MORE_SECONDS)
        return tuple(each.heard(key) for each in self.subscribers)

    @property
    def ends(self) -> Counter[str]:
        """Count the connections that are over, by why."""
        return sum((each.ends for each in self.subscribers), Counter[str]())

    @property
    def milliseconds(self) -> dict[str, list[int]]:
        """Give how long each event took from when it happened until a client of each replica had it."""
        found: dict[str, list[int]] = {}
        for each in self._live():
            assert each.value is not None
            found.setdefault(str(each.replica), []).append(round((each.at - _seconds(each.value)) * 1_000))
        return {name: sorted(times) for name, times in found.items()}

    def _live(self) -> Iterator[Came]:
        return (each for subscriber in self.subscribers for each in subscriber.came if each.is_live)


@asynccontextmanager
async def audience(
    replicas: Sequence[Wire], issuer: LocalIssuer, customers: Sequence[str], seed: str
) -> AsyncIterator[Audience]:
    """Let an operator and some customers listen to everything while the block runs; it begins when all have begun."""
    who = [(each, customer) for each in FIELDS for customer in (None, *customers) if _hears(each, customer)]
    subscribers = [
        Subscriber(
            stream=each,
            customer=customer,
            transport=transport,
            replicas=replicas,
            issuer=issuer,
            chance=Random(f"{seed} {each} {customer} {transport}"),
        )
        for each, customer in who
        for transport in Transport
    ]
    group = [asyncio.create_task(each.work(), name=each.name) for each in subscribers]
    try:
        async with asyncio.timeout(_BEGIN_SECONDS):
            for each in subscribers:
                await each.begun.wait()
        yield Audience(subscribers=subscribers, group=group)
    finally:
        for task in group:
            task.cancel()
        await asyncio.gather(*group, return_exceptions=True)


def _hears(field_: str, customer: str | None) -> bool:
    return customer is None or field_ != "deliveries"


def _seen(came: Came, cursors: StreamCursors) -> Seen:
    place, value = cursors.open(came.cursor), came.value
    assert value is not None
    return Seen(
        position=place.position,
        at=place.at,
        kind=value["kind"],
        about=next(value[each] for each in _ABOUT if each in value),
        services=frozenset(
            (each["serviceId"], _WORDS[each["effect"]], _WORDS[each["severity"]]) for each in value.get("services", ())
        ),
    )


def _seconds(value: Mapping[str, Any]) -> float:
    """Give when an event happened, as time.time()."""
    return datetime.fromisoformat(value["at"]).timestamp()
