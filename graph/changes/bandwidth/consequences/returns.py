"""A service that does not return to its rate is a fault of the network: an alarm is raised, and cleared when it has returned.

The alarm is of the source `trunkline`, about the port at the service's A end, and asserts no failure: the service carries more than is
booked. It is raised by a timer of its own, since alarms lock what comes before services (graph/changes/gates.py): whether there is
anything to raise is looked at then.
"""

from __future__ import annotations

from typing import Final, cast

from graph.changes.alarms.alarms import take_report
from graph.changes.alarms.consequences import OURSELVES, By
from graph.changes.policy import AlarmPolicy
from graph.ledger.timers import Due, Work
from graph.model.alarm import Alarm
from graph.store.store import Transaction

KIND: Final = "returnAlarm"
"""of the timer, which is about a service."""
SOURCE: Final = "trunkline"
_CAUSE: Final = "configurationOrCustomizationError"

_LOOK: Final = """
MATCH (s:Service {id: $service})
RETURN s.name, coalesce(s._refusals, 0), coalesce(s.effectiveMbps, 0), coalesce(s.bookedMbps, s.committedMbps, 0),
  HEAD(COLLECT { MATCH (s)-[a:ACCESSED_AT]->(p:Port) RETURN p.id ORDER BY a.end, p.id LIMIT 1 })
"""
_OPEN: Final = (
    "MATCH (t:Task {openAbout: $service}) WHERE t.state = 'OPEN' AND t.kind = 'returnRefused' RETURN t.reason"
)


_KNOWN: Final = "MATCH (a:Alarm {identity: $identity}) RETURN a.id LIMIT 1"


def alarming(policy: AlarmPolicy) -> Work:
    """Make the work of the timers that raise and clear alarms of services that do not return."""

    async def work(transaction: Transaction, due: Due) -> int | None:
        for name, refusals, effective, booked, port in await transaction.run(_LOOK, {"service": due.about}):
            found = await transaction.run(_OPEN, {"service": due.about})
            reason = str(found[0][0]) if found else ""
            rates = f"{name or due.about}: the network carries {effective} Mbit/s, and {booked} are booked"
            alarm = _alarm(due, str(port or due.about), f"{rates}. {reason}".strip(), is_over=not cast("int", refusals))
            known = await transaction.run(_KNOWN, {"identity": alarm.identity_key})
            if alarm.cleared and not known:
                continue  # it has returned before anybody was told that it does not
            await take_report(transaction, By(principal=OURSELVES, policy=policy), alarm)
        return None

    return work


def _alarm(due: Due, target: str, text: str, *, is_over: bool) -> Alarm:
    record = {
        "alarmType": "processingErrorAlarm",
        "probableCause": _CAUSE,
        "specificProblem": "rateNotReturned",
        "perceivedSeverity": "cleared" if is_over else "major",
        "alarmDetails": text,
        "affectedService": [{"id": due.about}],
    }
    return Alarm(
        source_system_id=SOURCE,
        external_alarm_id=f"rate:{due.about}",
        alarmed_object=target,
        alarm_type="processingErrorAlarm",
        probable_cause=_CAUSE,
        specific_problem="rateNotReturned",
        perceived_severity="major",
        cleared=is_over,
        raised_at=due.now,
        is_dated=False,
        cleared_at=due.now if is_over else None,
        record=record,
    )
