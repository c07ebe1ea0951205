"""What a store of the last version holds becomes what this one relies on; nothing of it is lost, or comes twice."""

from __future__ import annotations

import pytest

from graph.ledger.backlog import system_backlogs
from graph.ledger.claims import claim
from graph.ledger.lanes import lane_of, take_lanes
from graph.ledger.outcomes import Done, settle
from graph.model.model import SCHEMA_VERSION, searchable
from graph.store.migrate import migrate, schema_state
from graph.store.migrations import words
from graph.store.store import Store, Transaction
from tests.graph.changes.network import AT, Laid, lay, report, soon
from tests.graph.ledger.asking import rows, run

DELIVERY = """
CREATE (:Delivery {
  id: $system + $key + ':' + toString($version), system: $system, subject: 's', lane: $lane, orderKey: $key, version: $version,
  state: $state, attempts: 1, createdAt: $version, nextAt: $version, payload: '{}',
  waiting: CASE WHEN $state = 'READY' THEN $lane END, parked: CASE WHEN $state = 'DEAD' THEN $lane END
})
"""
"""As version 4 wrote it."""
FOUND = """
MATCH (d:Delivery {orderKey: $key})
RETURN d.version, d.waiting IS NOT NULL, d.held IS NOT NULL, d.due IS NOT NULL, d.queued, d.openKey ORDER BY d.version
"""


@pytest.fixture
async def old(empty_store: Store) -> Store:
    """A store whose data are of version 4."""
    await run(empty_store, "MATCH (v:SchemaVersion) SET v.version = 4")
    return empty_store


async def delivery(store: Store, key: str, version: int, state: str, system: str = "desk", lane: str = "") -> None:
    given = {"key": key, "version": version, "state": state, "system": system}
    await run(store, DELIVERY, **given, lane=lane or lane_of(system, key))


async def test_the_version_is_the_last_one_when_all_is_done(old: Store) -> None:
    before = await migrate(old, deadline=soon())
    assert (before.version, before.is_current) == (4, False)
    assert (await schema_state(old, deadline=soon())).version == SCHEMA_VERSION


async def test_every_name_gets_its_words_page_by_page(old: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_AT_ONCE", 2)
    sites = (5, 1, 4, 2, 3)
    for number in sites:
        given = {"id": f"site-{number}", "name": f"Köln/{number}"}
        await run(old, "CREATE (:Site {id: $id, name: $name, words: 'old'})", **given)
    await migrate(old, deadline=soon())
    found = await rows(old, "MATCH (s:Site) RETURN s.name, s.words")
    assert len(found) == len(sites)
    assert all(said == searchable(str(name), "old") for name, said in found)


async def test_words_that_version_8_spelled_as_one_are_parted(empty_store: Store) -> None:
    """Those of the name go, and what a load gave beside it is spelled anew."""
    await run(empty_store, "MATCH (v:SchemaVersion) SET v.version = 8")
    spelled = "".join(f"u{ord(c):05x}" for c in "5\uce35")
    beside = "".join(f"u{ord(c):05x}" for c in "b\ud1b5")
    given = {"id": "site-1", "name": "5\uce35 \u6771\u4eac", "words": f"{spelled} u06771u04eac u04eac {beside} given"}
    await run(empty_store, "CREATE (:Site {id: $id, name: $name, words: $words})", **given)
    await migrate(empty_store, deadline=soon())
    [[said]] = await rows(empty_store, "MATCH (s:Site) RETURN s.words")
    assert said == "5 u0ce35 u06771u04eac u04eac b u0d1b5 given"


async def test_what_waits_is_due_in_order_and_what_is_behind_a_parked_one_is_held(old: Store) -> None:
    for version, state in ((1, "DONE"), (2, "READY"), (3, "READY")):
        await delivery(old, "plain", version, state)
    for version, state in ((1, "DONE"), (2, "DEAD"), (3, "READY"), (4, "READY")):
        await delivery(old, "stuck", version, state)
    await delivery(old, "early", 1, "READY", lane="desk#0")  # from before there were sixteen lanes
    await delivery(old, "early", 2, "READY")
    await delivery(old, "plain", 1, "READY", system="billing")  # another system's, by the same order key
    for _ in range(2):
        await migrate(old, deadline=soon())
        await run(old, "MATCH (v:SchemaVersion) SET v.version = 4")  # as if it had been cut before the end
    assert await rows(old, FOUND, key="stuck") == [
        [1, False, False, False, None, None],
        [2, False, False, False, None, "stuck"],
        [3, False, True, False, None, "stuck"],
        [4, False, True, False, None, "stuck"],
    ]
    assert await rows(old, FOUND, key="early") == [
        [1, True, False, True, "desk#1", "early"],
        [2, True, False, False, None, "early"],
    ]
    leases = await take_lanes(old, "desk", owner="one", ttl_ms=60_000, deadline=soon())
    told = []
    while claims := await claim(old, leases, most=99, hold_ms=0, deadline=soon()):
        told += sorted((each.order_key, each.version) for each in claims)

        async def work(transaction: Transaction, claims: list = claims) -> None:  # type: ignore[type-arg]  # of claims
            await settle(transaction, [Done(claim=each) for each in claims])

        await old.write(work, deadline=soon())
    assert told == [("early", 1), ("plain", 2), ("early", 2), ("plain", 3)]
    [backlog] = await system_backlogs(old, deadline=soon())
    assert (backlog.waiting, backlog.held, backlog.parked, backlog.reasons) == (0, 2, 1, {"unknown": 1})


async def test_an_alarm_is_found_by_its_next_report(old: Store) -> None:
    await lay(old)
    laid = Laid(store=old)
    named, unnamed = report("trunk-1", 1), report("trunk-2", None)
    before = [await laid.raise_(each) for each in (named, unnamed)]
    await run(old, "MATCH (a:Alarm) SET a.identity = null")
    await migrate(old, deadline=soon())
    for alarm, known in zip((named, unnamed), before, strict=True):
        again = report(alarm.alarmed_object, 1 if alarm is named else None, raised_at=AT, record={"told": "again"})
        assert await laid.raise_(again) == known


async def test_a_boost_that_ran_has_begun_at_its_start_and_is_over_where_its_end_has_passed(old: Store) -> None:
    for key, status, end in (
        ("1", "activated", 9_000),
        ("2", "activated", 9_000_000_000_000),
        ("3", "scheduled", 9_000),
    ):
        given = {"id": f"boost-{key}", "status": status, "end": end}
        await run(old, "CREATE (:Boost {id: $id, status: $status, startAt: 5000, endAt: $end})", **given)
    await migrate(old, deadline=soon())
    found = "MATCH (b:Boost) RETURN b.status, b.statusReason, b.activatedAt, b._askedAt, b.endedAt ORDER BY b.id"
    assert await rows(old, found) == [
        ["TERMINATED", "DURATION_EXPIRED", 5_000, 5_000, 9_000],
        ["ACTIVATED", None, 5_000, 5_000, None],
        ["SCHEDULED", None, None, None, None],
    ]
