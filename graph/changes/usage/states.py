"""A record of usage goes on after it was taken: it is guided, rated, billed, and whoever does so says it here.

The states are TMF635's. A state is told by the record's source, by billing, or by an operator, and by billing in an event that
may be late.

Rules. 1. What is told with a time is passed over when a later state is known already. A time that cannot be
(`AlarmPolicy.believed`) says nothing of the order: then a state goes on, never back. 2. A source that sends a record again
moves its state on, never back: it may not know what became of it. It may say then what it did not measure before; what was
measured stays, and so do characteristics that it does not name again. 3. The event says whether the state is another (`UsageStateChanged`) or only what is told beside it
(`UsageChanged`); what changes nothing has none. 4. Billing is told of either like of the record, except of what it has told us
itself; of a record that is not complete it is told once that is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, cast

import orjson

from graph.changes import events
from graph.changes.alarms.occurrence import record_text
from graph.changes.events import Event
from graph.changes.policy import AlarmPolicy
from graph.changes.services import metered
from graph.changes.sources import Sources, sources_of
from graph.ledger.outbox import Told, write_down
from graph.model.scope import Principal
from graph.model.usage import Usage
from graph.model.vocabulary import USAGE_STATES
from graph.store.store import Store, Transaction

_CHARACTERISTICS: Final = "usageCharacteristic"
"""The member of a record (TMF635) that is a list of what was measured and of whatever else has a name."""

# Sorted by id, as all who lock several records do.
_LOCK: Final = """
UNWIND $batch.usage AS id
MATCH (u:Usage {id: id})
WHERE $everyone OR u.source IN $sources
SET u._locked = coalesce(u._locked, 0) + 1
RETURN u.id, u.source, u.externalId, u.serviceRef, u.from, u.to, u.octets, u.mbps, u.kind, u.state,
  coalesce(u._by, ''), u.record, u._stateAt, coalesce(u._version, 1), datetime.realtime().epochMillis,
  HEAD(COLLECT { MATCH (u)-[:USED_BY]->(s:Service) RETURN s.id })
"""

_SET: Final = """
UNWIND $batch.rows AS row
MATCH (u:Usage {id: row.id})
SET u.state = row.state, u.record = row.record, u._stateAt = row.at, u._version = row.version,
    u.from = row.start, u.to = row.end, u.octets = row.octets, u.mbps = row.mbps
"""

_COUNT: Final = """
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
SET s._version = row.version
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A state that a record gets, or what is told of it beside its state."""

    state: str | None
    """a word of `graph.model.vocabulary.USAGE_STATES`; None keeps the one that the record has under its lock."""
    at: int | None = None
    """epoch milliseconds, when whoever tells of it says so."""
    more: Mapping[str, object] = field(default_factory=dict)
    """what else is told with it, such as how it was rated (ratedProductUsage); kept with the record."""
    measured: Mapping[str, int] = field(default_factory=dict)
    """what was not measured before, by the names of `measured_of`; what was, stays as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A record under its lock."""

    usage: Usage
    id: str
    span: tuple[int, int]
    """from and to, as they are kept: the same where there is no interval."""
    by: str
    """the system that has told of it."""
    record: Mapping[str, object]
    state_at: int | None
    version: int
    now: int
    service: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What came of states that records got."""

    there: frozenset[str]
    """the ids of the records that are there."""
    events: tuple[Event, ...]
    told: tuple[Told, ...]
    """what billing is to be told."""


async def set_usage_state(
    store: Store, principal: Principal, policy: AlarmPolicy, usage_id: str, move: Move, *, deadline: float
) -> bool:
    """Give a record a state; False where there is none that the caller may change."""
    own = sources_of(principal)
    is_billing = bool(policy.billing) and principal.system == policy.billing
    sources = Sources(everyone=True) if is_billing else own

    async def change(transaction: Transaction) -> bool:
        moved = await move_on(transaction, principal, policy, {usage_id: move}, sources)
        events.append(transaction, *moved.events)
        write_down(transaction, moved.told)
        return bool(moved.there)

    return await store.write(change, deadline=deadline)


async def move_on(
    transaction: Transaction,
    principal: Principal,
    policy: AlarmPolicy,
    moves: Mapping[str, Move],
    sources: Sources,
) -> Moved:
    """Give records new states. The caller writes down what is to be told: all of a transaction at once, in one order."""
    found = [_held(row) for row in await transaction.run(_LOCK, _locking(moves, sources))]
    moved = [each for each in found if _is_news(each, moves[each.id], policy)]
    services = await metered.lock(transaction, {each.service for each in moved if each.service})
    versions = {key: each.version for key, each in services.items()}
    rows, made, told = [], list[Event](), list[Told]()
    for each in moved:
        move, service = moves[each.id], services.get(each.service or "")
        state = _state(each, move)
        if service is not None:
            versions[service.id] += 1
        version = versions[service.id] if service else each.version + 1
        event = _event(each, state, service, version, principal.subject)
        made.append(event)
        rows.append(_row(each, move, policy))
        usage = completed(each.usage, state, move.measured)
        unaware = policy.billing not in ("", each.usage.source, each.by, principal.system)
        if service is not None and unaware and usage.is_complete:
            said = {**metered.payload(usage, service), **({"changed": True} if each.usage.is_complete else {})}
            told.append(metered.told(policy.billing, event.id, service.id, said))
    if rows:
        # At once: whoever joins other records to these services in this transaction counts on from there.
        await transaction.run(_SET, {"batch": {"rows": rows}})
        counted = [{"service": key, "version": version} for key, version in sorted(versions.items())]
        await transaction.run(_COUNT, {"batch": {"rows": counted}})
    return Moved(there=frozenset(each.id for each in found), events=tuple(made), told=tuple(told))


def measured_of(start: object, end: object, octets: object, mbps: object) -> dict[str, int]:
    """Give what is known to be measured, from what a node has: an interval of no length is none.

    >>> measured_of(5, 5, None, 50), measured_of(5, 9, 7, None)
    ({'mbps': 50}, {'from': 5, 'to': 9, 'octets': 7})
    """
    span = {} if start == end else {"from": start, "to": end}
    return {
        name: int(str(value)) for name, value in {**span, "octets": octets, "mbps": mbps}.items() if value is not None
    }


def measured_in(usage: Usage) -> dict[str, int]:
    """Give what a source says that it has measured, by the same names."""
    said = {"from": usage.start, "to": usage.end, "octets": usage.octets, "mbps": usage.mbps}
    return {name: value for name, value in said.items() if value is not None}


def is_ahead(state: str, known: str) -> bool:
    """Tell whether a state comes after another in a record's life."""
    return USAGE_STATES.index(state) > USAGE_STATES.index(known)


def usage_of(row: Sequence[object]) -> Usage:
    """Make the value of a row that begins with what `_LOCK` gives first, in that order; the record as it came is not in it."""
    _, source, external_id, ref, *spans, kind, state = row[:10]
    measured = measured_of(*spans)
    return Usage(
        source=str(source),
        external_id=str(external_id),
        service=str(ref),
        start=measured.get("from"),
        end=measured.get("to"),
        octets=measured.get("octets"),
        mbps=measured.get("mbps"),
        kind=str(kind),
        state=str(state or USAGE_STATES[0]),
    )


def _locking(moves: Mapping[str, Move], sources: Sources) -> dict[str, object]:
    return {"batch": {"usage": sorted(moves)}, **sources.parameters()}


def _held(row: list[object]) -> _Held:
    by, record, state_at, version, now, service = row[10:]
    return _Held(
        usage=usage_of(row),
        id=str(row[0]),
        span=cast("tuple[int, int]", tuple(row[4:6])),
        by=str(by),
        record=orjson.loads(str(record)) if record else {},
        state_at=cast("int | None", state_at),
        version=cast("int", version),
        now=cast("int", now),
        service=cast("str | None", service),
    )


def _is_news(held: _Held, move: Move, policy: AlarmPolicy) -> bool:
    is_other = completed(held.usage, _state(held, move), move.measured) != held.usage
    is_other = is_other or _recorded(held, move) != held.record
    return is_other and not _is_late(held, move, policy)


def _recorded(held: _Held, move: Move) -> Mapping[str, object]:
    """Give the record with what is told now: characteristics stay by their names, whatever else comes takes the old one's place."""
    record = {**held.record, **move.more}
    before, told = held.record.get(_CHARACTERISTICS), move.more.get(_CHARACTERISTICS)
    if isinstance(before, list) and isinstance(told, list):
        named = {**_by_name(before), **_by_name(told)}
        record[_CHARACTERISTICS] = [each for namesakes in named.values() for each in namesakes]
    return record


def _by_name(characteristics: Sequence[Mapping[str, object]]) -> Mapping[object, Sequence[Mapping[str, object]]]:
    """Give those of each name, of which there may be several.

    >>> _by_name([{"name": "cell", "value": 1}, {"name": "cell", "value": 2}])
    {'cell': [{'name': 'cell', 'value': 1}, {'name': 'cell', 'value': 2}]}
    """
    found: dict[object, list[Mapping[str, object]]] = {}
    for each in characteristics:
        found.setdefault(each.get("name"), []).append(each)
    return found


def completed(usage: Usage, state: str, measured: Mapping[str, int]) -> Usage:
    """Give a record in a state, with what was measured beside what it says itself."""
    after = {**measured, **measured_in(usage)}
    return replace(
        usage,
        state=state,
        start=after.get("from"),
        end=after.get("to"),
        octets=after.get("octets"),
        mbps=after.get("mbps"),
    )


def _state(held: _Held, move: Move) -> str:
    return held.usage.state if move.state is None else move.state


def _is_late(held: _Held, move: Move, policy: AlarmPolicy) -> bool:
    if move.at is None or held.state_at is None or policy.is_ahead(held.state_at, held.now):
        return False
    if move.at >= held.state_at and not policy.is_ahead(move.at, held.now):
        return False
    is_believed = policy.believed(move.at, held.now) == move.at
    return is_believed or is_ahead(held.usage.state, _state(held, move))


def _state_at(held: _Held, move: Move, policy: AlarmPolicy) -> int | None:
    """Give since when the state is; what is told beside the state makes the news of a state no older."""
    if move.state is None:
        return held.state_at
    return held.now if move.at is None or policy.is_ahead(move.at, held.now) else move.at


def _row(held: _Held, move: Move, policy: AlarmPolicy) -> dict[str, object]:
    record = _recorded(held, move)
    usage = completed(held.usage, _state(held, move), move.measured)
    start, end = held.span if usage.start is None else (usage.start, usage.end)
    return {
        "id": held.id,
        "state": _state(held, move),
        "record": record_text(record) if record else None,
        "at": _state_at(held, move, policy),
        "version": held.version + 1,
        "start": start,
        "end": end,
        "octets": usage.octets,
        "mbps": usage.mbps,
    }


def _event(held: _Held, state: str, service: metered.Service | None, version: int, subject: str) -> Event:
    return Event(
        type="UsageStateChanged" if state != held.usage.state else "UsageChanged",
        aggregate_id=service.id if service else held.id,
        aggregate_version=version,
        at=service.now if service else held.now,
        principal=subject,
        payload={"usage": held.id, "state": state},
        customers=(service.customer,) if service and service.customer else (),
    )
