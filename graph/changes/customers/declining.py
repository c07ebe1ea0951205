"""A person says that two customers are not the same company: nobody is asked about the two again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from graph.changes.customers.matches import CUSTOMER_MATCH
from graph.changes.customers.rules import MATCH_NOT_FOUND, MATCH_SETTLED, check_operator
from graph.changes.events import Event, append
from graph.changes.idempotency import Asked, once
from graph.changes.outcome import Outcome, user_error
from graph.errors import Refused
from graph.model.bounds import text_problem
from graph.model.kinds import Form
from graph.model.scope import Principal
from graph.processes import tasks
from graph.store.store import Store, Transaction

_LOCK: Final = """
MATCH (m:CustomerMatch {id: $match})
SET m._locked = coalesce(m._locked, 0) + 1
RETURN m.id, m.state, coalesce(m._version, 1), datetime.realtime().epochMillis,
  COLLECT { MATCH (m)-[:COMPARES]->(c:Customer) RETURN c.id ORDER BY c.id }
"""
_DECLINE: Final = """
MATCH (m:CustomerMatch {id: $match})
SET m.state = 'declined', m.note = $note, m.settledAt = $at, m.settledBy = $subject, m._version = $version
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declining:
    """Which match somebody declines, and why."""

    match: str
    """its id."""
    reason: str = ""

    def __post_init__(self) -> None:
        if problem := text_problem(Form.TEXT, self.reason):
            raise Refused(f"The reason {problem}", code="BAD_USER_INPUT", path=("reason",))


async def decline_match(
    store: Store, principal: Principal, declining: Declining, *, idempotency_key: str, deadline: float
) -> Outcome:
    """Decline a match; the outcome has its id as `match`. One that was declined before stays so, without an error."""
    check_operator(principal)
    given = {"matchId": declining.match, "reason": declining.reason}
    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation="declineCustomerMatch", input=given)

    async def change(transaction: Transaction) -> Outcome:
        return await _decline(transaction, principal, declining)

    return await once(store, asked, change, deadline=deadline)


async def _decline(transaction: Transaction, principal: Principal, declining: Declining) -> Outcome:
    rows = await transaction.run(_LOCK, {"match": declining.match})
    if not rows or rows[0][0] is None:
        return _not_done("There is no such match", MATCH_NOT_FOUND)
    _, state, version, at, customers = cast("tuple[str, str, int, int, list[str]]", tuple(rows[0]))
    if state == "declined":
        return Outcome(ids={"match": declining.match})
    if state != "proposed":
        return _not_done(f"Of this match it was said already that it is {state}", MATCH_SETTLED)
    said = {"match": declining.match, "note": declining.reason or None}
    written = {"at": at, "subject": principal.subject, "version": version + 1}
    transaction.later(_DECLINE, {**said, **written})
    tasks.close_task(transaction, kind=CUSTOMER_MATCH, about=declining.match, at=at)
    append(
        transaction,
        Event(
            type="CustomerMatchDeclined",
            aggregate_id=declining.match,
            aggregate_version=version + 1,
            at=at,
            principal=principal.subject,
            payload={**said, "compared": customers},
            customers=(),
        ),
    )
    return Outcome(ids={"match": declining.match})


def _not_done(message: str, code: str) -> Outcome:
    return Outcome(ids={}, user_errors=(user_error(message, code, "matchId"),))
