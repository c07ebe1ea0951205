"""What a service has carried must be billed once, to whom it belongs, and however late it becomes known whose it is.

A source tells of records until it is heard, in another order than it measured, and may name a service that nobody knows
yet. So a record's id is made of its source and the source's own id; one that matches no service is kept, `awaits` the
name, and joins its service when the name is known (`join_usage`). With the service it belongs to a customer.

Rules. 1. Records that come together are taken together, or none of them is. 2. The same record again changes nothing but its
state, which goes on (`states.py`); one that says something else under the same id is refused: nobody knows which of the two is
true. 3. Billing is told in the
transaction that gives a record its service: a delivery for each, in the order of the service's changes, except of what
billing has told us itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from graph.changes import events
from graph.changes.alarms.awaiting import Guard, unguarded
from graph.changes.alarms.consequences import OURSELVES
from graph.changes.alarms.occurrence import record_text
from graph.changes.events import Event
from graph.changes.policy import AlarmPolicy
from graph.changes.references import look_up, meant
from graph.changes.services import metered
from graph.changes.services.metered import Metered
from graph.changes.sources import Sources, sources_of
from graph.changes.usage.states import Move, completed, is_ahead, measured_in, measured_of, move_on, usage_of
from graph.errors import Refused
from graph.ledger.outbox import Told, write_down
from graph.model.identity import external_key
from graph.model.scope import Principal
from graph.model.usage import Usage
from graph.store.store import Product, Store, Transaction

MOST_TOGETHER: Final = 500
"""records in one transaction."""
_JOINED_AT_ONCE: Final = 200

# Sorted by id: two transactions that lock the same records do it in the same order.
_FIND: Final = f"""
UNWIND $batch.rows AS row
MERGE (u:Usage {{id: row.id}})
SET u._locked = coalesce(u._locked, 0) + 1
RETURN u.id, [u.from, u.to, u.octets, u.mbps, u.kind, u.state, u.serviceRef],
{look_up(("Service",), "row.service", "row.names")}, HEAD(COLLECT {{
  MATCH (u)-[:USED_BY]->(s:Service) RETURN s.id
}})
"""

_KEEP: Final = """
UNWIND $batch.rows AS row
MATCH (u:Usage {id: row.id})
WITH u, row, coalesce(row.start, row.at, datetime.realtime().epochMillis) AS begin
SET u.source = row.source, u.externalId = row.externalId, u.serviceRef = row.service, u.from = begin,
    u.to = coalesce(row.end, begin), u.octets = row.octets, u.mbps = row.mbps, u.kind = row.kind, u.state = row.state, u.awaits = row.awaits,
    u.record = row.record, u._by = row.by, u._takenAt = datetime.realtime().epochMillis
"""

_JOIN: Final = """
UNWIND $batch.rows AS row
MATCH (u:Usage {id: row.usage})
MATCH (s:Service {id: row.service})
CREATE (u)-[:USED_BY]->(s)
SET u.awaits = null, s._version = row.version
"""

# One name after another, however many records await each. Neo4j reads the index in order and stops at the first; the embedded
# database does so only where it is not asked to sort. All records that await a name are of one source, and call their service the same.
_NEXT_NAME: Final[Mapping[Product, str]] = {
    Product.NEO4J: """
MATCH (u:Usage) WHERE u.awaits > $after
WITH u ORDER BY u.awaits LIMIT 1
RETURN u.awaits, u.source, u.serviceRef
""",
    Product.ARCADEDB: """
MATCH (u:Usage) WHERE u.awaits > $after
WITH u LIMIT 1
RETURN u.awaits, u.source, u.serviceRef
""",
}
_RESOLVE: Final = f"RETURN {look_up(('Service',), '$service', '$names')}"
_WAITING: Final = "MATCH (u:Usage {awaits: $name}) RETURN u.id LIMIT $most"

_STILL_WAITING: Final = """
UNWIND $batch.usage AS id
MATCH (u:Usage {id: id})
SET u._locked = coalesce(u._locked, 0) + 1
WITH u WHERE u.awaits IS NOT NULL
RETURN u.id, u.source, u.externalId, u.serviceRef, u.from, u.to, u.octets, u.mbps, u.kind, u.state, u._by
"""


_NOW: Final = "RETURN datetime.realtime().epochMillis"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A record that was taken, now or before."""

    usage: Usage
    service: str | None
    """the id of what it is of; None when it matches nothing."""


_Found: TypeAlias = tuple[str, list[object], str | None]
"""A record under its lock: its id, what is known of it (nothing where it is new), and its service."""


async def record_usage(
    store: Store, principal: Principal, policy: AlarmPolicy, records: Sequence[Usage], *, deadline: float
) -> tuple[Taken, ...]:
    """Take records in, all or none; gives them in the order in which they came."""
    sources = sources_of(principal)
    _check(records, sources)
    by_id = {each.id: each for each in records}

    async def change(transaction: Transaction) -> tuple[Taken, ...]:
        found = {row[0]: row for row in await _find(transaction, policy, by_id)}
        new = [usage for key, usage in sorted(by_id.items()) if _is_new(usage, found[key])]
        services = {key: row[2] for key, row in found.items()}
        moves = _moves(by_id, found)
        if moves and new:  # all services in one order: first those of one and then those of the other would be another
            concerned = (services[each] for each in (*moves, *(each.id for each in new)))
            await metered.lock(transaction, (each for each in concerned if each))
        made, told = list[Event](), list[Told]()
        if moves:
            moved = await move_on(transaction, principal, policy, moves, sources)
            made, told = [*moved.events], [*moved.told]
        rows = [_row(each, services[each.id], principal.system) for each in new]
        if rows:
            transaction.later(_KEEP, {"batch": {"rows": rows}})
            matched = [
                Metered(usage=each, service=service, by=principal.system)
                for each in new
                if (service := services[each.id])
            ]
            joined = await _join(transaction, policy, principal.subject, matched)
            made += joined.events
            told += joined.told
            made += await _unmatched(transaction, principal.subject, [each for each in new if not services[each.id]])
        events.append(transaction, *made)
        write_down(transaction, told)
        states = {key: str(row[1][5] or by_id[key].state) for key, row in found.items()}
        states |= {key: move.state for key, move in moves.items() if move.state}
        return tuple(
            Taken(usage=_kept(each, found[each.id], states[each.id]), service=services[each.id]) for each in records
        )

    return await store.write(change, deadline=deadline)


async def join_usage(
    store: Store, policy: AlarmPolicy, *, deadline: Callable[[], float], guard: Guard = unguarded
) -> int:
    """Look whether the names that records await are known now, and join those to their services; gives how many.

    Each statement and each transaction has a deadline of its own.
    """
    joined, after = 0, ""
    while rows := await store.rows(_NEXT_NAME[store.product], {"after": after}, deadline=deadline()):
        after, source, name = cast("tuple[str, str, str]", tuple(rows[0]))
        names = policy.keys_meant(source, name)
        [[itself, named]] = await store.rows(_RESOLVE, {"service": name, "names": list(names)}, deadline=deadline())
        if (service := meant(itself, named, names)) is not None:
            with guard(name):
                joined += await _join_named(store, policy, after, service, deadline)
    return joined


async def _join_named(store: Store, policy: AlarmPolicy, name: str, service: str, deadline: Callable[[], float]) -> int:
    """Join all that awaits a name to the service that has it now."""
    joined, before = 0, frozenset[str]()
    while rows := await store.rows(_WAITING, {"name": name, "most": _JOINED_AT_ONCE}, deadline=deadline()):
        found = frozenset(str(row[0]) for row in rows)
        if found == before:
            break  # the service has gone meanwhile: they wait on
        joined += await _join_known(store, policy, dict.fromkeys(found, service), deadline())
        before = found
    return joined


async def _join_known(store: Store, policy: AlarmPolicy, known: Mapping[str, str], deadline: float) -> int:
    async def change(transaction: Transaction) -> int:
        rows = await transaction.run(_STILL_WAITING, {"batch": {"usage": sorted(known)}})
        matched = [_metered(row, known[str(row[0])]) for row in rows]
        joined = await _join(transaction, policy, OURSELVES.subject, matched)
        events.append(transaction, *joined.events)
        write_down(transaction, joined.told)
        return len(matched)

    return await store.write(change, deadline=deadline)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joined:
    """What is to be told of records that have got their services."""

    events: Sequence[Event]
    told: Sequence[Told]


async def _join(transaction: Transaction, policy: AlarmPolicy, subject: str, matched: Sequence[Metered]) -> _Joined:
    """Give records their services."""
    services = await metered.lock(transaction, {each.service for each in matched})
    rows, made, told = [], [], list[Told]()
    for each, version in _counted(matched, services):
        service = services[each.service]
        event = Event(
            type="UsageRecorded",
            aggregate_id=each.service,
            aggregate_version=version,
            at=service.now,
            principal=subject,
            payload={"usage": each.usage.id, "service": each.service},
            customers=(service.customer,) if service.customer else (),
        )
        made.append(event)
        rows.append({"usage": each.usage.id, "service": each.service, "version": version})
        if each.usage.is_complete and policy.billing and policy.billing not in (each.usage.source, each.by):
            told.append(metered.told(policy.billing, event.id, each.service, metered.payload(each.usage, service)))
    if rows:
        transaction.later(_JOIN, {"batch": {"rows": rows}})
    return _Joined(events=made, told=told)


def _counted(matched: Sequence[Metered], services: Mapping[str, metered.Service]) -> Iterator[tuple[Metered, int]]:
    """Give each record with the version of its service that it makes; a service's records by time."""
    versions = {key: each.version for key, each in services.items()}
    for each in sorted(matched, key=lambda each: (each.service, each.usage.start or 0, each.usage.id)):
        if each.service in versions:
            versions[each.service] += 1
            yield each, versions[each.service]


async def _unmatched(transaction: Transaction, subject: str, unmatched: Sequence[Usage]) -> list[Event]:
    if not unmatched:
        return []
    [[now]] = await transaction.run(_NOW, {})
    return [
        Event(
            type="UsageUnmatched",
            aggregate_id=each.id,
            aggregate_version=1,
            at=cast("int", now),
            principal=subject,
            payload={"usage": each.id, "source": each.source},
            customers=(),
        )
        for each in unmatched
    ]


def _check(records: Sequence[Usage], sources: Sources) -> None:
    if not 0 < len(records) <= MOST_TOGETHER:
        raise Refused(f"One to {MOST_TOGETHER} records are taken together", code="BAD_USER_INPUT")
    seen: dict[str, Usage] = {}
    for each in records:
        if not sources.has(each.source):
            raise Refused(
                f"This caller does not speak for the source {each.source!r}",
                code="FORBIDDEN",
                path=("sourceSystemId",),
                hint="Have the operator name the source in the setting `systems`",
            )
        if seen.setdefault(each.id, each) != each:
            raise Refused(f"Two records have the id {each.external_id!r}", code="BAD_USER_INPUT", path=("externalId",))


async def _find(transaction: Transaction, policy: AlarmPolicy, by_id: Mapping[str, Usage]) -> list[_Found]:
    names = {key: policy.keys_meant(each.source, each.service) for key, each in by_id.items()}
    rows = [{"id": key, "service": each.service, "names": list(names[key])} for key, each in sorted(by_id.items())]
    found = cast("list[list[Any]]", await transaction.run(_FIND, {"batch": {"rows": rows}}))
    return [(key, known, joined or meant(itself, named, names[key])) for key, known, itself, named, joined in found]


def _is_new(usage: Usage, found: _Found) -> bool:
    """Tell whether nobody has told of it before; refuse what says something else than was told before."""
    known = found[1]
    if known[0] is None:
        return True
    before = {**measured_of(*known[:4]), "kind": known[4], "service": known[6]}  # its state goes on by itself
    said = {**measured_in(usage), "kind": usage.kind, "service": usage.service}
    differing = [name for name, was in before.items() if name in said and said[name] != was]
    if differing:
        raise Refused(
            f"The record {usage.external_id!r} is known already and says something else: {', '.join(differing)}",
            code="CONFLICT",
            path=("externalId",),
            hint="A correction is another record, with an id of its own",
        )
    return False


def _kept(usage: Usage, found: _Found, state: str) -> Usage:
    """Give a record as it is after it was told, with what was measured before."""
    known = found[1]
    return completed(usage, state, measured_of(*known[:4]) if known[0] is not None else {})


def _moves(by_id: Mapping[str, Usage], found: Mapping[str, _Found]) -> dict[str, Move]:
    """Give what becomes of records that were known: states to which they have gone on, and what was not measured before."""
    moves = {}
    for key, each in by_id.items():
        known = found[key][1]
        if known[0] is None:
            continue
        state = each.state if known[5] is not None and is_ahead(each.state, str(known[5])) else None
        new = {name: value for name, value in measured_in(each).items() if name not in measured_of(*known[:4])}
        if state or new:
            moves[key] = Move(state=state, measured=new, more=each.record if new else {})
    return moves


def _row(usage: Usage, service: str | None, by: str) -> dict[str, object]:
    return {
        "id": usage.id,
        "source": usage.source,
        "externalId": usage.external_id,
        "service": usage.service,
        "start": usage.start,
        "end": usage.end,
        "at": usage.at,
        "octets": usage.octets,
        "mbps": usage.mbps,
        "kind": usage.kind,
        "state": usage.state,
        "awaits": None if service else external_key(usage.source, usage.service),
        "record": record_text(usage.record) if usage.record else None,
        "by": by or None,
    }


def _metered(row: Sequence[object], service: str) -> Metered:
    return Metered(usage=usage_of(row), service=service, by=str(row[10] or ""))
