"""What is of TMF621 only; what every dialect owes is in test_dialects.py."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import pytest
import structlog.testing

from adapters.errors import Nonsense, Rejected
from adapters.passed_over import PassedOver
from adapters.simulator.journal import read_journal
from adapters.simulator.ticketing.ticketing import TicketingSystem
from adapters.ticketing import (
    ORDERED,
    AffectedService,
    TicketHistory,
    Ticketing,
    TicketOrder,
    TicketState,
    TicketUpdate,
)
from adapters.ticketing.outbound.tmf621 import CHUNK, Tmf621
from adapters.ticketing.tmf621_resource import change, creation, update
from graph.model.vocabulary import SEVERITIES, TICKET_STATES
from tests.adapters.conftest import JSON, KEY, asking, http, order, saying, soon
from tests.adapters.schema import faults, published

AT = 1_772_366_400_000
HERE = {
    "id": "TT-1",
    "externalId": KEY,
    "status": "acknowledged",
    "severity": "major",
    "lastUpdate": "2026-03-01T12:00:00Z",
    "creationDate": "2026-03-01T12:00:00Z",
}


async def opened(ticketing: Tmf621, key: str = KEY) -> TicketState:
    return await ticketing.open(order(key), delivery_id=f"event-1:ticketing:{key}", deadline=soon())


def kept(system: TicketingSystem, state: TicketState) -> dict[str, Any]:
    ticket = system.tickets.get(state.id)
    assert ticket is not None
    return ticket


def test_it_is_ticketing_as_everyone_else_sees_it(ticketing: Tmf621) -> None:
    seen: Ticketing = ticketing
    assert seen.retry_at is None


async def test_a_ticket_says_whose_it_is_and_what_it_is_about(system: TicketingSystem, ticketing: Tmf621) -> None:
    ticket = kept(system, await opened(ticketing))
    assert ticket["ticketType"] == "fault"
    assert ticket["relatedParty"] == [
        {"id": "customer-3", "name": "Ada", "role": "customer", "@referredType": "Customer"}
    ]
    assert ticket["relatedEntity"] == [
        {"id": "alarm-7", "role": "cause", "@referredType": "Alarm"},
        {"id": "service-1", "role": "down", "@referredType": "Service"},
        {"id": "service-2", "role": "atRisk", "@referredType": "Service"},
    ]
    assert [each["text"] for each in ticket["note"]] == ["Loss of signal"]


async def test_the_delivery_is_named_in_every_change(ticketing: Tmf621, journal: Path) -> None:
    state = await opened(ticketing)
    await ticketing.amend(state.id, order(severity="critical"), delivery_id="event-2:t:c", deadline=soon())
    first, second = read_journal(journal)
    assert (first["method"], first["idempotencyKey"]) == ("POST", f"event-1:ticketing:{KEY}")
    assert (second["method"], second["idempotencyKey"], second["severity"]) == ("PATCH", "event-2:t:c", "critical")
    assert {first["externalId"], second["externalId"]} == {KEY}


async def test_the_first_is_the_one_that_was_created_first_wherever_it_stands() -> None:
    later = {**HERE, "id": "TT-0", "creationDate": "2026-03-01T12:00:01Z"}
    undated = {key: value for key, value in HERE.items() if key != "creationDate"} | {"id": "TT-00"}
    body = orjson.dumps([undated, later, HERE])
    async with saying(http("200 OK", body, JSON)) as server, asking(server.address) as transport:
        state = await Tmf621(transport).find(KEY, deadline=soon())
    assert state is not None
    assert state.id == "TT-1"


class TestAmending:
    """A ticket that people work on, too."""

    async def amended(self, ticketing: Tmf621, state: TicketState, wanted: TicketOrder, delivery: str = "d2") -> Any:
        return await ticketing.amend(state.id, wanted, delivery_id=delivery, deadline=soon())

    async def test_it_is_resolved(self, system: TicketingSystem, ticketing: Tmf621) -> None:
        state = await opened(ticketing)
        done = await self.amended(ticketing, state, order(status="resolved", severity="minor", note="It has cleared"))
        assert (done.id, done.status, done.severity) == (state.id, "resolved", "minor")
        ticket = kept(system, state)
        assert [each["status"] for each in ticket["statusChange"]] == ["acknowledged", "resolved"]
        assert ticket["statusChange"][-1]["changeReason"] == "It has cleared"
        assert [each["text"] for each in ticket["note"]] == ["Loss of signal", "It has cleared"]

    async def test_what_people_wrote_stays(
        self, system: TicketingSystem, ticketing: Tmf621, person: httpx.AsyncClient
    ) -> None:
        state = await opened(ticketing)
        ticket = kept(system, state)
        theirs = {"id": "van-1", "role": "repairer", "@referredType": "Vehicle"}
        written = {
            "note": [*ticket["note"], {"author": "Grace", "text": "On my way"}],
            "relatedEntity": [theirs, *ticket["relatedEntity"]],
            "name": "Grace's",
        }
        await person.patch(f"/troubleTicket/{state.id}", json=written)
        await self.amended(ticketing, state, order(note="Now worse"))
        ticket = kept(system, state)
        assert [each["text"] for each in ticket["note"]] == ["Loss of signal", "On my way", "Now worse"]
        assert ticket["relatedEntity"][0] == theirs
        assert len(ticket["relatedEntity"]) == 4
        assert ticket["name"] == "Grace's"

    async def test_what_people_write_between_our_look_and_our_change_stays(
        self, system: TicketingSystem, ticketing: Tmf621, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        state, looks = await opened(ticketing), itertools.count()
        shown = system.tickets.get

        def get(known_as: str) -> dict[str, Any] | None:
            """Show it, and let Grace write right after the first look."""
            ticket: Any = shown(known_as)
            if next(looks) == 0:
                system.tickets.change(known_as, {"note": [*ticket["note"], {"author": "Grace", "text": "On my way"}]})
            return dict(ticket)

        monkeypatch.setattr(system.tickets, "get", get)
        await self.amended(ticketing, state, order(note="Now worse"))
        texts = [each["text"] for each in kept(system, state)["note"]]
        assert texts == ["Loss of signal", "On my way", "Now worse"]

    async def test_a_list_that_is_as_it_should_be_is_left_alone(
        self, system: TicketingSystem, ticketing: Tmf621
    ) -> None:
        ticket = kept(system, await opened(ticketing))
        assert change(ticket, order(note=""), "d2", 0, {}).keys() == {"severity"}
        assert change(ticket, order(note="Now worse"), "d2", 0, {}).keys() == {"severity", "note"}

    async def test_one_with_another_key_is_none_of_ours(self, ticketing: Tmf621, journal: Path) -> None:
        state = await opened(ticketing, "someone-elses")
        with pytest.raises(Nonsense) as caught:
            await self.amended(ticketing, state, order())
        assert caught.value.where == "externalId"
        assert len(read_journal(journal)) == 1


async def test_states_are_read_in_chunks(system: TicketingSystem, ticketing: Tmf621) -> None:
    ids = [str(system.tickets.create(creation(order(f"key-{n}"), "d", AT))["id"]) for n in range(2 * CHUNK + 3)]
    states = await ticketing.states([*ids, ids[0], "TT-unknown"], deadline=soon())
    assert sorted(each.id for each in states) == sorted(ids)
    assert {each.external_id for each in states} == {f"key-{n}" for n in range(len(ids))}
    assert await ticketing.states([], deadline=soon()) == []


async def test_a_history_is_told_oldest_first(ticketing: Tmf621, person: httpx.AsyncClient) -> None:
    state = await opened(ticketing)
    await person.patch(f"/troubleTicket/{state.id}", json={"status": "held", "statusChangeReason": "Lunch"})
    late, early = {"text": "b", "date": "2026-03-02T12:00:00Z"}, {"text": "a", "date": "2026-03-01T12:00:00Z"}
    await person.patch(f"/troubleTicket/{state.id}", json={"note": [late, early, {"text": "no date", "author": "Ada"}]})
    told = await ticketing.histories([state.id, "TT-unknown"], deadline=soon())
    history = told[state.id]
    assert isinstance(history, TicketHistory)
    assert len(told) == 1
    assert (history.id, history.external_id) == (state.id, KEY)
    assert [(each.text, each.author) for each in history.notes] == [("a", ""), ("b", ""), ("no date", "Ada")]
    assert [(each.status, each.reason) for each in history.changes] == [("acknowledged", ""), ("held", "Lunch")]


@pytest.mark.parametrize(
    ("ticket", "where"),
    [
        pytest.param({"note": {}}, "note", id="notes that are no list"),
        pytest.param({"note": ["x"]}, "note[0]", id="a note that is a string"),
        pytest.param({"note": [{"text": 1}]}, "note[0].text", id="a text that is a number"),
        pytest.param({"statusChange": [{}, 1]}, "statusChange[1]", id="a change that is a number"),
    ],
)
async def test_a_history_that_makes_no_sense_is_nonsense(ticket: dict[str, object], where: str) -> None:
    body = orjson.dumps([{"id": "TT-1", "externalId": KEY, **ticket}, {"id": "TT-3", "externalId": KEY}])
    async with saying(http("200 OK", body, JSON)) as server, asking(server.address) as transport:
        told = await Tmf621(transport).histories(["TT-1", "TT-3"], deadline=soon())
    nonsense = told["TT-1"]
    assert isinstance(nonsense, Nonsense)
    assert nonsense.where == f"[0].{where}"
    assert isinstance(told["TT-3"], TicketHistory), "the other one is told"


async def test_a_history_in_words_of_its_own_is_told_as_far_as_it_can_be_read() -> None:
    notes = [{"text": "x", "date": "now"}, {"text": "y", "date": "2026-03-01T12:00Z"}]
    changes = [{"status": "awaitingVendor", "changeDate": "2026-03-01T12:00:00.000+0000"}, {"status": "New"}, {}]
    body = orjson.dumps([{"id": 1, "externalId": KEY, "note": notes, "statusChange": changes}])
    async with saying(http("200 OK", body, JSON)) as server, asking(server.address) as transport:
        told = await Tmf621(transport, statuses={"awaitingVendor": "pending"}).histories(["1"], deadline=soon())
    history = told["1"]
    assert isinstance(history, TicketHistory)
    assert [(each.text, each.at) for each in history.notes] == [("x", None), ("y", AT)]
    made = [(each.status, each.word, each.at) for each in history.changes]
    assert made == [(None, "New", None), (None, "", None), ("pending", "awaitingVendor", AT)]


async def test_a_history_that_was_not_asked_for_is_nonsense() -> None:
    body = orjson.dumps([{"id": "TT-2", "externalId": KEY}])
    async with saying(http("200 OK", body, JSON)) as server, asking(server.address) as transport:
        with pytest.raises(Nonsense) as caught:
            await Tmf621(transport).histories(["TT-1"], deadline=soon())
    assert caught.value.where == "[0].id"


class TestPassedOver:
    """One ticket that cannot be read costs the others nothing."""

    @pytest.mark.parametrize(
        "odd",
        [
            pytest.param({**HERE, "id": "TT-2", "status": "awaitingVendor"}, id="a status of its own"),
            pytest.param({**HERE, "id": None}, id="no id"),
            pytest.param("TT-2", id="no object"),
            pytest.param({**HERE, "id": "TT-2", "relatedEntity": {}, "status": None}, id="no list"),
        ],
    )
    async def test_the_others_are_heard_of_and_it_is_logged_once_and_counted(self, odd: Any) -> None:
        counted: list[str] = []
        answer = http("200 OK", orjson.dumps([odd, HERE]), JSON, "X-Total-Count: 2")
        async with saying(*[answer] * 4) as server, asking(server.address) as transport:
            ticketing = Tmf621(transport, passed_over=PassedOver("desk", counted.append))
            with structlog.testing.capture_logs() as lines:
                for _ in range(2):
                    states = await ticketing.states(["TT-1", "TT-2"], deadline=soon())
                    reported = await ticketing.reported(since=None, deadline=soon())
        assert [each.id for each in states] == ["TT-1"]
        assert [each.state.id for each in reported] == ["TT-1"]
        assert counted == ["desk"] * 4
        assert 1 <= len(lines) <= 2, "once for each item and reason"
        assert {(each["event"], each["system"]) for each in lines} == {("an item is passed over", "desk")}

    async def test_its_own_words_for_open_tickets_are_asked_for(self) -> None:
        async with saying(http("200 OK", b"[]", JSON)) as server, asking(server.address) as transport:
            ticketing = Tmf621(transport, statuses={"awaitingVendor": "pending", "over": "closed"})
            assert await ticketing.reported(since=None, deadline=soon()) == []
        [head] = server.heard
        assert b"status=acknowledged%2CinProgress%2Cpending%2Cheld%2CawaitingVendor&" in head

    @pytest.mark.parametrize(
        ("ordered", "patched"), [("acknowledged", None), ("inProgress", None), ("resolved", "resolved")]
    )
    def test_a_status_that_nobody_has_explained_gives_way_to_the_end_only(
        self, ordered: str, patched: str | None
    ) -> None:
        patch = change({**HERE, "status": "awaitingVendor"}, order(status=ordered), "d", AT, {})
        assert patch.get("status") == patched


def test_a_note_has_a_date_and_what_is_over_goes_on_to_say_what_it_was_about() -> None:
    body = creation(order(), "d", AT)
    assert body["note"] == [
        {"id": "d", "author": "trunkline", "date": "2026-03-01T12:00:00.000Z", "text": "Loss of signal"}
    ]
    over = replace(order(status="resolved", note="It is over"), services=())
    patch = change({**HERE, "relatedEntity": body["relatedEntity"]}, over, "d2", AT, {})
    assert "relatedEntity" not in patch, "a merge patch leaves what it does not name"
    assert [each["date"] for each in patch["note"]] == ["2026-03-01T12:00:00.000Z"]  # type: ignore[attr-defined]  # a list
    changed = replace(order(), services=())
    assert change({**HERE, "relatedEntity": body["relatedEntity"]}, changed, "d2", AT, {})["relatedEntity"] == [
        {"id": "alarm-7", "role": "cause", "@referredType": "Alarm"}
    ]


OURS: Final = {"id": "event-7:t:c", "author": "Ada", "text": "Look"}
THEIRS: Final = {**OURS, "id": "1"}
MORE: Final = {**OURS, "id": "2", "text": "Look again"}


@pytest.mark.parametrize(
    ("notes", "is_repeated", "is_written"),
    [
        pytest.param([OURS], False, False, id="it has our id"),
        pytest.param([THEIRS], True, False, id="it got an id of theirs"),
        pytest.param([THEIRS], False, True, id="the same was written before"),
        pytest.param([THEIRS, MORE], True, True, id="more was written since"),
        pytest.param([{**OURS, "id": "event-6:t:c"}], True, True, id="ids are kept, and this is of another delivery"),
        pytest.param([{**THEIRS, "author": "Grace"}], True, True, id="somebody else wrote it"),
        pytest.param([{**THEIRS, "date": "2026-03-01T11:59:50Z"}], True, True, id="it is from before"),
        pytest.param([{**THEIRS, "date": "2026-03-01T12:00:00Z"}], True, False, id="it has a date, in whole seconds"),
        pytest.param([], True, True, id="nothing is there"),
    ],
)
def test_a_note_is_written_once_also_where_notes_get_other_ids(
    notes: list[dict[str, str]],
    is_repeated: bool,  # noqa: FBT001 - a table
    is_written: bool,  # noqa: FBT001 - a table
) -> None:
    since = AT + 900 if is_repeated else None
    wanted = TicketUpdate(external_id=KEY, author="Ada", text="Look", repeated_since=since)
    assert bool(update({**HERE, "note": notes}, wanted, "event-7:t:c", AT, {})) == is_written
    again = replace(order(note="Look"), repeated_since=since)
    said = [{**each, "author": "trunkline" if each["author"] == "Ada" else each["author"]} for each in notes]
    assert ("note" in change({**HERE, "note": said}, again, "event-7:t:c", AT, {})) == is_written


@pytest.mark.parametrize(
    ("here", "wanted", "notes", "patched"),
    [
        pytest.param("resolved", "inProgress", [THEIRS], {"status": "inProgress"}, id="resolved since: it is reopened"),
        pytest.param("inProgress", "inProgress", [THEIRS], {}, id="it is reopened already"),
        pytest.param("inProgress", "closed", [THEIRS], {"status": "closed"}, id="it is closed"),
        pytest.param("closed", "closed", [THEIRS], {}, id="it is closed already"),
        pytest.param("resolved", None, [THEIRS], {}, id="nothing is asked but the note"),
        pytest.param("resolved", "inProgress", [OURS], {}, id="by its id it is known that all was done"),
    ],
)
def test_a_status_is_set_also_where_a_note_is_known_by_its_text_only(
    here: str, wanted: str | None, notes: list[dict[str, str]], patched: dict[str, str]
) -> None:
    asked = TicketUpdate(external_id=KEY, author="Ada", text="Look", status=wanted, repeated_since=AT)
    patch = update({**HERE, "status": here, "note": notes}, asked, "event-7:t:c", AT, {})
    assert patch == ({**patched, "statusChangeReason": "Look"} if patched else {})


async def test_a_list_in_small_pages_is_read_to_its_end() -> None:
    pages = [[{**HERE, "id": f"TT-{n}"}] for n in range(3)]
    told = [http("206 Part", orjson.dumps(page), JSON, "X-Total-Count: 3") for page in pages]
    async with saying(*told) as server, asking(server.address) as transport:
        states = await Tmf621(transport).states(["TT-0", "TT-1", "TT-2"], deadline=soon())
    assert [b"offset=%d" % n in head for n, head in enumerate(server.heard)] == [True, True, True]
    assert [each.id for each in states] == ["TT-0", "TT-1", "TT-2"]


async def test_a_list_that_has_no_end_is_nonsense() -> None:
    body = orjson.dumps([HERE])
    async with saying(http("206 Part", body, JSON, "X-Total-Count: 999999")) as server, asking(server.address) as it:
        with pytest.raises(Nonsense) as caught:
            await Tmf621(it).find(KEY, deadline=soon(20))
    assert caught.value.where == "X-Total-Count"


async def test_a_registration_has_an_id_and_is_taken_back_by_it(ticketing: Tmf621) -> None:
    first = await ticketing.subscribe("http://127.0.0.1:9/callback", deadline=soon())
    assert first
    assert await ticketing.subscribe("http://127.0.0.1:9/callback", deadline=soon()) == ""
    await ticketing.unsubscribe(first, deadline=soon())
    with pytest.raises(Rejected):
        await ticketing.subscribe("no address", deadline=soon())


class TestAnswers:
    """Checked before they are believed."""

    @pytest.mark.parametrize(
        ("answer", "where"),
        [
            pytest.param([], "body", id="a list"),
            pytest.param("TT-1", "body", id="a string"),
            pytest.param(None, "body", id="null"),
            pytest.param({**HERE, "id": True}, "id", id="an id that is true"),
            pytest.param({**HERE, "id": ""}, "id", id="an empty id"),
            pytest.param({**HERE, "id": ".."}, "id", id="an id that leads elsewhere"),
            pytest.param({**HERE, "id": None}, "id", id="no id"),
            pytest.param({**HERE, "externalId": "other"}, "externalId", id="another key"),
            pytest.param({**HERE, "externalId": None}, "externalId", id="no key"),
            pytest.param({**HERE, "externalId": 7}, "externalId", id="a key that is a number"),
        ],
    )
    async def test_what_is_no_ticket_of_ours_is_nonsense(self, answer: object, where: str) -> None:
        error = await self.failure(orjson.dumps(answer), opened)
        assert error.where == where
        listed = await self.failure(orjson.dumps([HERE, answer]), lambda it: it.find(KEY, deadline=soon()))
        assert listed.where == ("[1]" if where == "body" else f"[1].{where}")

    @pytest.mark.parametrize("answer", [HERE, None, "x", 1])
    async def test_what_is_no_list_is_nonsense(self, answer: object) -> None:
        error = await self.failure(orjson.dumps(answer), lambda it: it.find(KEY, deadline=soon()))
        assert error.where == "body"

    async def test_a_ticket_that_was_not_asked_for_is_nonsense(self) -> None:
        error = await self.failure(orjson.dumps([HERE]), lambda it: it.states(["TT-2"], deadline=soon()))
        assert error.where == "[0].id"

    @pytest.mark.parametrize(
        ("ticket", "where"),
        [
            ({**HERE, "id": "TT-2"}, "id"),
            ({**HERE, "note": "x"}, "note"),
            ({**HERE, "relatedEntity": {}}, "relatedEntity"),
        ],
    )
    async def test_another_ticket_is_not_amended(self, ticket: object, where: str) -> None:
        error = await self.failure(
            orjson.dumps(ticket), lambda it: it.amend("TT-1", order(), delivery_id="d", deadline=soon())
        )
        assert error.where == where

    @pytest.mark.parametrize(
        ("odd", "state"),
        [
            pytest.param({"status": "New"}, {"status": None}, id="a status of its own"),
            pytest.param({"status": None}, {"status": None}, id="no status"),
            pytest.param({"status": ["held"]}, {"status": None}, id="a status in a list"),
            pytest.param({"status": "awaitingVendor"}, {"status": "pending"}, id="a status that the settings explain"),
            pytest.param({"id": 55}, {"id": "55"}, id="an id that is a number"),
            pytest.param({"severity": 1}, {"severity": "1"}, id="a severity that is a number"),
            pytest.param({"severity": ["x"]}, {"severity": ""}, id="a severity in a list"),
            pytest.param({"lastUpdate": "2026-03-01T12:00Z"}, {}, id="a time without seconds"),
            pytest.param({"lastUpdate": "2026-03-01T12:00:00.000+0000"}, {}, id="a zone without a colon"),
            pytest.param({"lastUpdate": "2026-03-01T13:00+01:00[Europe/Berlin]"}, {}, id="a zone with its name"),
            pytest.param({"lastUpdate": AT}, {}, id="milliseconds"),
            pytest.param({"lastUpdate": 1772366400.000000000}, {}, id="seconds"),
            pytest.param({"lastUpdate": "yesterday"}, {"changed_at": None}, id="no time"),
            pytest.param({"lastUpdate": "2026-03-01T12:00:00"}, {"changed_at": None}, id="no zone"),
            pytest.param({"creationDate": "2026-03-01T12:00Z"}, {}, id="a creation without seconds"),
        ],
    )
    async def test_a_ticket_of_ours_in_words_of_its_own_is_ours(
        self, odd: dict[str, object], state: dict[str, object]
    ) -> None:
        usual = {"id": "TT-1", "external_id": KEY, "status": "acknowledged", "severity": "major", "changed_at": AT}
        wanted = TicketState(**{**usual, **state})  # type: ignore[arg-type]  # what each is, the table says
        body = orjson.dumps({**HERE, **odd})
        answers = http("201 Created", body, JSON), http("200 OK", b"[" + body + b"]", JSON)
        async with saying(*answers) as server, asking(server.address) as transport:
            ticketing = Tmf621(transport, statuses={"awaitingVendor": "pending"})
            assert await opened(ticketing) == wanted
            assert await ticketing.find(KEY, deadline=soon()) == wanted

    async def test_less_than_everything_is_enough(self) -> None:
        body = orjson.dumps({"id": "TT-1", "externalId": KEY, "status": "held", "severity": None})
        async with saying(http("201 Created", body, JSON)) as server, asking(server.address) as transport:
            state = await opened(Tmf621(transport))
        assert state == TicketState(id="TT-1", external_id=KEY, status="held", severity="", changed_at=None)

    async def failure(self, body: bytes, ask: Any) -> Nonsense:
        async with saying(http("200 OK", body, JSON)) as server, asking(server.address) as transport:
            with pytest.raises(Nonsense) as caught:
                await ask(Tmf621(transport))
        return caught.value


def all_orders() -> list[TicketOrder]:
    return [
        order(severity=severity, status=status, note=note)
        for severity in SEVERITIES
        for status in ORDERED
        for note in ("", "Loss of signal")
    ]


def test_what_we_send_is_what_may_be_sent() -> None:
    for each in all_orders():
        assert faults("create", creation(each, "d", AT)) == []
        for status in TICKET_STATES:
            assert faults("update", change({**HERE, "status": status}, each, "d", AT, {})) == []


def test_what_we_send_is_what_may_be_sent_by_the_published_schema() -> None:
    create, update = published("TroubleTicket_Create"), published("TroubleTicket_Update")
    for each in all_orders():
        assert [*create.iter_errors(creation(each, "d", AT))] == []
        assert [*update.iter_errors(change(HERE, each, "d", AT, {}))] == []


@pytest.mark.parametrize(
    "broken",
    [{"status": "closed"}, {"severity": "high"}, {"external_id": ""}],
)
def test_an_order_that_makes_no_sense_cannot_be_made(broken: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"high|closed|found again"):
        order(**broken)
    with pytest.raises(ValueError, match="sideways"):
        AffectedService(id="service-1", effect="sideways")
    with pytest.raises(ValueError, match="open"):
        TicketState(id="1", external_id=None, status="open", severity="", changed_at=None)
