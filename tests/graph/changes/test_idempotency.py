from __future__ import annotations

import asyncio
import contextlib
import time

import hypothesis.strategies as st
import pytest
from hypothesis import given

from graph.changes.idempotency import KEPT_MS, Asked, keep_swept, once, sweep
from graph.changes.outcome import Outcome, UserError, as_text, outcome_of
from graph.errors import Refused
from graph.model.scope import Principal, Role
from graph.store.store import Transaction
from tests.graph.changes.conftest import OPERATOR, Scene

RECORDS = "MATCH (i:Idempotency) RETURN i.key, i.expiresAt ORDER BY i.key"
AGE = "MATCH (i:Idempotency) SET i.expiresAt = timestamp() - 1"
words = st.text(st.characters(exclude_categories=["Cs"]))
errors = st.builds(UserError, message=words, code=words, path=st.lists(words).map(tuple))
outcomes = st.builds(Outcome, ids=st.dictionaries(words, words), user_errors=st.lists(errors).map(tuple))


def asked(key: str = "k", *, subject: str = "s", operation: str = "test", **given: object) -> Asked:
    return Asked(subject=subject, client_key=key, operation=operation, input=given)


async def tell(scene: Scene) -> Outcome:
    """Make a change that is another one each time it is made, always under one key."""

    async def change(transaction: Transaction) -> Outcome:
        [[event]] = await transaction.run("CREATE (e:Event {id: 'event-' + randomUUID()}) RETURN e.id", {})
        return Outcome(ids={"event": str(event)})

    return await once(scene.store, asked("told"), change, deadline=time.monotonic() + 60)


async def in_ten_seconds(scene: Scene, most: int = 100) -> int:
    return await sweep(scene.store, most=most, deadline=time.monotonic() + 10)


@given(outcomes)
def test_an_outcome_is_read_as_it_was_kept(outcome: Outcome) -> None:
    assert outcome_of(as_text(outcome)) == outcome


def test_the_key_tells_the_principal_from_what_it_chose() -> None:
    assert asked("bc", subject="a").key != asked("c", subject="ab").key
    assert asked("k", subject="a").key != asked("k", subject="b").key
    assert asked("k").key == asked("k", operation="other", x=1).key


def test_the_hash_is_of_the_operation_and_its_input_in_any_order() -> None:
    assert asked(a=1, b=2).request_hash == asked("other", subject="t", b=2, a=1).request_hash
    assert asked(a=1).request_hash != asked(a=2).request_hash
    assert asked(a=1).request_hash != asked(operation="other", a=1).request_hash


@pytest.mark.parametrize("key", [pytest.param("", id="empty"), pytest.param("k" * 256, id="too long")])
async def test_a_key_that_is_none_is_refused_before_anything_runs(scene: Scene, key: str) -> None:
    with pytest.raises(Refused) as refused:
        await scene.acknowledge(key)
    assert (refused.value.code, refused.value.path) == ("BAD_USER_INPUT", ("idempotencyKey",))
    assert await scene.rows(RECORDS) == []


async def test_asked_again_the_outcome_is_the_same_and_nothing_is_written(scene: Scene) -> None:
    first = await scene.acknowledge("k")
    records = await scene.rows(RECORDS)
    await scene.run("MATCH (a:Alarm {id: 'alarm-0'}) SET a.ackState = 'unacknowledged'", {})
    assert await scene.acknowledge("k") == first
    assert await scene.rows("MATCH (a:Alarm {id: 'alarm-0'}) RETURN a.ackState") == [["unacknowledged"]]
    assert await scene.events() == [["alarm-0", 1]]
    assert await scene.rows(RECORDS) == records


async def test_a_user_error_is_remembered_too(scene: Scene) -> None:
    first = await scene.acknowledge("k", alarm="alarm-late")
    await scene.run("CREATE (:Alarm {id: 'alarm-late', ackState: 'unacknowledged'})", {})
    assert await scene.acknowledge("k", alarm="alarm-late") == first
    assert await scene.events() == []


async def test_a_key_is_refused_for_another_input(scene: Scene) -> None:
    await scene.acknowledge("k")
    with pytest.raises(Refused) as refused:
        await scene.acknowledge("k", alarm="alarm-1")
    assert (refused.value.code, refused.value.path) == ("IDEMPOTENCY_CONFLICT", ("idempotencyKey",))
    assert await scene.events() == [["alarm-0", 1]]


async def test_a_key_is_of_one_principal_only(scene: Scene) -> None:
    await scene.acknowledge("k")
    await scene.acknowledge("k", alarm="alarm-1", principal=Principal(subject="9:issuer-b:ann", role=Role.OPERATOR))
    assert await scene.events() == [["alarm-0", 1], ["alarm-1", 1]]


async def test_many_calls_at_once_with_one_key_have_one_effect_and_one_outcome(scene: Scene) -> None:
    outcomes = await asyncio.gather(*(scene.acknowledge("k") for _ in range(32)))
    assert outcomes == [Outcome(ids={"alarm": "alarm-0"})] * 32
    assert await scene.events() == [["alarm-0", 1]]
    assert len(await scene.rows(RECORDS)) == 1


async def test_of_two_changes_at_once_under_one_key_one_is_refused(scene: Scene) -> None:
    alarms = [f"alarm-{number % 2}" for number in range(16)]
    answers = await asyncio.gather(*(scene.acknowledge("k", alarm) for alarm in alarms), return_exceptions=True)
    [[winner, version]] = await scene.events()
    assert version == 1
    for alarm, answer in zip(alarms, answers, strict=True):
        if alarm == winner:
            assert answer == Outcome(ids={"alarm": alarm})
        else:
            assert isinstance(answer, Refused)
            assert answer.code == "IDEMPOTENCY_CONFLICT"


async def test_a_change_that_fails_leaves_no_record(scene: Scene) -> None:
    async def fails(transaction: Transaction) -> Outcome:
        await transaction.run("CREATE (:Event {id: 'event-half'})", {})
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        await once(scene.store, asked(), fails, deadline=time.monotonic() + 10)
    assert await scene.rows(RECORDS) == []
    assert await scene.events() == []


async def test_a_record_lives_for_a_day_by_the_clock_of_the_database(scene: Scene) -> None:
    before = await scene.now()
    await scene.acknowledge("k")
    after = await scene.now()
    [[_, expires_at]] = await scene.rows(RECORDS)
    assert isinstance(expires_at, int)
    assert before <= expires_at - KEPT_MS <= after


async def test_an_expired_record_is_claimed_anew_by_one(scene: Scene) -> None:
    for _ in range(4):
        outcomes = await asyncio.gather(*(tell(scene) for _ in range(16)))
        assert len({outcome.ids["event"] for outcome in outcomes}) == 1
        await scene.run(AGE, {})
    assert len(await scene.events()) == 4
    assert len(await scene.rows(RECORDS)) == 1


async def test_a_sweep_takes_expired_records_in_batches_and_no_others(scene: Scene) -> None:
    for number in range(5):
        await scene.acknowledge(f"k{number}")
    await scene.run(AGE, {})
    await scene.acknowledge("alive", alarm="alarm-1")
    assert [await in_ten_seconds(scene, most=3) for _ in range(3)] == [3, 2, 0]
    [[key, _]] = await scene.rows(RECORDS)
    assert key == asked("alive", subject=OPERATOR.subject).key


async def test_what_expires_later_is_swept_too(scene: Scene) -> None:
    sweeping = asyncio.create_task(keep_swept(scene.store, every=0.05))
    try:
        for key in ("k1", "k2"):
            await scene.acknowledge(key)
            await scene.run(AGE, {})
            async with asyncio.timeout(60):
                while await scene.rows(RECORDS):  # noqa: ASYNC110  the database tells nobody
                    await asyncio.sleep(0.02)
    finally:
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)


async def test_a_sweep_spares_the_record_that_is_claimed_anew_beside_it(scene: Scene) -> None:
    await scene.acknowledge("k")
    await scene.run(AGE, {})
    claimed, swept = asyncio.Event(), asyncio.Event()

    async def slow(_: Transaction) -> Outcome:
        claimed.set()
        # The embedded database lets the sweep pass and then sends one of the two back; Neo4j lets it wait for us.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(swept.wait(), timeout=0.5)
        return Outcome(ids={"test": "again"})

    async def sweeping() -> None:
        await claimed.wait()
        await in_ten_seconds(scene)
        swept.set()

    mine = asked("k", subject=OPERATOR.subject)
    await asyncio.gather(once(scene.store, mine, slow, deadline=time.monotonic() + 10), sweeping())
    assert await once(scene.store, mine, slow, deadline=time.monotonic() + 10) == Outcome(ids={"test": "again"})
    [[_, expires_at]] = await scene.rows(RECORDS)
    assert isinstance(expires_at, int)
    assert expires_at > await scene.now()


async def test_a_key_that_is_swept_and_claimed_at_once_has_one_effect(scene: Scene) -> None:
    for _ in range(8):
        calls = asyncio.gather(*(tell(scene) for _ in range(8)))
        sweeps = asyncio.gather(*(in_ten_seconds(scene) for _ in range(4)))
        assert len({outcome.ids["event"] for outcome in await calls}) == 1
        await sweeps
        assert len(await scene.rows(RECORDS)) == 1
        await scene.run(AGE, {})
    assert len(await scene.events()) == 8
