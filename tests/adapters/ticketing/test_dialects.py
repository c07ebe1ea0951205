"""What every dialect of `Ticketing` owes, whatever system is behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog.testing

from adapters.errors import AdapterError, Busy, Nonsense, Rejected, TimedOut, Unreachable
from adapters.simulator.faults import Faults, Kind, Rule
from adapters.simulator.journal import read_journal
from adapters.ticketing import REPORTED, AffectedService, TicketHistory, TicketOrder, TicketState, TicketUpdate
from tests.adapters.conftest import KEY, order, soon
from tests.adapters.ticketing.desks import DESKS, Desk


@pytest.fixture(params=sorted(DESKS))
async def desk(request: pytest.FixtureRequest, journal: Path) -> AsyncIterator[Desk]:
    async with DESKS[request.param](journal) as found:
        yield found


async def opened(desk: Desk, key: str = KEY) -> TicketState:
    return await desk.ticketing.open(order(key, note=""), delivery_id=f"event-1:t:{key}", deadline=soon())


async def amended(desk: Desk, state: TicketState, wanted: TicketOrder, delivery: str = "event-2:t:c") -> TicketState:
    return await desk.ticketing.amend(state.id, wanted, delivery_id=delivery, deadline=soon())


async def notes(desk: Desk, state: TicketState) -> list[tuple[str, str]]:
    history = (await desk.ticketing.histories([state.id], deadline=soon()))[state.id]
    assert isinstance(history, TicketHistory)
    return [(each.author, each.text) for each in history.notes]


async def test_nothing_holds_it_back(desk: Desk) -> None:
    assert desk.ticketing.retry_at is None


async def test_what_was_opened_is_found_by_our_key(desk: Desk) -> None:
    assert await desk.ticketing.find(KEY, deadline=soon()) is None
    state = await opened(desk)
    await opened(desk, "alarm-8:customer-3")
    assert (state.external_id, state.status, state.severity) == (KEY, "acknowledged", "major")
    assert state.changed_at is not None
    assert await desk.ticketing.find(KEY, deadline=soon()) == state


@pytest.mark.parametrize("key", ["alarm:1,2:customer \u00e4&x=#2", "o'clock", "back\\slash\\", '"', "' OR id > 0"])
async def test_a_key_is_found_whatever_is_in_it(desk: Desk, key: str) -> None:
    await opened(desk)
    state = await opened(desk, key)
    assert await desk.ticketing.find(key, deadline=soon()) == state


async def test_a_key_that_differs_in_its_letters_only_is_another(desk: Desk) -> None:
    await opened(desk, KEY.upper())
    assert await desk.ticketing.find(KEY, deadline=soon()) is None


async def test_of_several_with_one_key_the_first_counts_and_the_log_says_so(desk: Desk) -> None:
    first, second = await opened(desk), await opened(desk)
    with structlog.testing.capture_logs() as lines:
        assert await desk.ticketing.find(KEY, deadline=soon()) == first
    [line] = lines
    assert (line["key"], line["tickets"]) == (KEY, [first.id, second.id])


async def test_it_gets_worse_is_resolved_and_comes_back(desk: Desk) -> None:
    state = await opened(desk)
    for status, severity, then in (
        ("acknowledged", "critical", "acknowledged"),
        ("resolved", "minor", "resolved"),
        ("inProgress", "warning", "inProgress"),
    ):
        done = await amended(desk, state, order(status=status, severity=severity), f"event-{status}:t:c")
        assert (done.id, done.status, done.severity) == (state.id, then, severity)
        assert await desk.ticketing.find(KEY, deadline=soon()) == done


async def test_told_twice_it_is_noted_once(desk: Desk) -> None:
    state = await opened(desk)
    for _ in range(3):
        await amended(desk, state, order(note="Now worse", severity="critical"))
    await amended(desk, state, order(note="Now worse", severity="critical"), "event-3:t:c")
    assert await notes(desk, state) == [("trunkline", "Now worse")] * 2


async def test_what_people_wrote_stays(desk: Desk) -> None:
    state = await opened(desk)
    await desk.write(state.id, "On my way")
    await amended(desk, state, order(note="Now worse"))
    assert sorted(await notes(desk, state)) == [("grace", "On my way"), ("trunkline", "Now worse")]


@pytest.mark.sampled(8)
@pytest.mark.parametrize(
    ("there", "wanted", "then"),
    [
        ("acknowledged", "acknowledged", "acknowledged"),
        ("acknowledged", "inProgress", "inProgress"),
        ("inProgress", "acknowledged", "inProgress"),
        ("pending", "acknowledged", "pending"),
        ("pending", "inProgress", "pending"),
        ("held", "inProgress", "held"),
        ("rejected", "inProgress", "rejected"),
        ("held", "resolved", "resolved"),
        ("rejected", "resolved", "resolved"),
        ("resolved", "resolved", "resolved"),
        ("resolved", "inProgress", "inProgress"),
        ("resolved", "acknowledged", "acknowledged"),
    ],
)
async def test_a_status_that_people_set_is_not_taken_back(desk: Desk, there: str, wanted: str, then: str) -> None:
    if there not in desk.settable:
        pytest.skip(f"nobody can set {there} there")
    state = await opened(desk)
    await desk.set_status(state.id, there)
    assert (await amended(desk, state, order(status=wanted))).status == then


async def test_one_that_was_closed_there_is_not_touched(desk: Desk, journal: Path) -> None:
    for number, status in enumerate(desk.final):
        state = await opened(desk, f"{KEY}#{number}")
        await desk.set_status(state.id, status)
        heard = read_journal(journal)
        with pytest.raises(Rejected) as caught:
            await amended(desk, state, order(f"{KEY}#{number}", status="resolved"))
        assert caught.value.status == 409
        assert read_journal(journal) == heard
        [known] = await desk.ticketing.states([state.id], deadline=soon())
        assert (known.id, known.external_id, known.status) == (state.id, f"{KEY}#{number}", status)


@pytest.mark.parametrize("their_id", ["99", "TT-9"])
async def test_one_that_is_gone_is_rejected(desk: Desk, their_id: str) -> None:
    with pytest.raises(Rejected) as caught:
        await desk.ticketing.amend(their_id, order(), delivery_id="d", deadline=soon())
    assert caught.value.status == 404


async def test_one_with_another_key_is_none_of_ours(desk: Desk, journal: Path) -> None:
    state = await opened(desk, "someone-elses")
    heard = read_journal(journal)
    with pytest.raises(Nonsense):
        await amended(desk, state, order())
    assert read_journal(journal) == heard
    assert await desk.ticketing.find("someone-elses", deadline=soon()) == state


async def test_states_are_read_in_chunks(desk: Desk) -> None:
    states = [await opened(desk, f"key-{number}") for number in range(53)]
    ids = [each.id for each in states]
    found = await desk.ticketing.states([*ids, ids[0], "TT-unknown", "9999"], deadline=soon(20))
    assert sorted(found, key=lambda each: ids.index(each.id)) == states
    assert await desk.ticketing.states([], deadline=soon()) == []


async def test_a_history_is_told_oldest_first(desk: Desk) -> None:
    state, other = await opened(desk), await opened(desk, "other")
    await desk.set_status(state.id, "inProgress")
    await desk.write(state.id, "On my way")
    await desk.set_status(state.id, "pending")
    await desk.write(other.id, "Not for you")
    told = await desk.ticketing.histories([state.id, "TT-unknown", "9999"], deadline=soon())
    history = told[state.id]
    assert isinstance(history, TicketHistory)
    assert len(told) == 1
    assert (history.id, history.external_id) == (state.id, KEY)
    assert [(each.text, each.author) for each in history.notes] == [("On my way", "grace")]
    assert [each.status for each in history.changes] == ["acknowledged", "inProgress", "pending"]
    assert None not in [each.at for each in history.notes] + [each.at for each in history.changes]
    assert await desk.ticketing.histories([], deadline=soon()) == {}


async def test_what_people_report_about_services_is_found(desk: Desk) -> None:
    ours, closed = await opened(desk), await desk.report("service-8")
    await desk.set_status(closed, "resolved")
    reported = await desk.report("service-9", "L2-77")
    found = {each.state.id: each for each in await desk.ticketing.reported(since=None, deadline=soon())}
    assert found[reported].services == ("service-9", "L2-77")
    assert found[reported].state.external_id is None
    assert found[reported].state.status == "acknowledged"
    assert found[ours.id].state.external_id == KEY
    assert closed not in found, "of old it gives what is open only"
    since = found[reported].state.changed_at
    assert since is not None
    news = {each.state.id: each for each in await desk.ticketing.reported(since=since - 1, deadline=soon())}
    assert news[reported] == found[reported]
    for_ever = await desk.ticketing.reported(since=since + 2 * 86_400_000, deadline=soon())
    assert for_ever == []


@pytest.fixture
def faults(desk: Desk) -> Faults:
    if desk.faults is None:
        pytest.skip("a real system does not misbehave to order")
    return desk.faults


FAILURES = [
    pytest.param(Rule(kind=Kind.DOWN), Unreachable, id="down"),
    pytest.param(Rule(kind=Kind.SLOW, seconds=2), TimedOut, id="slow"),
    pytest.param(Rule(kind=Kind.ERROR), Busy, id="500"),
    pytest.param(Rule(kind=Kind.UNAVAILABLE), Busy, id="503"),
    pytest.param(Rule(kind=Kind.TOO_MANY, seconds=3), Busy, id="429"),
    pytest.param(Rule(kind=Kind.SILENT), Unreachable, id="acted, answered nothing"),
    pytest.param(Rule(kind=Kind.TRUNCATED), Unreachable, id="acted, answered half"),
    pytest.param(Rule(kind=Kind.HTML), Nonsense, id="HTML with 200"),
    pytest.param(Rule(kind=Kind.FOREIGN), Nonsense, id="acted, answered of another"),
]
ACTED = {Kind.SILENT, Kind.TRUNCATED, Kind.FOREIGN}


@pytest.mark.sampled(8)
@pytest.mark.parametrize(("rule", "error"), FAILURES)
async def test_every_fault_is_told_apart_and_may_have_happened_where_it_has(
    desk: Desk, faults: Faults, rule: Rule, error: type[AdapterError]
) -> None:
    await opened(desk, "before")
    faults.order(replace(rule, method="POST"))
    with pytest.raises(error) as caught:
        await desk.ticketing.open(order(), delivery_id="d", deadline=soon(0.5))
    faults.behave()
    done = int(rule.kind in ACTED)
    assert caught.value.may_have_happened or not done
    assert desk.keys().count(KEY) == done
    if isinstance(caught.value, Busy):
        assert caught.value.retry_after == (3.0 if caught.value.status == 429 else None)
    assert (await desk.ticketing.find(KEY, deadline=soon()) is not None) is bool(done)


@pytest.mark.sampled(8)
@pytest.mark.parametrize(("rule", "error"), FAILURES)
async def test_every_fault_is_told_apart_when_reading(
    desk: Desk, faults: Faults, rule: Rule, error: type[AdapterError]
) -> None:
    state = await opened(desk)
    faults.order(replace(rule))
    with pytest.raises(error):
        await desk.ticketing.states([state.id], deadline=soon(0.5))
    faults.order(replace(rule))
    with pytest.raises(error):
        await desk.ticketing.find(KEY, deadline=soon(0.5))
    faults.order(replace(rule))
    with pytest.raises(error):
        await desk.ticketing.amend(state.id, order(severity="critical"), delivery_id="d", deadline=soon(0.5))


# What people ask of tickets -----------------------------------------------------------------------------------------


async def updated(desk: Desk, their_id: str, delivery: str = "event-5:t:c", **wanted: str | None) -> TicketState:
    given = {"external_id": KEY, "author": "Ada Ltd", "text": "Still slow.\n\nSince noon: very.", **wanted}
    update = TicketUpdate(**given)  # type: ignore[arg-type]  # as given by name
    return await desk.ticketing.update(their_id, update, delivery_id=delivery, deadline=soon())


async def test_a_problem_is_opened_without_an_alarm(desk: Desk, journal: Path) -> None:
    problem = replace(order(KEY, note=""), alarm_id="", ticket_type="problem", description="It is slow")
    problem = replace(problem, services=(AffectedService(id="service-9", effect=REPORTED),))
    state = await desk.ticketing.open(problem, delivery_id="event-1:t:c", deadline=soon())
    assert (state.external_id, state.status) == (KEY, "acknowledged")
    told = str(read_journal(journal)) if desk.faults else ""
    assert "Alarm" not in told


async def test_what_somebody_writes_is_noted_once_in_its_name_and_changes_nothing_else(desk: Desk) -> None:
    state = await opened(desk)
    for _ in range(2):
        assert (await updated(desk, state.id)).status == "acknowledged"
    await updated(desk, state.id, "event-6:t:c", text="And now?", author="Ada: Ltd")
    assert await notes(desk, state) == [("Ada Ltd", "Still slow.\n\nSince noon: very."), ("Ada: Ltd", "And now?")]


async def test_what_is_written_on_a_resolved_ticket_leaves_it_resolved(desk: Desk) -> None:
    state = await opened(desk)
    await desk.set_status(state.id, "resolved")
    assert (await updated(desk, state.id)).status == "resolved"
    [there] = await desk.ticketing.states([state.id], deadline=soon())
    assert there.status == "resolved"


async def test_a_resolved_ticket_is_opened_again_once(desk: Desk) -> None:
    state = await opened(desk)
    await desk.set_status(state.id, "resolved")
    assert (await updated(desk, state.id, status="inProgress")).status == "inProgress"
    await desk.set_status(state.id, "resolved")
    assert (await updated(desk, state.id, status="inProgress")).status == "resolved", "that was done before"
    assert len(await notes(desk, state)) == 1


async def test_one_that_people_have_opened_again_stays_as_they_have_it(desk: Desk) -> None:
    state = await opened(desk)
    await desk.set_status(state.id, "pending")
    assert (await updated(desk, state.id, status="inProgress")).status == "pending"


@pytest.mark.parametrize("before", ["acknowledged", "pending", "resolved"])
async def test_a_ticket_is_closed_as_far_as_the_system_has_a_word_for_it(desk: Desk, before: str) -> None:
    state = await opened(desk)
    await desk.set_status(state.id, before)
    for _ in range(2):
        closed = await updated(desk, state.id, status="closed")
        assert closed.status == ("closed" if "closed" in desk.final else "resolved")
    assert len(await notes(desk, state)) == 1


async def test_nothing_is_written_on_one_that_is_over_there(desk: Desk) -> None:
    state = await opened(desk)
    await desk.set_status(state.id, desk.final[-1])
    with pytest.raises(Rejected) as rejected:
        await updated(desk, state.id)
    assert rejected.value.status == 409


async def test_nothing_is_written_on_one_that_is_gone_or_anothers(desk: Desk) -> None:
    with pytest.raises(Rejected) as rejected:
        await updated(desk, "999999")
    assert rejected.value.status == 404
    state = await opened(desk, "alarm-8:customer-3")
    with pytest.raises(Nonsense):
        await updated(desk, state.id)
    assert await notes(desk, state) == []


async def test_people_are_written_to_on_a_ticket_of_theirs(desk: Desk) -> None:
    their_id = await desk.report("service-1")
    state = await updated(desk, their_id, external_id=None, status="closed")
    assert (state.id, state.status) == (their_id, "closed" if "closed" in desk.final else "resolved")
    assert await notes(desk, state) == [("Ada Ltd", "Still slow.\n\nSince noon: very.")]
