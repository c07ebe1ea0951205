"""Subscribers at the port: cursors, what is replayed, two processes, and what one customer can tell of another."""

from __future__ import annotations

import asyncio
import base64
import itertools
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

import orjson
import pytest
from graphql import FieldNode, parse, print_ast

from gateway.operations.cost import amount, cost_of
from gateway.operations.schema import read_schema
from gateway.settings.settings import Limits
from graph.compiler.cursor import Place, StreamCursors
from graph.errors import DeadlineExceeded, StoreUnavailable
from graph.ledger import reader
from graph.ledger.sequence import end_of
from graph.model.scope import Principal, Role, scope_of
from graph.model.streams import StreamEnded, StreamEvent
from graph.store.link import Work
from graph.store.store import Store, open_store
from resolvers.knowledge import shared, subscribing
from resolvers.knowledge.schema import knowledge_schema
from resolvers.knowledge.streams import STREAMS
from resolvers.knowledge.subscribing import StreamLimits
from tests.graph.changes.network import Laid, lay, report, soon
from tests.resolvers.caller import OPERATOR, Caller
from tests.resolvers.streaming import SECONDS, A, B, Process, beat, nothing_more, process, taken

T = TypeVar("T")

KEPT = """subscription { alerts {
  kind at cursor alarmId perceivedSeverity severity totalServices
  services { serviceId effect severity effectBefore severityBefore }
} }"""
WHOLE = """subscription { alerts {
  kind cursor alarmId alarm { id state tickets { nodes { id status } } } tickets { id severity }
  services { serviceId effect effectBefore service { id effect affectedBy { nodes { effect alarm { id } } } } }
} }"""
SERVICE_EVENTS = "subscription { serviceEvents { kind cursor } }"


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    """The network, laid."""
    await lay(empty_store)
    return Laid(store=empty_store)


@pytest.fixture
async def another(store: Store, store_address: str) -> AsyncIterator[Store]:
    """The same database, opened once more, as another process does."""
    opened = await open_store(store_address)
    assert opened is not store
    yield opened
    await opened.close()


async def some(laid: Laid, here: Process, principal: Principal = OPERATOR) -> list[StreamEvent]:
    """Raise and clear three alarms while somebody listens; give what was heard."""
    async with aclosing(await here.stream(KEPT, principal)) as stream:
        raised = [await laid.raise_(report(each, n)) for n, each in enumerate(("card-1", "trunk-2", "port-b"))]
        for each in raised:
            await laid.clear(each, key=each)
        return await taken(stream, 5 if principal is A else 7)


# Cursors -------------------------------------------------------------------------------------------------------------


async def test_a_cursor_is_of_its_field_and_scope_and_not_of_the_selection(laid: Laid) -> None:
    async with process(laid.store) as here:
        async with aclosing(await here.stream(KEPT, A)) as stream:
            alarm = await laid.raise_(report("card-1"))
            [began] = await taken(stream, 1)
        await laid.clear(alarm)
        other = "subscription { hers: alerts(filter: {kind: {eq: ENDED}}) { kind } }"
        async with aclosing(await here.stream(other, A, after=began.cursor)) as stream:
            [ended] = await taken(stream, 1)
            assert ended.answer == {"data": {"hers": {"kind": "ENDED"}}}
        argued = f'subscription {{ alerts(after: "{began.cursor}") {{ kind }} }}'
        async with aclosing(await here.stream(argued, A)) as stream:
            assert (await taken(stream, 1))[0].cursor == ended.cursor
        async with aclosing(await here.stream(argued, A, after=ended.cursor)) as stream:
            await nothing_more(stream)  # what the transport says wins
        both = Principal(subject="ab", role=Role.CUSTOMER, customers=("customer-a", "customer-b"))
        forged = base64.urlsafe_b64encode(bytes(48)).decode()
        for text, principal, cursor in (
            (KEPT, B, began.cursor),
            (KEPT, both, began.cursor),
            (KEPT, OPERATOR, began.cursor),
            (SERVICE_EVENTS, A, began.cursor),
            (KEPT, A, forged),
            (KEPT, A, began.cursor[:-2]),
            (KEPT, A, ""),
            (KEPT, A, "é"),
        ):
            refused = await here.refused(text, principal, after=cursor)
            assert refused["code"] == "BAD_USER_INPUT", (text, principal, cursor)
        namesake = Principal(subject="another of a", role=Role.CUSTOMER, customers=("customer-a",))
        async with aclosing(await here.stream(KEPT, namesake, after=began.cursor)) as stream:
            assert (await taken(stream, 1))[0].cursor == ended.cursor


async def test_one_resumes_at_every_cursor_and_gets_the_rest_as_it_was_live(laid: Laid) -> None:
    async with process(laid.store) as here:
        live = await some(laid, here)
        assert [each.answer["data"]["alerts"]["cursor"] for each in live] == [each.cursor for each in live]
        for number, each in enumerate(live[:-1]):
            async with aclosing(await here.stream(KEPT, after=each.cursor)) as stream:
                assert await taken(stream, len(live) - number - 1) == live[number + 1 :]


async def test_what_is_not_kept_any_more_is_said_and_how_to_go_on(laid: Laid) -> None:
    async with process(laid.store) as here:
        live = await some(laid, here, A)
    async with process(laid.store, limits=StreamLimits(kept_ms=1)) as here:
        refused = await here.refused(KEPT, A, after=live[0].cursor)
        assert refused["code"] == "CURSOR_EXPIRED"
        snapshot = await Caller(subgraph=here.subgraph).response(refused["snapshot"], principal=A)
        assert "errors" not in snapshot
    async with process(laid.store) as here, aclosing(await here.stream(KEPT, A, after=refused["cursor"])) as stream:
        alarm = await laid.raise_(report("port-a", 9))
        assert (await taken(stream, 1))[0].answer["data"]["alerts"]["alarmId"] == alarm


@pytest.mark.parametrize("field", STREAMS)
async def test_every_stream_has_a_snapshot_that_can_be_asked(laid: Laid, field: str) -> None:
    async with process(laid.store) as here:
        answer = await Caller(subgraph=here.subgraph).response(STREAMS[field].snapshot)
        # The network of this test has equipment without states.
        assert {each["extensions"]["code"] for each in answer.get("errors", ())} <= {"INCONSISTENT_DATA"}


@pytest.mark.parametrize("field", STREAMS)
def test_every_list_of_a_snapshot_has_a_length_and_says_whether_there_is_more(field: str) -> None:
    lists = [*connections(parse(STREAMS[field].snapshot).definitions[0])]
    assert (
        len(lists)
        == {"alerts": 2, "serviceEvents": 1, "boostEvents": 1, "orderEvents": 1, "topologyChanges": 3, "deliveries": 1}[
            field
        ]
    )
    for each in lists:
        assert "first" in {argument.name.value for argument in each.arguments or ()}
        assert each.selection_set is not None
        page = [print_ast(selection) for selection in each.selection_set.selections[1:]]
        assert [" ".join(selection.split()) for selection in page] == ["pageInfo { hasNextPage endCursor }"]


@pytest.mark.parametrize("field", STREAMS)
def test_a_snapshot_costs_less_than_an_operation_may(field: str) -> None:
    schema = read_schema(knowledge_schema().sdl)
    cost = amount(cost_of(parse(STREAMS[field].snapshot), schema), {})
    assert cost < Limits().cost / 2


def connections(node: Any) -> Iterator[FieldNode]:
    """Give the fields whose objects have nodes."""
    below = node.selection_set.selections if node.selection_set else ()
    if any(each.name.value == "nodes" for each in below):
        yield node
    for each in below:
        yield from connections(each)


async def test_a_snapshot_has_all_services_of_an_alarm(laid: Laid) -> None:
    """More than a page that nobody asked for would have."""
    text = (
        "MATCH (t:Trunk {id: 'trunk-1'}) MATCH (c:Customer {id: 'customer-a'}) UNWIND range(1, 11) AS n "
        "CREATE (c)-[:SUBSCRIBES_TO]->(s:Service {id: 'service-more-' + n, name: 'more'}) "
        "CREATE (s)-[:ROUTED_OVER {path: 'WORKING', position: 0}]->(t)"
    )
    await laid.run(text)
    alarm = await laid.raise_(report("trunk-1"))
    async with process(laid.store) as here:
        answer = await Caller(subgraph=here.subgraph).response(STREAMS["alerts"].snapshot, principal=A)
        [found] = answer["data"]["alarms"]["nodes"]
        assert found["id"] == alarm
        affected = {each["service"]["id"] for each in found["affects"]["nodes"]}
        assert affected >= {f"service-more-{n}" for n in range(1, 12)}
        assert not found["affects"]["pageInfo"]["hasNextPage"]
        of_services = await Caller(subgraph=here.subgraph).response(STREAMS["serviceEvents"].snapshot, principal=A)
        assert affected <= {each["id"] for each in of_services["data"]["services"]["nodes"]}


async def test_who_is_cut_off_before_the_first_event_has_a_cursor_to_come_back_with(laid: Laid) -> None:
    async with process(laid.store) as here:
        async with aclosing(await here.stream(KEPT, A)) as stream:
            begun = await beat(stream)
        alarm = await laid.raise_(report("card-1"))
        async with aclosing(await here.stream(KEPT, A, after=begun.cursor)) as stream:
            [began] = await taken(stream, 1)
        assert began.answer["data"]["alerts"]["alarmId"] == alarm


async def test_a_quiet_stream_says_how_far_it_has_come(laid: Laid, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens to others moves the cursor: one who resumes with it is not given what was before."""
    monkeypatch.setattr(reader, "BEAT_SECONDS", 0.2)
    async with process(laid.store) as here, aclosing(await here.stream(KEPT, A)) as stream:
        begun = await beat(stream)
        async with aclosing(await here.stream(KEPT, B)) as other:
            await laid.raise_(report("port-b"))
            await taken(other, 1)
        end = (await end_of(laid.store, deadline=soon())).position
        cursors = StreamCursors(here.subgraph.reads.cursor_key, "alerts", scope_of(A))
        place = cursors.open(begun.cursor)
        while place.position < end:
            later = cursors.open((await beat(stream)).cursor)
            assert (later.position, later.at) >= (place.position, place.at)
            place = later


async def test_a_cursor_beyond_the_end_is_of_another_past(laid: Laid) -> None:
    """As after a restore: events that come now are not those which the cursor is after."""
    async with process(laid.store) as here:
        live = await some(laid, here)
    await laid.run("MATCH (e:Event) DETACH DELETE e")
    await laid.run("MATCH (s:Sequence) SET s.next = 2")
    async with process(laid.store) as here:
        assert (await here.refused(KEPT, after=live[-1].cursor))["code"] == "CURSOR_EXPIRED"


async def test_a_cursor_of_before_a_restore_is_no_cursor_of_the_events_that_have_its_position_now(laid: Laid) -> None:
    """The backup is of the first event; as many have come since as were lost, and more."""
    async with process(laid.store) as here:
        async with aclosing(await here.stream(KEPT)) as stream:
            await laid.raise_(report("card-1"))
            [kept] = await taken(stream, 1)
        live = await some(laid, here)
        async with aclosing(await here.stream(KEPT)) as stream:
            idle = await beat(stream)
        place = StreamCursors(here.subgraph.reads.cursor_key, "alerts", scope_of(OPERATOR)).open(kept.cursor)
    await laid.run("MATCH (e:Event) WHERE e.position > $kept DETACH DELETE e", kept=place.position)
    await laid.run("MATCH (s:Sequence) SET s.next = $next", next=place.position + 1)
    async with process(laid.store) as here:
        async with aclosing(await here.stream(KEPT)) as stream:
            for number in range(11, 16):
                raised = await laid.raise_(report("port-b", number))
                await laid.clear(raised, key=f"after {number}")
            since = await taken(stream, 10)
        for each in (live[0], live[-1], idle):
            assert (await here.refused(KEPT, after=each.cursor))["code"] == "CURSOR_EXPIRED"
        async with aclosing(await here.stream(KEPT, after=kept.cursor)) as stream:
            assert await taken(stream, 10) == since, "what was before the backup has its places still"


async def test_who_resumes_before_what_was_swept_is_told(laid: Laid) -> None:
    """Whatever clock has swept it: of two events the first is gone."""
    async with process(laid.store) as here:
        async with aclosing(await here.stream(KEPT)) as stream:
            begun = await beat(stream)
            raised = await laid.raise_(report("card-1"))
            [first] = await taken(stream, 1)
            await laid.clear(raised)
        cursors = StreamCursors(here.subgraph.reads.cursor_key, "alerts", scope_of(OPERATOR))
        swept = cursors.open(first.cursor).position
        await laid.run("MATCH (e:Event {position: $position}) DETACH DELETE e", position=swept)
        await laid.run("MATCH (s:Sequence) SET s.swept = $position", position=swept)
        assert (await here.refused(KEPT, after=begun.cursor))["code"] == "CURSOR_EXPIRED"
        async with aclosing(await here.stream(KEPT, after=first.cursor)) as stream:
            assert (await taken(stream, 1))[0].answer["data"]["alerts"]["kind"] == "ENDED"


async def test_open_streams_end_when_the_sequence_falls(laid: Laid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PATIENCE_SECONDS", 0.1)
    async with process(laid.store) as here:
        async with aclosing(await here.stream(KEPT)) as stream:
            await laid.raise_(report("card-1"))
            await taken(stream, 1)
            await laid.run("MATCH (e:Event) DETACH DELETE e")
            await laid.run("MATCH (s:Sequence) SET s.next = 2")
            with pytest.raises(StreamEnded) as ended:
                await taken(stream, 1)
        [error] = ended.value.answer["errors"]
        assert error["extensions"]["code"] == "CURSOR_EXPIRED"
        async with aclosing(await here.stream(KEPT, after=error["extensions"]["cursor"])) as stream:
            alarm = await laid.raise_(report("port-a", 9))
            assert (await taken(stream, 1))[0].answer["data"]["alerts"]["alarmId"] == alarm


async def test_who_is_too_slow_is_told_and_loses_nothing(laid: Laid) -> None:
    async with process(laid.store, limits=StreamLimits(queue=2)) as here, process(laid.store, name="two") as there:
        async with aclosing(await here.stream(KEPT)) as stream:
            alarm = await laid.raise_(report("card-1"))
            [first] = await taken(stream, 1)
            async with aclosing(await there.stream(KEPT, after=first.cursor)) as fast:
                await laid.clear(alarm, "k1")
                for number in range(2, 4):
                    other = await laid.raise_(report("port-b", number))
                    await laid.clear(other, f"k{number}")
                live = await taken(fast, 5)
            async with aclosing(await here.stream(KEPT, after=live[-1].cursor)) as later:
                await nothing_more(later)  # by now this process has read them all
            with pytest.raises(StreamEnded) as ended:
                await taken(stream, 5)
        [error] = ended.value.answer["errors"]
        extensions = error["extensions"]
        assert (extensions["code"], extensions["to"]) == ("LAGGED", live[-1].cursor)
        async with aclosing(await there.stream(KEPT, after=extensions["from"])) as stream:
            rest = await taken(stream, len(live))
        assert rest == live


async def test_a_burst_ends_no_stream_whose_client_reads_at_once(laid: Laid) -> None:
    """More events at once than the queue holds, each looked up: what there is no room for is read from the graph."""
    async with (
        process(laid.store, limits=StreamLimits(queue=2)) as here,
        aclosing(await here.stream(WHOLE)) as stream,
    ):
        await beat(stream)
        reading = asyncio.create_task(taken(stream, 21))
        alarm = await laid.raise_(report("card-1"))
        await laid.run(
            "MATCH (e:Event {aggregateId: $id}) UNWIND range(1, 20) AS n CREATE (:Event {id: e.id + n, type: e.type, "
            "aggregateId: $id, aggregateVersion: n + 1, at: e.at + n, unplaced: e.at + n, payload: e.payload})",
            id=alarm,
        )
        found = await reading
    assert [each.answer["data"]["alerts"]["kind"] for each in found] == ["BEGAN"] * 21
    assert len({each.cursor for each in found}) == 21


async def test_what_is_missing_in_the_graph_is_said_live_and_to_who_comes_back(
    laid: Laid, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To everybody: nobody knows whose it was."""
    monkeypatch.setattr(reader, "PATIENCE_SECONDS", 0.2)
    async with process(laid.store) as here, aclosing(await here.stream(KEPT, B)) as stream:
        begun = await beat(stream)
        alarm = await laid.raise_(report("card-1"))
        await taken(stream, 1)
        await laid.run("MATCH (s:Sequence {id: 'sequence-events'}) SET s.next = s.next + 3")
        [lost] = await taken(stream, 1)
        await laid.clear(alarm)
        [ended] = await taken(stream, 1)
        assert ended.answer["data"]["alerts"]["kind"] == "ENDED"
        async with aclosing(await here.stream(KEPT, B, after=begun.cursor)) as again:
            kinds = [each.answer["data"] and each.answer["data"]["alerts"]["kind"] for each in await taken(again, 3)]
        assert kinds == ["BEGAN", None, "ENDED"]
    [error] = lost.answer["errors"]
    assert (lost.answer["data"], error["path"], error["extensions"]["count"]) == (None, ["alerts"], 3)
    assert error["extensions"]["code"] == "EVENTS_MISSING"


@pytest.mark.parametrize(
    "payload",
    ["no JSON", "[]", '{"impacts": {"customer-a": [["one", "too", "few"]]}}'],
    ids=["no JSON", "no object", "other rows"],
)
async def test_an_event_that_cannot_be_read_is_an_error_and_those_after_it_come(laid: Laid, payload: str) -> None:
    """Live, and again for whoever resumes before it."""
    async with process(laid.store) as here, aclosing(await here.stream(KEPT, A)) as stream:
        await laid.raise_(report("card-1"))
        [first] = await taken(stream, 1)
    alarm = await laid.raise_(report("port-a", 2))
    await laid.run("MATCH (e:Event {aggregateId: $id}) SET e.payload = $payload", id=alarm, payload=payload)
    async with process(laid.store) as here:
        async with aclosing(await here.stream(KEPT, A, after=first.cursor)) as stream:
            await laid.raise_(report("trunk-2", 3))
            broken, after = await taken(stream, 2)
            [error] = broken.answer["errors"]
            assert (broken.answer["data"], error["path"]) == (None, ["alerts"])
            assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
            assert after.answer["data"]["alerts"]["kind"] == "BEGAN"
        async with aclosing(await here.stream(KEPT, A, after=broken.cursor)) as stream:
            assert await taken(stream, 1) == [after]


class Away(Store):
    """A store whose pages cannot be read while `is_away`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.product)
        self._store = store
        self.is_away = True

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        """Refuse pages."""
        if self.is_away and "upto" in parameters:
            raise StoreUnavailable("away")
        return await self._store.read(text, parameters, deadline=deadline)

    async def rows(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> list[list[object]]:
        """Pass it on."""
        return await self._store.rows(text, parameters, deadline=deadline)

    async def write(self, work: Work[T], *, deadline: float, quiet: bool = False) -> T:
        """Pass it on."""
        return await self._store.write(work, deadline=deadline, quiet=quiet)


class Slow(Away):
    """A store in which the statements of events take too long, from the first one on and while `is_away`; or all of them do."""

    def __init__(self, store: Store, *, to_all: bool) -> None:
        super().__init__(store)
        self.to_all = to_all
        self.late = 0

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        """Answer, or be late."""
        self._answer(text)
        return await self._store.read(text, parameters, deadline=deadline)

    async def rows(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> list[list[object]]:
        """Answer, or be late."""
        self._answer(text)
        return await self._store.rows(text, parameters, deadline=deadline)

    def _answer(self, text: str) -> None:
        if self.is_away and ("AFFECTS" in text or (self.late and self.to_all)):
            self.late += 1
            raise DeadlineExceeded("late")


@pytest.mark.parametrize("to_all", [False, True])
async def test_an_event_is_an_error_only_where_others_are_answered_meanwhile(
    laid: Laid, monkeypatch: pytest.MonkeyPatch, *, to_all: bool
) -> None:
    monkeypatch.setattr(subscribing, "_AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(subscribing, "_ALIVE_SECONDS", 0.05)
    monkeypatch.setattr(reader, "_POLL_SECONDS", 0.01)
    slow = Slow(laid.store, to_all=to_all)
    async with process(slow) as here, aclosing(await here.stream(WHOLE)) as stream:
        await beat(stream)
        await laid.raise_(report("card-1"))
        waiting = asyncio.create_task(taken(stream, 1))
        async with asyncio.timeout(SECONDS):
            while slow.late < 20 and not waiting.done():  # noqa: ASYNC110 - only looking tells
                await asyncio.sleep(0.01)
        slow.is_away = False
        [heard] = await waiting
    assert ("errors" in heard.answer) is not to_all


async def test_a_stream_whose_pages_cannot_be_read_ends_with_the_cursor_to_come_back_with(
    laid: Laid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribing, "_AGAIN_SECONDS", 0.01)
    async with process(laid.store) as here:
        live = await some(laid, here)
    away = Away(laid.store)
    async with process(away) as here:
        async with aclosing(await here.stream(KEPT, after=live[0].cursor)) as stream:
            with pytest.raises(StreamEnded) as ended:
                await taken(stream, 1)
        [error] = ended.value.answer["errors"]
        assert error["extensions"]["code"] == "STORE_UNAVAILABLE"
        away.is_away = False
        async with aclosing(await here.stream(KEPT, after=error["extensions"]["from"])) as stream:
            assert await taken(stream, len(live) - 1) == live[1:]


async def test_a_stream_that_waited_for_a_restore_ends(laid: Laid, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database was away, and came back as a backup in which another event has the position of the last that was sent."""
    monkeypatch.setattr(subscribing, "_AGAIN_SECONDS", 0.2)
    async with process(laid.store) as here:
        live = await some(laid, here)
        place = StreamCursors(here.subgraph.reads.cursor_key, "alerts", scope_of(OPERATOR)).open(live[0].cursor)
    away = Away(laid.store)
    async with process(away) as here, aclosing(await here.stream(KEPT, after=live[0].cursor)) as stream:
        await beat(stream)
        waiting = asyncio.create_task(taken(stream, 1))
        await asyncio.sleep(0.05)  # it has begun, and cannot read
        rename = "MATCH (e:Event {position: $position}) SET e.id = 'event-of-another-past'"
        await laid.run(rename, position=place.position)
        away.is_away = False
        with pytest.raises(StreamEnded) as ended:
            await waiting
    assert ended.value.answer["errors"][0]["extensions"]["code"] == "CURSOR_EXPIRED"


# What may be seen ----------------------------------------------------------------------------------------------------


async def test_a_service_that_changes_hands_shows_its_past_to_nobody_but_operators(laid: Laid) -> None:
    async with process(laid.store) as here:
        async with aclosing(await here.stream(KEPT, A)) as a, aclosing(await here.stream(KEPT, B)) as b:
            await laid.raise_(report("card-1"))
            [for_a], [for_b] = await taken(a, 1), await taken(b, 1)
            [before_a, before_b] = [await before(here, laid, each) for each in (A, B)]
        await laid.run("MATCH (:Customer {id: 'customer-a'})-[r:SUBSCRIBES_TO]->(:Service {id: 'service-a'}) DELETE r")
        move = (
            "MATCH (c:Customer {id: 'customer-b'}) MATCH (s:Service {id: 'service-a'}) CREATE (c)-[:SUBSCRIBES_TO]->(s)"
        )
        await laid.run(move)
        async with aclosing(await here.stream(KEPT, A, after=before_a)) as a:
            await nothing_more(a)
        async with aclosing(await here.stream(KEPT, B, after=before_b)) as b:
            assert await taken(b, 1) == [for_b]
        assert for_a.answer["data"]["alerts"]["services"][0]["serviceId"] == "service-a"


async def before(here: Process, laid: Laid, principal: Principal) -> str:
    """Give the cursor of the beginning of time."""
    now = (await end_of(laid.store, deadline=soon())).now
    cursors = StreamCursors(here.subgraph.reads.cursor_key, "alerts", scope_of(principal))
    return cursors.seal(Place(position=0, at=now, mark=""))


async def test_a_stream_is_the_same_with_and_without_what_happens_to_others(laid: Laid) -> None:
    async with process(laid.store) as here:
        alone = await story(laid, here, others=False)
        beside = await story(laid, here, others=True)
    assert alone == beside
    assert len(alone) == 6


async def story(laid: Laid, here: Process, *, others: bool) -> list[bytes]:
    """Let alarms come and go on what customer-a has, and `others` on what customer-b has alone; give what a hears."""
    numbers = itertools.count(1_000 if others else 1)
    heard: list[StreamEvent] = []
    async with aclosing(await here.stream(WHOLE, A)) as stream:
        raised = []
        for target, of_b in (("card-1", "port-b"), ("trunk-2", "port-c"), ("port-a", "port-b")):
            if others:
                other = await laid.raise_(report(of_b, next(numbers)))
            raised.append(await laid.raise_(report(target, next(numbers))))
            heard += await taken(stream, 1)
            if others:
                await laid.clear(other, key=other)
        for each in raised:
            await laid.clear(each, key=each)
            heard += await taken(stream, 1)
        await nothing_more(stream)
    return normal(heard)


def normal(heard: Sequence[StreamEvent]) -> list[bytes]:
    """Give the bytes of events, where ids of alarms and tickets, and cursors, are made of chance."""
    ids: dict[str, str] = {}
    given = []
    for each in heard:
        alert = each.answer["data"]["alerts"]
        assert each.cursor == alert["cursor"]
        text = (
            orjson.dumps({**each.answer, "length": len(each.cursor)}).replace(each.cursor.encode(), b"cursor").decode()
        )
        given.append(_ID.sub(lambda found: ids.setdefault(found[0], f"id {len(ids)}"), text).encode())
    return given


_ID = re.compile(r"(alarm|ticket)-[0-9a-f-]{36}")


# Processes -----------------------------------------------------------------------------------------------------------


async def test_two_processes_give_the_same_and_one_goes_on_where_the_other_stopped(laid: Laid, another: Store) -> None:
    async with process(laid.store) as here, process(another, name="two") as there:
        async with aclosing(await there.stream(KEPT)) as stream:
            live = await some(laid, here)
            assert await taken(stream, len(live)) == live
        async with aclosing(await there.stream(KEPT, after=live[2].cursor)) as stream:
            assert await taken(stream, len(live) - 3) == live[3:]
            alarm = await laid.raise_(report("card-1", 77))
            assert (await taken(stream, 1))[0].answer["data"]["alerts"]["alarmId"] == alarm


class Counting(Store):
    """A store that counts what is asked of it."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.product)
        self._store = store
        self.statements: list[list[object]] = []
        """the scopes that were in each statement of rows;"""
        self.services: list[object] = []
        """and those services whose owners were asked for."""

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        """Pass it on."""
        return await self._store.read(text, parameters, deadline=deadline)

    async def rows(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> list[list[object]]:
        """Note what is asked in rows, and pass it on."""
        match parameters:
            case {"batch": {"rows": [{"services": _}, *_] as rows}}:
                self.services += [row["services"] for row in rows]
            case {"batch": {"rows": rows}}:
                self.statements.append([row.get("scope") for row in rows])
        return await self._store.rows(text, parameters, deadline=deadline)

    async def write(self, work: Work[T], *, deadline: float, quiet: bool = False) -> T:
        """Pass it on."""
        return await self._store.write(work, deadline=deadline, quiet=quiet)


async def test_what_many_ask_of_one_event_is_asked_of_the_database_once(
    laid: Laid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "SECONDS", 60.0)
    counting = Counting(laid.store)
    async with process(counting) as here:
        streams = [await here.stream(WHOLE, each) for each in [A] * 20 + [B] * 20 + [OPERATOR] * 20]
        await laid.raise_(report("card-1"))
        found = [(await taken(each, 1))[0] for each in streams]
        for each in streams:
            await each.aclose()
    assert len([scope for each in counting.statements for scope in each]) == 3
    assert sorted(counting.services, key=str) == [["service-a"], ["service-b"]], "each asks for its own, and together"
    assert len({orjson.dumps(each.answer) for each in found}) == 3
    assert len({id(each) for each in found}) == len({(orjson.dumps(each.answer), each.replayed) for each in found})


async def test_scopes_of_a_kind_that_hear_of_an_event_are_in_one_statement_and_get_each_its_own(laid: Laid) -> None:
    """Live, so that all are woken by one event; a selection of which all was kept asks the graph nothing."""
    both = Principal(subject="ab", role=Role.CUSTOMER, customers=("customer-a", "customer-b"))
    asked = [(text, each) for text in (WHOLE, KEPT) for each in (A, B, both)]
    counting = Counting(laid.store)
    async with process(counting) as here:
        streams = [await here.stream(text, each) for text, each in asked]
        for each in streams:
            await beat(each)
        waiting = [asyncio.create_task(taken(each, 1)) for each in streams]
        await laid.raise_(report("card-1"))
        heard = [found for [found] in await asyncio.gather(*waiting)]
        for each in streams:
            await each.aclose()
    whole, kept = heard[:3], heard[3:]
    assert sorted(map(str, counting.statements[0])) == sorted(str([*each.customers]) for each in (A, B, both))
    assert len(counting.statements) == 1

    def services(event: StreamEvent) -> list[str]:
        return [each["serviceId"] for each in event.answer["data"]["alerts"]["services"]]

    def customers(event: StreamEvent) -> set[str]:
        tickets = event.answer["data"]["alerts"]["alarm"]["tickets"]["nodes"]
        return {each["id"] for each in tickets}

    for found in (whole, kept):
        assert [services(each) for each in found] == [["service-a"], ["service-b"], ["service-a", "service-b"]]
    of_a, of_b, of_both = map(customers, whole)
    assert (len(of_a), len(of_b), of_a | of_b) == (1, 1, of_both)
