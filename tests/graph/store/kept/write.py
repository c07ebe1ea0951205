"""Makes the store that the next version is to migrate: run where this version is checked out, before it is changed.

A grown network is sold, fails, is mended and measured, all by the program's own changes; nothing is written by statements of
our own. So the file has whatever this version leaves behind, known to whoever wrote this or not.
"""

from __future__ import annotations

import asyncio
import lzma
import tempfile
from dataclasses import replace
from typing import Any, Final

from graph.changes.alarms.alarms import acknowledge_alarm, clear_alarm, raise_alarm
from graph.changes.outside import take_over
from graph.changes.policy import AlarmPolicy, Hearing
from graph.changes.tickets.owners import Reported
from graph.changes.tickets.reported import report_tickets
from graph.changes.tickets.ticketing import Answered, Heard, settle_deliveries
from graph.changes.usage.usage import record_usage
from graph.ledger.claims import claim
from graph.ledger.hubs import Wish, register
from graph.ledger.lanes import take_lanes
from graph.ledger.outcomes import Dead, Done
from graph.ledger.positions import place
from graph.load import load_topology
from graph.membership import build_missing
from graph.model.event_kinds import ALARM_KINDS
from graph.model.model import SCHEMA_VERSION
from graph.model.usage import Usage
from graph.store.migrate import migrate
from graph.store.store import Store, open_store
from tests.graph.changes.bandwidth.network import OPERATOR as BOOKER
from tests.graph.changes.bandwidth.network import Booked
from tests.graph.changes.network import AT, SYSTEM, report, soon
from tests.graph.inventory.network import NETWORK, OPERATOR, Inventoried, but, rack
from tests.graph.store.kept.raw import dump, path_of

POLICY: Final = AlarmPolicy(
    ticketing="desk",
    billing="billing",
    fault_management=Hearing(name="umbrella", sources=frozenset({"umbrella"}), events=frozenset(ALARM_KINDS)),
    inventory="inventory",
)
HOUR: Final = 3_600_000
_MOST_USED: Final = """
MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s:Service {state: 'active'})-[:ROUTED_OVER {path: 'WORKING'}]->(t:Trunk)
WITH t, count(DISTINCT c) AS customers, count(DISTINCT s) AS services ORDER BY customers DESC, services DESC, t.id LIMIT 3
RETURN t.id
"""
_SERVICES: Final = "MATCH (:Customer)-[:SUBSCRIBES_TO]->(s:Service {state: 'active'}) RETURN s.id ORDER BY s.id LIMIT 3"


async def write(store: Store) -> None:
    """Tell the whole story in an empty store."""
    await load_topology(store, topology="topozoo/Nordu1997", scale=1_100, alarms=4, progress=_quiet, deadline=soon())
    await take_over(store, POLICY, deadline=soon())
    await build_missing(store, deadline=soon())
    await _register(store)
    await _fail(store)
    await _tell(store)
    await _measure(store)
    await _compare(store)
    await _boost(store)
    await place(store, owner="one", renew=True, deadline=soon())


async def _fail(store: Store) -> None:
    """Let one trunk fail and be mended, one fail and be taken note of, one fail twice, and two things that nobody knows."""
    mended, noted, twice = [str(row[0]) for row in await store.rows(_MOST_USED, {}, deadline=soon())]
    over = await _raise(store, mended, 1)
    await _raise(store, mended, 4, perceived_severity="warning")
    await _clear(store, over)
    known = await _raise(store, noted, 2)
    await acknowledge_alarm(store, OPERATOR, POLICY, alarm_id=known, idempotency_key=f"note {known}", deadline=soon())
    for minute in (0, 20):  # longer than an alarm can come back
        last = await _raise(store, twice, None, raised_at=AT + minute * 60_000, record={"told": minute})
        if minute == 0:
            await _clear(store, last)
    await _raise(store, "shelf 7", 5)
    await _clear(store, await _raise(store, "shelf 8", 6))


async def _raise(store: Store, target: str, number: int | None, **more: Any) -> str:
    alarm = report(target, number, **more)
    return (await raise_alarm(store, SYSTEM, POLICY, alarm, deadline=soon())).ids["alarm"]


async def _clear(store: Store, alarm: str) -> None:
    await clear_alarm(store, SYSTEM, POLICY, alarm_id=alarm, idempotency_key=f"clear {alarm}", deadline=soon())


async def _tell(store: Store) -> None:
    """Send one round to each system: the first delivery is refused, the rest is taken; more waits behind them."""
    for system in ("desk", "umbrella"):
        leases = await take_lanes(store, system, owner="one", ttl_ms=60_000, deadline=soon())
        claims = sorted(
            await claim(store, leases, most=16, hold_ms=0, deadline=soon()), key=lambda each: each.order_key
        )
        refused, *taken = claims
        answers = [Answered(outcome=Dead(claim=refused, error="no", reason="refused", answer="who is that?"))]
        for number, each in enumerate(taken):
            heard = Heard(order_key=each.order_key, their_id=f"T-{number}", status="inProgress", changed_at=AT + HOUR)
            answers.append(Answered(outcome=Done(claim=each), heard=heard if system == "desk" else None))
        await settle_deliveries(store, POLICY, answers, subject="desk", deadline=soon())


async def _measure(store: Store) -> None:
    """Take in usage of services that there are, and of one that there is not; and a ticket that others have opened."""
    services = [str(row[0]) for row in await store.rows(_SERVICES, {}, deadline=soon())]
    records = [
        Usage(source="ems", external_id=f"U{number}", service=service, start=AT, end=AT + HOUR, octets=7, mbps=50)
        for number, service in enumerate((*services, "a line of theirs"))
    ]
    records[0] = replace(records[0], state="rated")
    await record_usage(store, SYSTEM, POLICY, records, deadline=soon())
    theirs = Reported(
        their_id="T-theirs",
        key=None,
        status="inProgress",
        severity="minor",
        changed_at=AT,
        services=(services[0],),
        customer=None,
    )
    await report_tickets(store, POLICY, [theirs], subject="desk", deadline=soon())


async def _compare(store: Store) -> None:
    """Let an inventory make a network of its own, say what the graph has no place for, and send what waits to be compared."""
    inventory = Inventoried(store=store)
    await inventory.feed("first", *NETWORK)
    await inventory.feed("second", but("N1", vendor="Other"), rack())
    await inventory.receive("third", *NETWORK, kind="full")


async def _boost(store: Store) -> None:
    """Let bandwidth be booked: one boost runs, one is to come, one was refused, one was cancelled, and one is over."""
    booked = Booked(store=store)
    first, second, third = [str(row[0]) for row in await store.rows(_SERVICES, {}, deadline=soon())]
    over = (await booked.book(service=first, mbps=10, hours=0.5, by=BOOKER)).ids["boost"]
    await booked.answer()
    await booked.shift(HOUR)
    await booked.tick()
    await booked.answer()
    assert (await booked.boost(over))["status"] == "TERMINATED"
    await booked.book(service=first, mbps=20, by=BOOKER)
    await booked.answer()
    await booked.book(service=first, mbps=30, start=24 * HOUR, by=BOOKER)
    await booked.book(service=second, mbps=10, by=BOOKER)
    await booked.answer(refuse="no")
    await booked.cancel((await booked.book(service=third, mbps=10, start=HOUR, by=BOOKER)).ids["boost"], by=BOOKER)


async def _register(store: Store) -> None:
    wish = Wish(
        principal="9:issuer-a:umbrella", reads='{"role": "operator"}', callback="https://example.org/a", query=""
    )
    await register(store, wish, deadline=soon())


def _quiet(stage: str, done: int, total: int) -> None:
    """Say nothing of how far a load is."""


async def main() -> None:
    """Write the file of the version that is checked out."""
    with tempfile.TemporaryDirectory() as directory:
        store = await open_store(f"embedded:{directory}/store")
        try:
            await migrate(store, deadline=soon())
            await write(store)
            text = await dump(store)
        finally:
            await store.close()
    path = path_of(SCHEMA_VERSION)
    path.write_bytes(lzma.compress(text, preset=lzma.PRESET_EXTREME))
    print(  # noqa: T201  # a command
        f"{path.name}: {path.stat().st_size} bytes, {len(text.splitlines())} lines"
    )


if __name__ == "__main__":
    asyncio.run(main())
