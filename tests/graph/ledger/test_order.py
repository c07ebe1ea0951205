"""Of an order key one delivery is due at a time, the first; what waits behind a parked one is held, and does not age."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from graph.changes.deliveries import replay_delivery
from graph.changes.events import Event, append
from graph.ledger.backlog import lane_states, parked_deliveries, system_backlogs
from graph.ledger.claims import Claim, claim
from graph.ledger.lanes import Leases, lane_of, take_lanes
from graph.ledger.outbox import Told, write_down
from graph.ledger.outcomes import Again, Dead, Done, Outcome, settle
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction
from tests.graph.changes.network import soon
from tests.graph.ledger.asking import rows, run
from tests.selection import choose_seed, is_full

OPERATOR = Principal(subject="ann", role=Role.OPERATOR)
DAY_MS = 86_400_000
KEYS = ("card-1", "card-2", "card-3")
STATE = """
MATCH (d:Delivery) WHERE d.orderKey = $key
RETURN d.version, d.state, d.waiting, d.held, d.due, d.queued, d.parked, d.openKey, d.lane, d.since ORDER BY d.version
"""


@dataclass(slots=True)
class Desk:
    """A system that is told, and who tells it."""

    store: Store
    leases: Leases
    versions: dict[str, int] = field(default_factory=dict)

    async def change(self, *keys: str, system: str = "desk") -> None:
        """Make one change, of which the system is to be told about each of these, in one transaction."""

        async def work(transaction: Transaction) -> None:
            told = []
            versions = dict(self.versions)
            for key in keys:
                text = "MERGE (s:StoreKey {id: $id}) SET s._n = coalesce(s._n, 0) + 1 RETURN datetime.realtime().epochMillis"
                [[now]] = await transaction.run(text, {"id": f"storekey-{key}"})  # the lock of the aggregate
                versions[key] = versions.get(key, 0) + 1
                event = Event(
                    type="UsageRecorded",
                    aggregate_id=key,
                    aggregate_version=versions[key],
                    at=cast("int", now),
                    principal="p",
                    payload={},
                    customers=(),
                )
                append(transaction, event)
                told.append(Told(event=event.id, system=system, subject=key, order_key=key, payload={}))
            write_down(transaction, told)
            self.versions = versions

        await self.store.write(work, deadline=soon())

    async def claimed(self, *, hold_ms: int = 0) -> list[Claim]:
        """Claim all that is due."""
        return await claim(self.store, self.leases, most=100, hold_ms=hold_ms, deadline=soon())

    async def settled(self, *outcomes: Outcome) -> None:
        """Write outcomes down."""

        async def work(transaction: Transaction) -> None:
            await settle(transaction, outcomes)

        await self.store.write(work, deadline=soon())

    async def done(self) -> list[tuple[str, int]]:
        """Tell all that is due; give what was told."""
        claims = await self.claimed()
        await self.settled(*(Done(claim=each) for each in claims))
        return sorted((each.order_key, each.version) for each in claims)

    async def park(self, key: str) -> str:
        """Park what is due of a key; give its id."""
        [mine] = [each for each in await self.claimed() if each.order_key == key]
        await self.settled(Dead(claim=mine, error="no", reason="refused", answer="not this one"))
        return mine.id

    async def replay(self, delivery: str, key: str = "") -> None:
        """Replay a delivery."""
        await replay_delivery(
            self.store, OPERATOR, delivery_id=delivery, idempotency_key=key or delivery, deadline=soon()
        )

    async def check(self, key: str) -> None:
        """See that each delivery of a key is found by what it is, and by nothing else."""
        undone = parked = False
        for version, state, waiting, held, due, queued, parked_in, open_key, lane, since in await rows(
            self.store, STATE, key=key
        ):
            found = (waiting, held, due, queued, parked_in)
            wanted: tuple[object, ...]
            match state:
                case "DONE":
                    wanted = (None, None, None, None, None)
                    assert not undone, "nothing overtakes"
                case "DEAD":
                    wanted = (None, None, None, None, lane)
                case _ if parked:
                    wanted = (None, lane, None, None, None)
                case _ if undone:
                    wanted = (lane, None, None, None, None)
                case _:
                    wanted = (lane, None, lane, f"desk#{since}", None)
            assert found == wanted, (key, version, state)
            assert state == "DONE" or open_key == key
            undone, parked = undone or state != "DONE", parked or state == "DEAD"


@pytest.fixture
async def desk(empty_store: Store) -> Desk:
    return Desk(empty_store, await take_lanes(empty_store, "desk", owner="one", ttl_ms=60_000, deadline=soon()))


async def test_of_a_key_one_is_due_at_a_time_and_each_makes_the_next_due(desk: Desk) -> None:
    for keys in (("card-1", "card-2"), ("card-1",), ("card-1",)):
        await desk.change(*keys)
    assert [await desk.done() for _ in range(4)] == [
        [("card-1", 1), ("card-2", 1)],
        [("card-1", 2)],
        [("card-1", 3)],
        [],
    ]
    for key in KEYS:
        await desk.check(key)


async def test_several_of_a_key_in_one_change_are_told_in_order(desk: Desk) -> None:
    await desk.change("card-1", "card-1", "card-2", "card-1")
    await desk.check("card-1")
    assert [await desk.done() for _ in range(3)] == [[("card-1", 1), ("card-2", 1)], [("card-1", 2)], [("card-1", 3)]]


async def test_what_is_tried_again_keeps_its_place(desk: Desk) -> None:
    await desk.change("card-1")
    await desk.change("card-1")
    [first] = await desk.claimed()
    await desk.settled(Again(claim=first, error="busy", pause_ms=0, answer="later"))
    await desk.check("card-1")
    assert await desk.done() == [("card-1", 1)]
    assert await rows(desk.store, "MATCH (d:Delivery {version: 1}) RETURN d.lastError, d.lastAnswer") == [[None, None]]


async def test_what_waits_behind_a_parked_one_is_held_and_goes_on_when_that_is_replayed(desk: Desk) -> None:
    await desk.change("card-1")
    await desk.change("card-1", "card-2")
    parked = await desk.park("card-1")
    await desk.change("card-1")  # while it is parked
    await desk.check("card-1")
    assert await desk.done() == [("card-2", 1)]
    [listed] = await parked_deliveries(desk.store, most=9, deadline=soon())
    assert (listed.id, listed.reason, listed.error, listed.answer, listed.held) == (
        parked,
        "refused",
        "no",
        "not this one",
        2,
    )
    await desk.replay(parked)
    await desk.change("card-1")
    await desk.check("card-1")
    assert [await desk.done() for _ in range(5)] == [[("card-1", version)] for version in (1, 2, 3, 4)] + [[]]


async def test_what_people_have_suspended_does_not_age_and_nor_does_what_waits_behind_it(desk: Desk) -> None:
    for _ in range(3):
        await desk.change("card-1")
    await desk.change("card-2")
    older = "MATCH (d:Delivery) SET d.since = d.since - $age, d.queued = d.system + '#' + toString(d.since - $age)"
    await run(desk.store, f"{older} WITH d WHERE d.due IS NULL SET d.queued = null", age=DAY_MS)
    claims = {each.order_key: each for each in await desk.claimed()}
    assert min(each.age_ms for each in claims.values()) >= DAY_MS
    await desk.settled(
        Again(claim=claims["card-1"], error="a blackout", pause_ms=0, is_suspended=True), Done(claim=claims["card-2"])
    )
    await desk.check("card-1")
    [backlog] = await system_backlogs(desk.store, deadline=soon())
    assert (backlog.waiting, backlog.oldest_seconds < 3_600) == (3, True), "the system is not behind"
    assert (backlog.suspended, 0 <= backlog.suspended_seconds < 3_600) == (1, True)
    for version in (1, 2, 3):
        [mine] = await desk.claimed()
        assert (mine.version, mine.age_ms < 3_600_000) == (version, True)
        await desk.settled(Done(claim=mine))
        await desk.check("card-1")
    [backlog] = await system_backlogs(desk.store, deadline=soon())
    assert (backlog.suspended, backlog.suspended_seconds) == (0, 0)


async def test_it_is_told_since_when_a_delivery_is_suspended(desk: Desk) -> None:
    since = "MATCH (d:Delivery) RETURN d.suspendedSince"
    await desk.change("card-1")
    found: list[Any] = []
    for is_suspended in (True, True, False, True):
        [claim] = await desk.claimed()
        await desk.settled(Again(claim=claim, error="a blackout", pause_ms=0, is_suspended=is_suspended))
        [[at]] = await desk.store.rows(since, {}, deadline=soon())
        found.append(at)
        await run(desk.store, "MATCH (d:Delivery) SET d.suspendedSince = d.suspendedSince - 60000")
    assert found[1] == found[0] - 60_000, "it is the first of the tries in a row"
    assert found[2] is None
    assert found[3] >= found[0]
    [backlog] = await system_backlogs(desk.store, deadline=soon())
    assert backlog.suspended_seconds >= 60


async def test_tries_that_were_suspended_do_not_count(desk: Desk) -> None:
    await desk.change("card-1")
    for _ in range(4):
        [claim] = await desk.claimed()
        await desk.settled(Again(claim=claim, error="a blackout", pause_ms=0, is_suspended=True))
    for tries in (1, 2, 3):
        [claim] = await desk.claimed()
        assert (claim.tries, claim.attempts) == (tries, 4 + tries)
        await desk.settled(Again(claim=claim, error="no", pause_ms=0))


async def test_what_is_only_tried_again_ages(desk: Desk) -> None:
    await desk.change("card-1")
    await run(desk.store, "MATCH (d:Delivery) SET d.since = d.since - $age", age=DAY_MS)
    [first] = await desk.claimed()
    await desk.settled(Again(claim=first, error="busy", pause_ms=0))
    [again] = await desk.claimed()
    assert again.age_ms >= DAY_MS


async def test_neither_what_is_parked_nor_what_is_held_behind_it_is_old_or_counted(desk: Desk) -> None:
    await desk.change("card-1")
    await desk.change("card-1")
    parked = await desk.park("card-1")
    await run(
        desk.store, "MATCH (d:Delivery) SET d.createdAt = d.createdAt - $age, d.since = d.since - $age", age=DAY_MS
    )
    await desk.change("card-2")
    [backlog] = await system_backlogs(desk.store, deadline=soon())
    assert (backlog.waiting, backlog.held, backlog.parked, backlog.reasons) == (1, 1, 1, {"refused": 1})
    assert backlog.oldest_seconds < 3_600
    lane = {each.id: each for each in await lane_states(desk.store, deadline=soon())}[lane_of("desk", "card-1")]
    assert (lane.parked, lane.held, lane.parked_keys) == (1, 1, ("card-1",))
    await desk.replay(parked)
    [backlog] = await system_backlogs(desk.store, deadline=soon())
    assert (backlog.waiting, backlog.held, backlog.parked, backlog.reasons) == (3, 0, 0, {})
    assert backlog.oldest_seconds < 3_600, "it waits since it was replayed"
    [first] = [each for each in await desk.claimed() if each.order_key == "card-1"]
    assert first.age_ms < 3_600_000
    await desk.settled(Done(claim=first))
    [second] = [each for each in await desk.claimed() if each.order_key == "card-1"]
    assert (second.version, second.age_ms < 3_600_000) == (2, True), "nor is what was held given up for its age"


async def test_the_oldest_of_a_system_is_its_own(desk: Desk) -> None:
    await take_lanes(desk.store, "desks", owner="one", ttl_ms=60_000, deadline=soon())
    await take_lanes(desk.store, "desk|", owner="one", ttl_ms=60_000, deadline=soon())
    await desk.change("card-1", system="desks")
    await desk.change("card-2", system="desk|")
    text = "MATCH (d:Delivery) SET d.since = d.since - $age, d.queued = d.system + '#' + toString(d.since - $age)"
    await run(desk.store, text, age=DAY_MS)
    ages = {each.system: each.oldest_seconds for each in await system_backlogs(desk.store, deadline=soon())}
    assert ages["desk"] == 0.0
    assert ages["desks"] > DAY_MS / 1_000 - 1
    assert ages["desk|"] > DAY_MS / 1_000 - 1


async def test_a_parked_one_is_found_by_system_and_reason_and_page(desk: Desk) -> None:
    for key in KEYS:
        await desk.change(key)
    claims = await desk.claimed()
    await desk.settled(
        *(Dead(claim=each, error="no", reason="refused") for each in claims if each.order_key != "card-3")
    )
    await desk.settled(*(Dead(claim=each, error="no", reason="fault") for each in claims if each.order_key == "card-3"))

    async def found(system: str = "", reason: str = "", after: str = "", most: int = 9) -> list[str]:
        given = {"system": system, "reason": reason, "after": after, "most": most}
        page = await parked_deliveries(desk.store, **given, deadline=soon())  # type: ignore[arg-type]  # each is what it takes
        return [each.order_key for each in page]

    assert sorted(await found()) == sorted(await found("desk")) == list(KEYS)
    assert await found("des") == await found("desks") == []
    assert await found(reason="fault") == ["card-3"]
    assert sorted(await found(reason="refused")) == ["card-1", "card-2"]
    [first] = await parked_deliveries(desk.store, most=1, deadline=soon())
    assert len(await found(after=first.id)) == 2


async def test_a_replay_of_what_is_not_parked_changes_nothing(desk: Desk) -> None:
    await desk.change("card-1")
    await desk.change("card-1")
    parked = await desk.park("card-1")
    await desk.replay(parked, "a")
    await desk.replay(parked, "b")
    await desk.check("card-1")
    assert await desk.done() == [("card-1", 1)]
    await desk.replay(parked, "c")
    await desk.check("card-1")
    replays = await rows(desk.store, "MATCH (e:Event {type: 'DeliveryReplayed'}) RETURN e.principal")
    assert replays == [["ann"]]


def any_outcome(claimed: Claim, chance: random.Random) -> Outcome:
    match chance.randrange(4):
        case 0:
            return Dead(claim=claimed, error="no", reason="refused")
        case 1:
            return Again(claim=claimed, error="busy", pause_ms=0)
        case _:
            return Done(claim=claimed)


async def test_whatever_happens_in_whatever_order_each_is_found_by_what_it_is(desk: Desk) -> None:
    chance = random.Random(f"{choose_seed()} order")  # chance that can be repeated
    parked: list[str] = []
    for _ in range(200 if is_full() else 40):
        match chance.randrange(4):
            case 0 | 1:
                await desk.change(*chance.choices(KEYS, k=chance.randint(1, 3)))
            case 2:
                outcomes = [any_outcome(each, chance) for each in await desk.claimed()]
                parked += [each.claim.id for each in outcomes if isinstance(each, Dead)]
                await desk.settled(*outcomes)
            case _ if parked:
                delivery = parked.pop(chance.randrange(len(parked)))
                await desk.replay(delivery, f"{chance.random()}")
        for key in KEYS:
            await desk.check(key)
    for delivery in parked:
        await desk.replay(delivery, f"end {delivery}")
    while await desk.done():
        pass
    assert await rows(desk.store, "MATCH (d:Delivery) WHERE d.state <> 'DONE' RETURN d.id") == []


async def test_one_that_is_written_while_the_one_before_is_settled_is_not_forgotten(desk: Desk) -> None:
    for number in range(100 if is_full() else 15):
        key = f"card-{number}"
        await desk.change(key)
        [first] = [each for each in await desk.claimed() if each.order_key == key]
        last: Outcome = Done(claim=first)
        if number % 3 == 2:
            last = Dead(claim=first, error="no", reason="refused")
        await asyncio.gather(desk.change(key), desk.settled(last))
        await desk.check(key)


async def test_what_is_done_is_forgotten_when_the_next_is_done_and_its_claim_is_over(desk: Desk) -> None:
    for _ in range(6):
        await desk.change("card-1")
        await desk.done()
    assert await rows(desk.store, "MATCH (d:Delivery {openKey: 'card-1'}) RETURN d.version") == [[6]]
    await desk.change("card-1")
    claims = await desk.claimed(hold_ms=60_000)
    await desk.settled(*(Done(claim=each) for each in claims))
    await desk.change("card-1")
    await desk.done()
    found = await rows(desk.store, "MATCH (d:Delivery {openKey: 'card-1'}) RETURN d.version ORDER BY d.version")
    assert found == [[7], [8]], "the other system may still act on the seventh"
