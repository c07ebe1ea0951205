"""People write on an alarm what they know of it, and what they wrote must outlive the next report of its source.

A comment is a member of the record (`comment`, as TMF642 has it): who, when, what. It changes nothing else: neither state
nor effect. It is nobody's but those who may see the record, so no customer hears of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from graph.changes.alarms import hearing, occurrence
from graph.changes.alarms.hearing import Happened
from graph.changes.alarms.occurrence import Known
from graph.changes.events import Event, append
from graph.changes.idempotency import Asked, once
from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy
from graph.changes.sources import not_found, sources_of
from graph.compiler.leaves import rfc3339
from graph.errors import Refused
from graph.model.scope import Principal
from graph.store.store import Store, Transaction

MOST_COMMENTS: Final = 1_000
MOST_BYTES: Final = 1_000_000
"""of a record."""

_COMMENT: Final = """
MATCH (a:Alarm {id: $id})
SET a.record = $record, a.changedAt = $now, a._version = $version
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What somebody writes."""

    alarm: str
    """the id of what it is written on."""
    text: str
    user: str = ""
    system: str = ""
    time: str = ""
    """RFC 3339; empty: when it is written down, by the database's clock."""

    def member(self, now: int) -> dict[str, str]:
        """Give it as the record has it."""
        told = {"comment": self.text, "systemId": self.system, "userId": self.user}
        return {**{name: text for name, text in told.items() if text}, "time": self.time or rfc3339(now)}


async def comment_alarm(
    store: Store,
    principal: Principal,
    policy: AlarmPolicy,
    comment: Comment,
    *,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Write on an alarm; the outcome has the id of the `alarm`."""
    sources = sources_of(principal)
    given = {"alarmId": comment.alarm, "comment": [comment.text, comment.user, comment.system, comment.time]}
    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation="commentAlarm", input=given)

    async def change(transaction: Transaction) -> Outcome:
        known = await occurrence.take(transaction, comment.alarm, sources)
        if known is None:
            return Outcome(ids={}, user_errors=(not_found(),))
        event = _write(transaction, known, comment, principal.subject)
        append(transaction, event)
        told = [Happened(event=event, touches=False)]
        await hearing.tell(transaction, policy.fault_management, principal.system, told)
        return Outcome(ids={"alarm": known.id})

    return await once(store, asked, change, deadline=deadline)


def _write(transaction: Transaction, known: Known, comment: Comment, subject: str) -> Event:
    before = known.value.comments
    record = occurrence.record_text({**known.value.record, "comment": [*before, comment.member(known.now)]})
    if len(before) >= MOST_COMMENTS or len(record.encode()) > MOST_BYTES:
        raise Refused("There is no room for another comment on this alarm", code="BAD_USER_INPUT", path=("comment",))
    version = known.version + 1
    given = {"id": known.id, "record": record, "now": known.now, "version": version}
    transaction.later(_COMMENT, given)
    return Event(
        type="AlarmCommented",
        aggregate_id=known.id,
        aggregate_version=version,
        at=known.now,
        principal=subject,
        payload={"alarm": known.id},
        customers=(),
    )
