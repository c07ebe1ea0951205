"""What waits for a person is tried again, skipped or cancelled by an operator; who did it, and why, is an event.

Rules. 1. A task is settled once; asking again for the same says the same. 2. To try again leaves the task open: it is closed when what
it asks for is done. 3. To skip means that it need not be done: a parked delivery is given up, and what is held behind it goes on; of a
rate that does not return, the person says that it has. 4. To cancel ends what it is about: the boost is revoked. A rate that does not
return cannot be cancelled, since the network has to return in any case. 5. A task of an order is none of these: whoever moves the order
ends it (graph/changes/orders/moving.py); that of a match ends when somebody merges the two customers, or declines the match. That of a customer who is gone from customer
management is skipped by whoever has seen to it, and is over by itself where the customer is back. 6. A service that the network did not take away is
asked about again, or the person says that it is gone (graph/changes/fulfilment/undoing.py).

What the network is asked for is decided under the lock of the service (graph/changes/bandwidth/), which comes first; then the delivery,
its steps, the task.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

from graph.changes.bandwidth import boosts, changing, network
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.customers.matches import CUSTOMER_MATCH
from graph.changes.customers.records import GONE
from graph.changes.deliveries import replay
from graph.changes.events import Event, append
from graph.changes.fulfilment import undoing
from graph.changes.fulfilment.policy import FulfilmentPolicy
from graph.changes.fulfilment.undoing import NOT_REMOVED
from graph.changes.idempotency import Asked, once
from graph.changes.orders.rules import KINDS_OF_TASKS
from graph.changes.outcome import Outcome, UserError
from graph.errors import Contended, Refused
from graph.ledger.outcomes import skip
from graph.ledger.step_outcomes import PARKED_STEP
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

TASK_NOT_FOUND: Final = "TASK_NOT_FOUND"
TASK_SETTLED: Final = "TASK_SETTLED"
TASK_NOT_CANCELLABLE: Final = "TASK_NOT_CANCELLABLE"
TASK_OF_ORDER: Final = "TASK_OF_ORDER"
TASK_OF_MATCH: Final = "TASK_OF_MATCH"
TASK_OF_CUSTOMER: Final = "TASK_OF_CUSTOMER"
LONGEST_REASON: Final = 2_000

_LOOK: Final = """
MATCH (t:Task {id: $task})
RETURN t.kind, t.state,
  coalesce(HEAD(COLLECT { MATCH (:Boost {id: t.about})-[:BOOSTS]->(s) RETURN s.id }), t.about), t.delivery, HEAD(COLLECT {
  MATCH (d:Delivery {id: t.delivery}) RETURN [d.system, d.orderKey, coalesce(d.parkedFor, '')]
})
"""
_SETTLE: Final = """
MATCH (t:Task {id: $task})
SET t._locked = coalesce(t._locked, 0) + 1
WITH t, datetime.realtime().epochMillis AS now WHERE t.state = 'OPEN'
SET t.state = $state, t.openAbout = null, t.note = $note, t.settledBy = $subject, t.settledAt = now, t._version = coalesce(t._version, 1) + 1
RETURN now, t._version
"""
_SKIP_STEPS: Final = """
MATCH (d:Delivery {id: $delivery})-[:CARRIES_OUT]->(p:ProcessStep)
WITH p ORDER BY p.id
SET p.state = 'SKIPPED', p.error = $note, p.finishedAt = datetime.realtime().epochMillis
"""
_TRY_STEPS: Final = """
MATCH (d:Delivery {id: $delivery})-[:CARRIES_OUT]->(p:ProcessStep)
WITH p ORDER BY p.id
SET p.state = 'PENDING'
"""

_IS_OF_ORDER: Final = """
MATCH (:Delivery {id: $delivery})-[:CARRIES_OUT]->(:ProcessStep)-[:STEP_OF]->(i:OrderItem)
RETURN i.id LIMIT 1
"""
_OF_RATE: Final = ("returnRefused", "rateUnknown")
"""Kinds of tasks for which the network has to say, or do, something in any case."""

_Settled: TypeAlias = Literal["SKIPPED", "CANCELLED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """Which task somebody settles, and why."""

    task: str
    """its id."""
    reason: str

    def __post_init__(self) -> None:
        if not 0 < len(self.reason.strip()) <= LONGEST_REASON:
            raise Refused(
                f"A reason has 1 to {LONGEST_REASON} characters",
                code="BAD_USER_INPUT",
                path=("reason",),
                hint="Say why it need not be done, for whoever reads it later",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    id: str
    kind: str
    state: str
    about: str
    """the id of what it is about; of a boost, its service."""
    delivery: str | None
    system: str
    """that the delivery is for; empty without one."""
    order_key: str
    parked_for: str
    """why the delivery is parked; empty where it is not."""


_Do: TypeAlias = Callable[[Transaction, _Task], Awaitable[UserError | None]]


async def retry_task(
    store: Store,
    principal: Principal,
    policy: BandwidthPolicy,
    task_id: str,
    *,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Try again what a task is about; the outcome has the id of the `task`, which stays open until it is done."""

    async def do(transaction: Transaction, task: _Task) -> UserError | None:
        if task.kind == NOT_REMOVED:
            await undoing.try_again(transaction, FulfilmentPolicy(selling=policy), task.about)
        elif task.delivery is not None:
            await replay(transaction, task.delivery, principal.subject)
            transaction.later(_TRY_STEPS, {"delivery": task.delivery})
        else:
            await network.ask_again(transaction, policy, task.about, subject=principal.subject)
        return None

    asked = _asked(principal, "retryTask", {"taskId": task_id})
    return await _once(store, principal, asked, do, key=idempotency_key, deadline=deadline)


async def skip_task(
    store: Store,
    principal: Principal,
    policy: BandwidthPolicy,
    settling: Settling,
    *,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Say that what a task is about need not be done, or is done."""

    async def do(transaction: Transaction, task: _Task) -> UserError | None:
        note = f"skipped: {settling.reason}"
        if task.kind == NOT_REMOVED:
            await undoing.believe(transaction, task.about)
            await _settle(transaction, principal, task, "SKIPPED", settling.reason)
            return None
        if task.delivery is not None:
            await _give_up(transaction, policy, task, note, principal.subject)
        await _settle(transaction, principal, task, "SKIPPED", settling.reason)
        if task.kind in _OF_RATE:
            await network.believe(transaction, policy, task.about, subject=principal.subject)
        return None

    asked = _asked(principal, "skipTask", {"taskId": settling.task, "reason": settling.reason})
    return await _once(store, principal, asked, do, key=idempotency_key, deadline=deadline)


async def cancel_task(
    store: Store,
    principal: Principal,
    policy: BandwidthPolicy,
    settling: Settling,
    *,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """End what a task is about: a boost is revoked."""

    async def do(transaction: Transaction, task: _Task) -> UserError | None:
        if (why := await _why_not_cancelled(transaction, task)) is not None:
            return UserError(message=why, code=TASK_NOT_CANCELLABLE, path=("taskId",))
        if task.delivery is not None:
            await changing.revoke_all(transaction, policy, task.delivery, subject=principal.subject)
            await _give_up(transaction, policy, task, f"cancelled: {settling.reason}", principal.subject)
        await _settle(transaction, principal, task, "CANCELLED", settling.reason)
        return None

    asked = _asked(principal, "cancelTask", {"taskId": settling.task, "reason": settling.reason})
    return await _once(store, principal, asked, do, key=idempotency_key, deadline=deadline)


async def _why_not_cancelled(transaction: Transaction, task: _Task) -> str | None:
    """Say why what a task is about cannot be ended; None: it can."""
    if task.kind in _OF_RATE:
        return "The network has to return in any case: try again, or skip it once it has"
    if task.kind == NOT_REMOVED:
        return "The service has to go in any case: try again, or skip it once it is not in the network any more"
    if task.delivery is not None and await transaction.run(_IS_OF_ORDER, {"delivery": task.delivery}):
        return "The service of an order is in use, and only others are not told: try again, or skip it"
    return None


async def _once(
    store: Store, principal: Principal, asked: Callable[[str], Asked], do: _Do, *, key: str, deadline: float
) -> Outcome:
    if principal.effective is not Role.OPERATOR:
        raise Refused(
            "Only operators settle tasks", code="FORBIDDEN", hint="Ask with a token that has the role operator"
        )
    request = asked(key)
    task_id = str(request.input["taskId"])

    async def change(transaction: Transaction) -> Outcome:
        task = await _look(transaction, task_id)
        if task is None:
            return _not_done("There is no such task", TASK_NOT_FOUND)
        if task.state != "OPEN":
            return _not_done(f"The task is {task.state} already", TASK_SETTLED)
        if task.kind in KINDS_OF_TASKS:
            return _not_done("An order is moved by advanceOrder: its task ends with that", TASK_OF_ORDER)
        if task.kind == CUSTOMER_MATCH:
            return _not_done("It ends by mergeCustomers, or by declineCustomerMatch", TASK_OF_MATCH)
        if task.kind == GONE and request.operation != "skipTask":
            return _not_done("Skip it when you have seen to what the customer has", TASK_OF_CUSTOMER)
        problem = await do(transaction, task)
        return Outcome(ids={}, user_errors=(problem,)) if problem else Outcome(ids={"task": task_id})

    return await once(store, request, change, deadline=deadline)


def _asked(principal: Principal, operation: str, given: dict[str, object]) -> Callable[[str], Asked]:
    return lambda key: Asked(subject=principal.subject, client_key=key, operation=operation, input=given)


async def _look(transaction: Transaction, task_id: str) -> _Task | None:
    for kind, state, about, delivery, told in await transaction.run(_LOOK, {"task": task_id}):
        system, order_key, parked_for = cast("tuple[str, str, str]", tuple(cast("list[str]", told or ("", "", ""))))
        return _Task(
            id=task_id,
            kind=str(kind),
            state=str(state),
            about=str(about or ""),
            delivery=None if kind != PARKED_STEP else cast("str | None", delivery),
            system=system,
            order_key=order_key,
            parked_for=parked_for,
        )
    return None


async def _give_up(transaction: Transaction, policy: BandwidthPolicy, task: _Task, note: str, subject: str) -> None:
    """Let a parked delivery be done without being heard; what it asked of the network is as if refused, or unknown."""
    assert task.delivery is not None
    is_of_network = task.system == policy.provisioning
    if is_of_network:
        await boosts.hold(transaction, [task.order_key])
    if not await skip(transaction, task.delivery, note=note):
        return
    if is_of_network:
        is_refused = task.parked_for == "refused"
        given = {"service": task.order_key, "subject": subject}
        await network.give_up(transaction, policy, task.delivery, note, is_refused=is_refused, **given)
        if not is_refused:
            return
    transaction.later(_SKIP_STEPS, {"delivery": task.delivery, "note": note})


async def _settle(transaction: Transaction, principal: Principal, task: _Task, state: _Settled, note: str) -> None:
    given = {"task": task.id, "state": state, "note": note, "subject": principal.subject}
    rows = await transaction.run(_SETTLE, given)
    if not rows:
        raise Contended("The task was settled at this moment")
    now, version = cast("tuple[int, int]", tuple(rows[0]))
    append(
        transaction,
        Event(
            type="TaskSettled",
            aggregate_id=task.id,
            aggregate_version=version,
            at=now,
            principal=principal.subject,
            payload={"task": task.id, "state": state, "note": note},
            customers=(),
        ),
    )


def _not_done(message: str, code: str) -> Outcome:
    return Outcome(ids={}, user_errors=(UserError(message=message, code=code, path=("taskId",)),))
