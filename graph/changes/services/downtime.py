"""What a contract is measured by is how long a service suffered; once an effect is over, the graph shows nothing of it.

So each interval in which a service had one effect is kept: it begins when the effect does and has its end when the effect
changes or is over. Billing is told both times, in the order of the service's changes; a central fault management system that hears
of services is told what becomes of each.

Rules. 1. An interval is open while its service has its effect. 2. It begins and ends when the alarm that changes
the effect says, since the customer suffers from then on and not from when we heard; but never in the future, and never
before the boundary that the service had last: intervals of one service do not overlap. 3. Its alarms are all that took
part in the effect while it lasted. 4. The end of an effect that began before any interval was kept is no interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, assert_never

import orjson
import uuid_utils

from graph.changes import events, notices
from graph.changes.events import Event
from graph.changes.notices import Notice
from graph.changes.policy import Hearing
from graph.changes.services import metered
from graph.changes.services.affected import Change, Service
from graph.ledger.outbox import write_down
from graph.model.event_kinds import KINDS
from graph.model.model import LABELS
from graph.store.store import Transaction

_END: Final = """
UNWIND $batch.rows AS row
MATCH (d:Downtime {id: row.id})
MATCH (s:Service {id: row.service})
SET d.to = row.to, d.alarms = row.alarms, s._downtime = null, s._suffers = null, s._blamed = null,
  s._effectAt = row.to
"""

_BEGIN: Final = """
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
CREATE (d:Downtime {id: row.id, effect: row.effect, from: row.from, alarms: row.alarms})-[:INTERRUPTS]->(s)
SET d.availabilityPercent = row.target, s._downtime = row.id, s._suffers = row.effect, s._blamed = row.alarms,
  s._effectAt = row.from
"""

_BLAME: Final = """
UNWIND $batch.rows AS row
MATCH (d:Downtime {id: row.id})
MATCH (s:Service {id: row.service})
SET d.alarms = row.alarms, s._blamed = row.alarms
"""

_STATE: Final = KINDS["ServiceStateChanged"]

_COUNT: Final = """
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
SET s._version = row.version
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A service has, or had, one effect."""

    id: str
    service: Service
    effect: str
    start: int
    end: int | None = None
    alarms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The effect is over, or another now."""

    interval: Interval
    becomes: str | None
    """the effect that the service has instead; None: it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """There is an effect, or another than before."""

    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Blamed:
    """The effect goes on, and more alarms take part in it."""

    interval: Interval


Turn: TypeAlias = Ended | Begun | Blamed


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What changes effects: when by its own account, when by the database's clock, and by whom."""

    at: int
    now: int
    subject: str
    billing: str
    """the name of the billing system; empty: there is none."""
    hearing: Hearing | None = None
    """the central fault management system; None: there is none."""


def turns(changed: Sequence[Change], occasion: Occasion) -> list[Turn]:
    """Decide what becomes of the intervals of services whose effects, or whose alarms, are others now."""
    return [turn for each in changed for turn in _turns(each, min(occasion.at, occasion.now))]


def write(transaction: Transaction, made: Sequence[Turn], occasion: Occasion) -> None:
    """Write intervals as they are now, and what billing is to be told of them."""
    ended, begun, blamed = (_rows(made, kind) for kind in (Ended, Begun, Blamed))
    if ended:
        transaction.later(_END, {"batch": {"rows": ended}})
    if begun:
        transaction.later(_BEGIN, {"batch": {"rows": begun}})
    if blamed:
        transaction.later(_BLAME, {"batch": {"rows": blamed}})
    _tell(transaction, [each for each in made if not isinstance(each, Blamed)], occasion)


def _turns(change: Change, at: int) -> Iterator[Turn]:
    service = change.service
    boundary = max(at, service.effect_at)
    before = tuple(sorted({*service.blamed, *service.alarms}))
    lasting = _open(service, before)
    if lasting is not None and lasting.effect == change.effect:
        alarms = tuple(sorted({*before, *change.parts}))
        if alarms != service.blamed:
            yield Blamed(interval=replace(lasting, alarms=alarms))
        return
    if lasting is not None:
        yield Ended(interval=replace(lasting, end=boundary), becomes=change.effect)
    if change.effect is not None and (lasting is not None or change.effect != service.effect):
        made, alarms = f"{LABELS['Downtime'].id_prefix}{uuid_utils.uuid7()}", tuple(sorted(change.parts))
        yield Begun(interval=Interval(id=made, service=service, effect=change.effect, start=boundary, alarms=alarms))


def _open(service: Service, alarms: tuple[str, ...]) -> Interval | None:
    """Give the interval that is open. It says by itself with which effect: whoever else changes effects may not know it."""
    if service.downtime is None or service.suffers is None:
        return None
    return Interval(
        id=service.downtime, service=service, effect=service.suffers, start=service.effect_at, alarms=alarms
    )


def _rows(made: Sequence[Turn], kind: type[Turn]) -> list[dict[str, object]]:
    return [_row(each.interval) for each in made if isinstance(each, kind)]


def _row(interval: Interval) -> dict[str, object]:
    return {
        "id": interval.id,
        "service": interval.service.id,
        "effect": interval.effect,
        "from": interval.start,
        "to": interval.end,
        "target": interval.service.target,
        "alarms": orjson.dumps(interval.alarms).decode(),
    }


def _tell(transaction: Transaction, made: Sequence[Ended | Begun], occasion: Occasion) -> None:
    """Append an event for each turn, and what billing is to be told of it."""
    versions = {each.interval.service.id: each.interval.service.version for each in made}
    appended, told = [], []
    heard: dict[str, Notice] = {}
    for each in made:
        interval, service = each.interval, each.interval.service
        versions[service.id] += 1
        event = Event(
            type=_type(each),
            aggregate_id=service.id,
            aggregate_version=versions[service.id],
            at=occasion.now,
            principal=occasion.subject,
            payload={
                "downtime": interval.id,
                "service": service.id,
                "customer": service.customer,
                "effect": interval.effect,
                "from": interval.start,
                "to": interval.end,
                "alarms": list(interval.alarms),
                **({"becomes": each.becomes} if isinstance(each, Ended) else {}),
            },
            customers=(service.customer,),
        )
        appended.append(event)
        heard[service.id] = _notice(each, event)  # one effect after another is one change of the service's state
        if occasion.billing:
            told.append(metered.told(occasion.billing, event.id, service.id, _payload(interval)))
    if appended:
        rows = [{"service": key, "version": version} for key, version in sorted(versions.items())]
        transaction.later(_COUNT, {"batch": {"rows": rows}})
        events.append(transaction, *appended)
        write_down(transaction, told)
        notices.tell(transaction, occasion.hearing, heard.values())


def _notice(turn: Ended | Begun, event: Event) -> Notice:
    """Give what is told of a service: the state that it has after a turn."""
    interval, service = turn.interval, turn.interval.service
    values: dict[str, object] = {
        "name": service.name,
        "state": service.state,
        "effect": interval.effect if isinstance(turn, Begun) else None,
        "customer": {"id": service.customer, "name": service.customer_name or service.customer},
        "alarms": list(interval.alarms),
        "since": interval.end if isinstance(turn, Ended) else interval.start,
    }
    return Notice(event=event, kind=_STATE, about=service.id, order_key=service.id, values=values)


def _type(turn: Ended | Begun) -> str:
    match turn:
        case Ended():
            return "DowntimeEnded"
        case Begun():
            return "DowntimeBegan"
        case never:
            assert_never(never)


def _payload(interval: Interval) -> dict[str, object]:
    service = interval.service
    return {
        "telling": "downtime",
        "id": interval.id,
        **metered.about(service.id, service.name, (service.customer, service.customer_name, service.account)),
        "effect": interval.effect,
        "from": interval.start,
        "to": interval.end,
        "alarms": list(interval.alarms),
        "availabilityPercent": service.target,
    }
