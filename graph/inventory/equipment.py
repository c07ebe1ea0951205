"""Equipment is made, changed, moved and taken away, each under its lock and with the event that tells of it.

Every function here runs in a transaction that somebody else commits, so that what else belongs to the change (a
difference that it settles) commits with it. Whose equipment it is decides who sees the event: the customers whose
services are accessed at it or routed over it.

Rules. 1. Lock first, then look: what was read before is looked at again. 2. What holds something, or carries a service,
is not taken away: `Held` says why. 3. A thing is made only where all is said that cannot be guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, cast

from graph import membership
from graph.changes import gates
from graph.changes.alarms.consequences import By, reassess
from graph.changes.events import Event, append
from graph.changes.notices import Notice, hears, tell
from graph.changes.services.hits import hits_of
from graph.errors import Contended
from graph.inventory import alarms
from graph.inventory.known import Known, known_within, locked
from graph.inventory.names import called
from graph.inventory.naming import ExternalName, Given, give_names, join_awaiting, put_names
from graph.model.event_kinds import kind_of
from graph.model.identity import external_key, loaded_id
from graph.model.model import label_of, searchable
from graph.model.resource import KINDS, PROPERTIES, SAME_PORT, Resource, Value
from graph.store.store import Transaction

CARRIES_SERVICES: Final = "CARRIES_SERVICES"
HOLDS_OTHERS: Final = "HOLDS_OTHERS"
UNKNOWN_PLACE: Final = "UNKNOWN_PLACE"
INCOMPLETE: Final = "INCOMPLETE"
NOT_THERE: Final = "NOT_THERE"
NAMESAKE: Final = "NAMESAKE"
ONE_PORT: Final = "ONE_PORT"
_MAYBE_THE_SAME: Final = (
    "{system} has an element of this name: say that it is the same (addExternalName), or that it is another"
)

_UNSAID: Final[Mapping[str, Value]] = MappingProxyType(
    {
        "vendor": "unknown",
        "model": "unknown",
        "role": "unknown",
        "layerRate": "unknown",
        "slot": 0,
        "number": 0,
        "operationalState": "enabled",
        "administrativeState": "unlocked",
    }
)
"""What a new thing has where its inventory says nothing; rates are not among it, since others rely on them."""
_HOLDERS: Final = {"NetworkElement": "Site", "Card": "NetworkElement", "Port": "Card"}

_MAKE: Final[Mapping[str, str]] = {
    kind: f"""
CREATE (n:{kind} {{id: $id}})
SET n += $properties, n._version = 1
CREATE (:ExternalName {{id: $nameId, key: $key, system: $system, name: $name}})-[:NAMES]->(n)
"""
    for kind in KINDS
}
_CHANGE: Final[Mapping[str, str]] = {
    kind: f"MATCH (n:{kind} {{id: $id}}) SET n += $properties, n._version = $version" for kind in KINDS
}
_LEAVE: Final[Mapping[str, str]] = {
    "NetworkElement": "MATCH (n:NetworkElement {id: $id})-[r:LOCATED_AT]->(:Site) DELETE r",
    "Card": "MATCH (n:Card {id: $id})<-[r:HOLDS]-(:NetworkElement) DELETE r",
    "Port": "MATCH (n:Port {id: $id})<-[r:HAS_PORT]-(:Card) DELETE r",
    "Trunk": "MATCH (n:Trunk {id: $id})-[r:TERMINATES_ON]->(:Port) DELETE r",
}
_ENTER: Final[Mapping[str, str]] = {
    "NetworkElement": "MATCH (n:NetworkElement {id: $id}) MATCH (c:Site {id: $holder}) CREATE (n)-[:LOCATED_AT]->(c)",
    "Card": "MATCH (n:Card {id: $id}) MATCH (c:NetworkElement {id: $holder}) CREATE (c)-[:HOLDS]->(n)",
    "Port": "MATCH (n:Port {id: $id}) MATCH (c:Card {id: $holder}) CREATE (c)-[:HAS_PORT]->(n)",
}
_END: Final = """
MATCH (n:Trunk {id: $id}) MATCH (a:Port {id: $a}) MATCH (z:Port {id: $z})
CREATE (n)-[:TERMINATES_ON {end: 'A'}]->(a)
CREATE (n)-[:TERMINATES_ON {end: 'Z'}]->(z)
"""
_HELD_BY: Final[Mapping[str, str]] = {
    "NetworkElement": "RETURN COUNT { MATCH (:NetworkElement {id: $id})-[:HOLDS]->(:Card) }",
    "Card": "RETURN COUNT { MATCH (:Card {id: $id})-[:HAS_PORT]->(:Port) }",
    "Port": "RETURN COUNT { MATCH (:Port {id: $id})<-[:TERMINATES_ON]-(:Trunk) }",
    "Trunk": "RETURN 0",
}
_FORGET_NAMES: Final[Mapping[str, str]] = {
    kind: f"MATCH (x:ExternalName)-[:NAMES]->(:{kind} {{id: $id}}) DETACH DELETE x" for kind in KINDS
}
_TAKE_AWAY: Final[Mapping[str, str]] = {kind: f"MATCH (n:{kind} {{id: $id}}) DETACH DELETE n" for kind in KINDS}
_COUNT_ON: Final[Mapping[str, str]] = {
    kind: f"MATCH (n:{kind} {{id: $id}}) SET n._version = $version" for kind in KINDS
}
_CONCERNED: Final = """
UNWIND $services AS id
MATCH (c:Customer)-[:SUBSCRIBES_TO]->(:Service {id: id})
RETURN DISTINCT c.id
"""
_NOW: Final = "RETURN datetime.realtime().epochMillis"
_SITE: Final = "MATCH (s:Site) WHERE s.name = $name RETURN s.id LIMIT 2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """In whose name equipment is changed."""

    by: By
    system: str
    """the inventory that it is about."""
    origin: Mapping[str, str] = field(default_factory=dict)
    """why: the feed or the difference; part of every event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Why a change was not made."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A thing that is there now."""

    id: str
    taken: tuple[ExternalName, ...] = ()
    """names that it was to have and that are another thing's."""


async def change(transaction: Transaction, hand: Hand, resource_id: str, properties: Mapping[str, Value]) -> bool:
    """Set properties; tell whether any of them was another before."""
    known = await locked(transaction, resource_id)
    if known is None:
        return False
    new = {name: value for name, value in properties.items() if known.properties.get(name) != value}
    if not new:
        return False
    given = {"id": known.id, "properties": _with_words(known.kind, {**known.properties, **new}, new)}
    transaction.later(_CHANGE[known.kind], {**given, "version": known.version + 1})
    was = {name: known.properties.get(name) for name in new}
    kind = "ResourceStateChanged" if all(name.endswith("State") for name in new) else "ResourceChanged"
    await _tell(transaction, hand, known, kind, {"changed": new, "was": was})
    return True


async def make(
    transaction: Transaction, hand: Hand, resource: Resource, *, apart_from: Sequence[ExternalName] = ()
) -> Made | Held:
    """Make a thing; where it is there already, under any name that is its own, it stays as it is and gets the rest of its names.

    `apart_from` are names that are not known to be its own: where one is of another thing of its kind, nothing is made.
    All is looked up under the gates of the names, so that of several inventories that bring one thing one makes it.
    """
    names = _Names.of(hand, resource)
    made = loaded_id(resource.kind, hand.system, resource.name)
    await gates.lock(transaction, (made, *(each.key for each in (*names.every, *apart_from))))
    references = {each: external_key(hand.system, each) for each in resource.references}
    keys = (*references.values(), *(each.key for each in (*names.every, *apart_from)))
    found = await known_within(transaction, keys)
    if (same := names.chosen(found, resource.kind)) is not None:
        given = await give_names(transaction, hand.by, same, (names.own, *names.said))
        if given is None:
            raise Contended("A thing is just being taken away")
        return _made_of(same, given)
    if (other := _first_of(apart_from, found, resource.kind)) is not None:
        return Held(code=NAMESAKE, reason=_MAYBE_THE_SAME.format(system=other.system))
    properties = {**_UNSAID, "name": resource.name, **resource.properties}
    unsaid = [name for name in PROPERTIES[resource.kind] if name not in properties]
    if unsaid:
        return Held(code=INCOMPLETE, reason=f"it is not said what its {' and '.join(unsaid)} is")
    ids = {name: found[key].id for name, key in references.items() if key in found}
    place = await place_of(transaction, resource, ids)
    if isinstance(place, Held):
        return place
    await _make(transaction, hand, resource, properties, place)
    given = await put_names(transaction, hand.by, made, names.said) if names.said else []
    new = [each.name for each in given or () if each.is_new]
    await join_awaiting(transaction, hand.by, made, (names.own, *new))
    return _made_of(made, given or ())


async def place_of(transaction: Transaction, resource: Resource, ids: Mapping[str, str]) -> tuple[str, ...] | Held:
    """Give our ids of what a thing is to lie in, or of the ports that it is to end on; nothing where nothing is said."""
    if resource.kind == "Trunk":
        wanted: Sequence[str] = resource.ends or ()
        if not wanted:
            return Held(code=INCOMPLETE, reason="it is not said which ports it ends on")
        kind = "Port"
    else:
        kind = _HOLDERS[resource.kind]
        wanted = [resource.inside] if resource.inside else []
        if not wanted and resource.kind != "NetworkElement":
            return Held(code=INCOMPLETE, reason="it is not said what it lies in")
    found = []
    for name in wanted:
        one = ids.get(name) or (await _site(transaction, name) if kind == "Site" else None)
        label = label_of(one) if one else None
        if one is None or label is None or label.name != kind:
            return Held(code=UNKNOWN_PLACE, reason=f"there is no {kind} that the inventory calls {name}")
        found.append(one)
    if resource.kind == "Trunk" and found[0] == found[1]:
        return Held(code=ONE_PORT, reason=SAME_PORT)  # by two names of the port, or it were no resource at all
    return tuple(found)


async def move(transaction: Transaction, hand: Hand, resource_id: str, place: tuple[str, ...]) -> bool:
    """Put a thing into another, or end a trunk on other ports; what services above suffer is looked at anew."""
    await alarms.hold_around(transaction, {resource_id, *place})
    known = await locked(transaction, resource_id)
    before = _place(known) if known else ()
    if known is None or before == place:
        return False
    await membership.hold(transaction)
    services = sorted(await hits_of(transaction, known.id))
    customers = await _customers_of(transaction, services)
    transaction.later(_LEAVE[known.kind], {"id": known.id})
    _enter(transaction, known.kind, known.id, place)
    transaction.later(_COUNT_ON[known.kind], {"id": known.id, "version": known.version + 1})
    await transaction.settle()
    await reassess(transaction, hand.by, services)
    await membership.forget_behind(transaction, (known.id,))  # locks customers, which come last
    moved = {"moved": list(place), "was": list(before)}
    await _append(transaction, hand, known, "ResourceMoved", moved, customers)
    return True


async def remove(transaction: Transaction, hand: Hand, resource_id: str) -> bool | Held:
    """Take a thing away that carries nothing and holds nothing; false when it is not there."""
    await alarms.hold_around(transaction, [resource_id])
    known = await locked(transaction, resource_id)
    if known is None:
        return False
    await membership.hold(transaction)
    held = await why_held(transaction, known)
    if held is not None:
        return held
    await alarms.let_go(transaction, known.kind, known.id)
    # While it has its names: what is told of it says them.
    await _append(transaction, hand, known, "ResourceRemoved", {"was": dict(known.properties)}, ())
    await membership.forget_behind(transaction, (known.id,))  # locks customers, which come last
    transaction.later(_FORGET_NAMES[known.kind], {"id": known.id})
    transaction.later(_TAKE_AWAY[known.kind], {"id": known.id})
    return True


async def why_held(transaction: Transaction, known: Known) -> Held | None:
    """Tell why a thing cannot be taken away; None when it can."""
    services = len(await hits_of(transaction, known.id))
    if services:
        plural = "s" if services > 1 else ""
        return Held(code=CARRIES_SERVICES, reason=f"it still carries {services} service{plural}")
    [[count]] = await transaction.run(_HELD_BY[known.kind], {"id": known.id})
    if count:
        return Held(
            code=HOLDS_OTHERS, reason=f"{count} other thing{'s' if cast('int', count) > 1 else ''} still depend on it"
        )
    return None


async def count_on(transaction: Transaction, hand: Hand, known: Known, kind: str, payload: Mapping[str, Any]) -> Event:
    """Append an event of a locked thing that is itself left as it is."""
    transaction.later(_COUNT_ON[known.kind], {"id": known.id, "version": known.version + 1})
    return await _tell(transaction, hand, known, kind, payload)


async def _make(
    transaction: Transaction, hand: Hand, resource: Resource, properties: Mapping[str, Value], place: tuple[str, ...]
) -> None:
    """Make a thing whose gates are held, with the name that its inventory has for it."""
    made = loaded_id(resource.kind, hand.system, resource.name)
    mine = {name: properties[name] for name in PROPERTIES[resource.kind]}
    for each in sorted(place):
        await locked(transaction, each)
    name = {"key": resource.key(hand.system), "system": hand.system, "name": resource.name}
    given = {"id": made, "properties": _with_words(resource.kind, mine, mine), **name}
    transaction.later(_MAKE[resource.kind], {**given, "nameId": loaded_id("ExternalName", hand.system, resource.name)})
    _enter(transaction, resource.kind, made, place)
    [[now]] = await transaction.run(_NOW, {})
    known = Known(id=made, kind=resource.kind, now=cast("int", now), version=0, properties=mine, inside=None, ends=())
    await _append(transaction, hand, known, "ResourceAdded", {"added": dict(mine), "place": list(place)}, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """The names of a thing that an inventory brings."""

    own: ExternalName
    said: tuple[ExternalName, ...]
    """those that the inventory says it has in other systems."""
    used: tuple[ExternalName, ...]
    """of other systems, which the inventory uses."""

    @classmethod
    def of(cls, hand: Hand, resource: Resource) -> _Names:
        used = hand.by.policy.names_used_by(hand.system)
        return cls(
            own=ExternalName(system=hand.system, name=resource.name),
            said=tuple(ExternalName(system=system, name=name) for system, name in resource.aliases),
            used=tuple(ExternalName(system=each, name=resource.name) for each in used),
        )

    @property
    def every(self) -> tuple[ExternalName, ...]:
        return (self.own, *self.said, *self.used)

    def chosen(self, found: Mapping[str, Known], kind: str) -> str | None:
        """Give the id of the thing, by the first name under which one of its kind is known; its own names it, whatever the kind."""
        other = _first_of((*self.said, *self.used), found, kind)
        there = found.get(self.own.key) or (found[other.key] if other else None)
        return there.id if there else None


def _first_of(names: Iterable[ExternalName], found: Mapping[str, Known], kind: str) -> ExternalName | None:
    return next((each for each in names if (one := found.get(each.key)) is not None and one.kind == kind), None)


def _made_of(resource_id: str, given: Iterable[Given]) -> Made:
    return Made(id=resource_id, taken=tuple(each.name for each in given if each.taken_by is not None))


def _enter(transaction: Transaction, kind: str, resource_id: str, place: tuple[str, ...]) -> None:
    if kind == "Trunk":
        transaction.later(_END, {"id": resource_id, "a": place[0], "z": place[1]})
    elif place:
        transaction.later(_ENTER[kind], {"id": resource_id, "holder": place[0]})


def _place(known: Known) -> tuple[str, ...]:
    if known.kind == "Trunk":
        return tuple(each for each, _ in known.ends)
    return (known.inside[0],) if known.inside else ()


async def _site(transaction: Transaction, name: str) -> str | None:
    """Find a site by its own name, where just one has it."""
    rows = await transaction.run(_SITE, {"name": name})
    return str(rows[0][0]) if len(rows) == 1 else None


def _with_words(kind: str, whole: Mapping[str, Value], changed: Mapping[str, Value]) -> dict[str, Value]:
    """Add the words by which it is searched, where they follow from what is changed."""
    if "name" not in changed and "model" not in changed:
        return dict(changed)
    model = str(whole.get("model", "")) if kind != "Trunk" else ""
    return {**changed, "words": searchable(str(whole.get("name", "")), model)}


async def _tell(transaction: Transaction, hand: Hand, known: Known, kind: str, payload: Mapping[str, Any]) -> Event:
    return await _append(transaction, hand, known, kind, payload, await _concerned(transaction, known.id))


async def _append(  # private: the parts of an event
    transaction: Transaction,
    hand: Hand,
    known: Known,
    kind: str,
    payload: Mapping[str, Any],
    customers: Sequence[str],
) -> Event:
    event = Event(
        type=kind,
        aggregate_id=known.id,
        aggregate_version=known.version + 1,
        at=known.now,
        principal=hand.by.principal.subject,
        payload={"resource": known.id, "system": hand.system, **hand.origin, **payload},
        customers=customers,
    )
    append(transaction, event)
    await _notify(transaction, hand, known, event)
    return event


async def _notify(transaction: Transaction, hand: Hand, known: Known, event: Event) -> None:
    """Write down what the fault management system is to be told of it; of its own inventory it is told nothing."""
    policy, kind = hand.by.policy, kind_of(event.type)
    hearing = policy.fault_management
    if hearing is None or kind is None or not hears(hearing, kind, hand.by.principal.system, hand.system):
        return
    systems = (hearing.name, *sorted(hearing.sources), hand.system, policy.inventory)
    names = await called(transaction, known.kind, known.id, systems)
    changed = cast("Mapping[str, Value]", event.payload.get("changed", {}))
    values: dict[str, object] = {
        "resource": known.kind,
        "name": names.name,
        "element": names.element,
        "properties": {**known.properties, **changed},
        "changed": sorted(changed),
        "was": event.payload.get("was"),
        "place": event.payload.get("moved", event.payload.get("place", ())),
    }
    tell(transaction, hearing, [Notice(event=event, kind=kind, about=known.id, order_key=known.id, values=values)])


async def _concerned(transaction: Transaction, resource_id: str) -> list[str]:
    """Give the customers whose services are accessed at a thing, or routed over it, sorted."""
    return await _customers_of(transaction, sorted(await hits_of(transaction, resource_id)))


async def _customers_of(transaction: Transaction, services: Sequence[str]) -> list[str]:
    rows = await transaction.run(_CONCERNED, {"services": services}) if services else []
    return sorted(str(row[0]) for row in rows)
