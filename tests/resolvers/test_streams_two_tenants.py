"""Nobody can tell from a stream what happens to others: not by an event, not by a cursor, live or replayed."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Final

import orjson
import pytest

from graph.changes.events import Event, append
from graph.compiler.cursor import CursorKey, Place, StreamCursors
from graph.ledger import reader
from graph.model.model import LABELS
from graph.model.scope import scope_of
from graph.model.streams import StreamEvent
from graph.store.store import Store, Transaction
from resolvers.knowledge.streams import STREAMS
from tests.graph.changes.network import Laid, lay, report, soon
from tests.resolvers.caller import KEY
from tests.resolvers.streaming import SECONDS, A, B, Process, Stream, beat, nothing_more, process, taken

SELECTIONS: Final[Mapping[str, str]] = {
    "alerts": "kind cursor alarmId severity totalServices alarm { id state affects { totalCount } tickets { totalCount } } "
    "services { serviceId effect effectBefore service { id effect affectedBy { totalCount } } } tickets { id }",
    "serviceEvents": "kind cursor serviceId effect service { id name effect } downtime { id }",
    "boostEvents": "kind cursor boostId mbps startAt endAt status reason boost { id mbps } serviceId service { id }",
    "orderEvents": "kind cursor orderId state stateBefore reason order { id state customer { id } } cancellation { id }",
    "topologyChanges": "kind cursor resourceId resourceType resource { __typename }",
}
HEARD: Final = {"alerts": 6, "serviceEvents": 8, "boostEvents": 3, "orderEvents": 3, "topologyChanges": 3}
_CHANCE: Final = re.compile(
    rf"({'|'.join(each.id_prefix for each in LABELS.values() if each.id_prefix)})[0-9a-f-]{{36}}"
)


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    """The network, laid."""
    await lay(empty_store)
    return Laid(store=empty_store)


async def moved(laid: Laid, resource: str, *customers: str) -> None:
    """Change a state of a resource, as an inventory does, for whoever runs over it."""
    number = next(_NUMBERS)
    event = Event(
        type="ResourceStateChanged",
        aggregate_id=resource,
        aggregate_version=number,
        at=1_700_000_000_000 + number,
        principal="tests",
        payload={},
        customers=customers,
    )

    async def work(transaction: Transaction) -> None:
        append(transaction, event)

    await laid.store.write(work, deadline=soon())


async def boosted(laid: Laid, service: str, customer: str) -> None:
    """Let somebody's boost be booked."""
    number = next(_NUMBERS)
    boost = f"boost-0199e2a5-7c33-7b60-9f3e-{number:012x}"
    start = 1_700_000_000_000 if customer == "customer-a" else 1_700_000_000_000 + number
    values = {"mbps": 500, "startAt": start, "endAt": start + 7_200_000, "status": "SCHEDULED"}
    priced = {**values, "price": 1_000, "currency": "EUR"}
    text = "MATCH (s:Service {id: $service}) CREATE (b:Boost {id: $boost})-[:BOOSTS]->(s) SET b += $values"
    await laid.run(text, service=service, boost=boost, values=priced)
    event = Event(
        type="BoostScheduled",
        aggregate_id=service,
        aggregate_version=number,
        at=1_700_000_000_000 + number,
        principal="tests",
        payload={"boost": boost, "service": service, "customer": customer, "reason": None, **values},
        customers=(customer,),
    )

    async def work(transaction: Transaction) -> None:
        append(transaction, event)

    await laid.store.write(work, deadline=soon())


async def ordered(laid: Laid, customer: str) -> None:
    """Let somebody's order come in."""
    number = next(_NUMBERS)
    order = f"order-0199e2a5-7c33-7b60-9f3e-{number:012x}"
    text = "MATCH (c:Customer {id: $customer}) CREATE (o:Order {id: $order})-[:PLACED_BY]->(c) SET o += $values"
    values = {"externalId": "PO-1", "system": "crm", "state": "acknowledged", "kind": "product"}
    await laid.run(text, customer=customer, order=order, values=values)
    event = Event(
        type="OrderPlaced",
        aggregate_id=order,
        aggregate_version=1,
        at=1_700_000_000_000 + number,
        principal="tests",
        payload={
            "order": order,
            "stateBefore": None,
            "customer": customer,
            "items": {},
            "newCustomer": False,
            **values,
        },
        customers=(customer,),
    )

    async def work(transaction: Transaction) -> None:
        append(transaction, event)

    await laid.store.write(work, deadline=soon())


_NUMBERS: Final = itertools.count(1)


async def of_others(laid: Laid, *, happens: bool) -> None:
    """Let things happen to customer-b alone."""
    if not happens:
        return
    alarm = await laid.raise_(report("port-b", next(_NUMBERS)))
    await moved(laid, "port-b", "customer-b")
    await boosted(laid, "service-b", "customer-b")
    await ordered(laid, "customer-b")
    await laid.clear(alarm, key=alarm)


async def story(laid: Laid, *, others: bool) -> None:
    """Let alarms come and go on what customer-a has, alone and with others, and states change; more happens to `others`."""
    raised = []
    for target in ("card-1", "trunk-2", "port-a"):
        await of_others(laid, happens=others)
        raised.append(await laid.raise_(report(target, next(_NUMBERS))))
        await moved(laid, "port-a", "customer-a")
        await boosted(laid, "service-a", "customer-a")
        await ordered(laid, "customer-a")
    for each in raised:
        await of_others(laid, happens=others)
        await laid.clear(each, key=each)
    await of_others(laid, happens=others)


def document(stream: str) -> str:
    return f"subscription {{ {stream} {{ {SELECTIONS[stream]} }} }}"


async def heard(laid: Laid, here: Process, *, others: bool) -> dict[str, list[StreamEvent]]:
    """Give what customer-a hears of it live, by stream, and see that a replay brings the same, to the byte."""
    async with AsyncExitStack() as stack:
        streams = {
            each: await stack.enter_async_context(aclosing(await here.stream(document(each), A))) for each in SELECTIONS
        }
        begun = {each: (await beat(stream)).cursor for each, stream in streams.items()}
        await story(laid, others=others)
        live = {each: await taken(stream, HEARD[each]) for each, stream in streams.items()}
        for stream in streams.values():
            await nothing_more(stream, 0.2)
    for each, events in live.items():
        async with aclosing(await here.stream(document(each), A, after=begun[each])) as stream:
            replayed = await taken(stream, HEARD[each])
            assert [each.cursor for each in replayed] == [each.cursor for each in events]
            await nothing_more(stream, 0.2)
    return live


def normal(events: list[StreamEvent]) -> list[bytes]:
    """Give the bytes of events; of cursors, times and ids that are made of chance only their length and their order."""
    ids: dict[str, str] = {}
    return [_written(each, ids) for each in events]


def _written(event: StreamEvent, ids: dict[str, str]) -> bytes:
    text = orjson.dumps(event.answer).decode().replace(event.cursor, f"a cursor of {len(event.cursor)}")
    return _CHANCE.sub(lambda found: ids.setdefault(found[0], f"id {len(ids)}"), text).encode()


async def test_a_stream_is_the_same_to_the_byte_with_and_without_what_happens_to_others(laid: Laid) -> None:
    async with process(laid.store) as here:
        alone = await heard(laid, here, others=False)
        beside = await heard(laid, here, others=True)
    assert {name: normal(events) for name, events in alone.items()} == {
        name: normal(events) for name, events in beside.items()
    }


async def test_the_stream_of_deliveries_is_no_customers(laid: Laid) -> None:
    assert SELECTIONS.keys() | {"deliveries"} == STREAMS.keys(), "whatever is new is to be compared too"
    async with (
        process(laid.store) as here,
        aclosing(await here.stream("subscription { deliveries { kind } }", A)) as mine,
    ):
        await beat(mine)
        await nothing_more(mine, 0.2)


async def test_heartbeats_say_nothing_of_how_much_happens_to_others(
    laid: Laid, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each look at the sequence it is another text, of the same length, whether the sequence went on or not."""
    monkeypatch.setattr(reader, "BEAT_SECONDS", 0.1)
    async with process(laid.store) as here, aclosing(await here.stream(document("alerts"), A)) as stream:
        quiet = await texts_of(stream, 3)
        await of_others(laid, happens=True)
        busy = await texts_of(stream, 3)
    assert len(quiet & busy) <= 1, "the last before may be the first after, where nobody had looked yet"
    assert len({len(each) for each in quiet | busy}) == 1


async def texts_of(stream: Stream, count: int) -> set[str]:
    """Take heartbeats until so many have differed: on a busy machine there may be two between two looks."""
    seen: set[str] = set()
    async with asyncio.timeout(SECONDS):
        while len(seen) < count:
            seen.add((await beat(stream)).cursor)
    return seen


def places() -> Iterator[Place]:
    for position in (0, 9, 10**6, 10**12):
        for mark in ("", "8a3f51c2d9e4"):
            yield Place(position=position, at=1_700_000_000_000, mark=mark)


def test_a_cursor_has_one_length_however_much_has_happened() -> None:
    cursors = [StreamCursors(CursorKey(KEY), "alerts", scope_of(each)) for each in (A, B)]
    sealed = [each.seal(place) for place in places() for each in cursors]
    assert len({len(each) for each in sealed}) == 1
    assert len({*sealed}) == len(sealed), "and is another customer's never"
    assert [cursors[0].open(each) for each in sealed[::2]] == [*places()]
