"""One thing has many names: an alarm of an EMS must find what an inventory has made, and two inventories must not make it twice.

A name belongs to a system, and names one thing. An operator gives one or takes it back; a feed gives those that its resources have
in other systems; a source may use the names of another (`names_of` of the settings). Whatever waited for the name is joined.

Rules. 1. A name that names one thing is never moved to another: it is taken back first. 2. The same again changes nothing and
tells nobody. 3. Each change is a transaction with its event (`ResourceNamed`, `ResourceUnnamed`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from graph.changes import gates
from graph.changes.alarms.awaiting import find_awaiting
from graph.changes.alarms.consequences import By
from graph.changes.events import Event, append
from graph.changes.idempotency import Asked, once
from graph.changes.outcome import Outcome, UserError
from graph.changes.policy import AlarmPolicy
from graph.errors import Refused
from graph.model.identity import external_key, loaded_id
from graph.model.model import RELATIONSHIPS, label_of
from graph.model.resource import KINDS, is_speakable
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

OBJECT_NOT_FOUND: Final = "OBJECT_NOT_FOUND"
NAME_TAKEN: Final = "NAME_TAKEN"

_LOCK: Final[Mapping[str, str]] = {
    label: f"""
MATCH (n:{label} {{id: $id}})
SET n._lock = true
REMOVE n._lock
RETURN datetime.realtime().epochMillis, coalesce(n._version, 0)
"""
    for label in RELATIONSHIPS["NAMES"].ends
}
_NAMED: Final = """
MERGE (x:ExternalName {key: $key})
ON CREATE SET x.id = $id, x.system = $system, x.name = $name
SET x._lock = true
REMOVE x._lock
RETURN HEAD(COLLECT { MATCH (x)-[:NAMES]->(n) RETURN n.id }), x.id
"""
_NAME: Final[Mapping[str, str]] = {
    label: f"""
MATCH (x:ExternalName {{key: $key}}) MATCH (n:{label} {{id: $object}})
SET n._version = $version
CREATE (x)-[:NAMES]->(n)
"""
    for label in RELATIONSHIPS["NAMES"].ends
}
_LOOK: Final = "MATCH (x:ExternalName {key: $key})-[:NAMES]->(n) RETURN n.id"
_UNNAME: Final[Mapping[str, str]] = {
    label: f"""
MATCH (x:ExternalName {{key: $key}})-[:NAMES]->(n:{label} {{id: $object}})
SET n._version = $version
DETACH DELETE x
"""
    for label in RELATIONSHIPS["NAMES"].ends
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalName:
    """What a system calls a thing."""

    system: str
    name: str

    @property
    def key(self) -> str:
        """What it is found by."""
        return external_key(self.system, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What became of a name."""

    id: str
    """the name's."""
    taken_by: str | None = None
    """the id of the other thing that has it; then nothing was changed."""
    is_new: bool = False


async def give_name(transaction: Transaction, by: By, object_id: str, name: ExternalName) -> Given | None:
    """Let a thing have a name, and join the alarms that waited for it; None where there is no such thing."""
    await gates.lock(transaction, _keys(by, name))
    label = label_of(object_id)
    locked = await transaction.run(_LOCK[label.name], {"id": object_id}) if label and label.name in _LOCK else []
    if label is None or not locked:
        return None
    now, version = cast("tuple[int, int]", tuple(locked[0]))
    given = {"key": name.key, "id": loaded_id("ExternalName", name.system, name.name)}
    rows = await transaction.run(_NAMED, {**given, "system": name.system, "name": name.name})
    there, name_id = cast("tuple[str | None, str]", tuple(rows[0]))
    if there is not None:
        return Given(id=name_id, taken_by=None if there == object_id else there)
    transaction.later(_NAME[label.name], {"key": name.key, "object": object_id, "version": version + 1})
    append(transaction, _event("ResourceNamed", by, object_id, version + 1, now, name))
    if label.name in KINDS:
        await join_awaiting(transaction, by, object_id, name)
    return Given(id=name_id, is_new=True)


async def join_awaiting(transaction: Transaction, by: By, object_id: str, name: ExternalName) -> None:
    """Raise the alarms that await a name on the thing that has it now: those of its system, and of sources that use its names."""
    await find_awaiting(transaction, by, object_id, _keys(by, name))


def _keys(by: By, name: ExternalName) -> list[str]:
    """Give the keys that alarms may await for which this name will do."""
    sources = (name.system, *by.policy.sources_using(name.system))
    return [external_key(each, name.name) for each in sources]


async def share_name(store: Store, by: By, source: str, name: str, *, deadline: float) -> None:
    """Let a source have a name that another has whose names it uses, unless it has it already; nothing where none has."""
    mine = ExternalName(system=source, name=name)
    others = by.policy.names_used_by(source)
    if not others or await _thing(store, mine, deadline) is not None:
        return
    for other in others:
        found = await _thing(store, ExternalName(system=other, name=name), deadline)
        if found is not None:

            async def work(transaction: Transaction, found: str = found) -> None:
                await give_name(transaction, by, found, mine)

            await store.write(work, deadline=deadline)
            return


async def add_external_name(  # noqa: PLR0913  # all by name
    store: Store,
    principal: Principal,
    policy: AlarmPolicy,
    *,
    object_id: str,
    system: str,
    name: str,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Say what a system calls a thing. The outcome has the `externalName`; NAME_TAKEN where it names another thing."""
    told = _checked(principal, system, name)
    given = {"objectId": object_id, "system": system, "name": name}
    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation="addExternalName", input=given)

    async def change(transaction: Transaction) -> Outcome:
        found = await give_name(transaction, By(principal=principal, policy=policy), object_id, told)
        if found is None:
            return _sorry("There is no such thing that can have a name", OBJECT_NOT_FOUND, "objectId")
        if found.taken_by is not None:
            text = f"{system} calls another thing so: {found.taken_by}; take that name back first"
            return _sorry(text, NAME_TAKEN, "name")
        return Outcome(ids={"externalName": found.id})

    return await once(store, asked, change, deadline=deadline)


async def remove_external_name(  # noqa: PLR0913  # all by name
    store: Store,
    principal: Principal,
    policy: AlarmPolicy,
    *,
    object_id: str,
    system: str,
    name: str,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Take a name back; one that the thing has not is no error. Alarms that it has led to the thing stay there."""
    told = _checked(principal, system, name)
    given = {"objectId": object_id, "system": system, "name": name}
    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation="removeExternalName", input=given)

    async def change(transaction: Transaction) -> Outcome:
        label = label_of(object_id)
        locked = await transaction.run(_LOCK[label.name], {"id": object_id}) if label and label.name in _LOCK else []
        if label is None or not locked:
            return _sorry("There is no such thing that can have a name", OBJECT_NOT_FOUND, "objectId")
        now, version = cast("tuple[int, int]", tuple(locked[0]))
        if await transaction.run(_LOOK, {"key": told.key}) == [[object_id]]:
            transaction.later(_UNNAME[label.name], {"key": told.key, "object": object_id, "version": version + 1})
            by = By(principal=principal, policy=policy)
            append(transaction, _event("ResourceUnnamed", by, object_id, version + 1, now, told))
        return Outcome(ids={})

    return await once(store, asked, change, deadline=deadline)


def _checked(principal: Principal, system: str, name: str) -> ExternalName:
    if principal.effective is not Role.OPERATOR:
        raise Refused(
            "Only operators name things", code="FORBIDDEN", hint="Ask with a token that has the role operator"
        )
    for field, text in (("system", system), ("name", name)):
        if not is_speakable(text):
            raise Refused("It has 1 to 500 characters, all of them to be read", code="BAD_USER_INPUT", path=(field,))
    return ExternalName(system=system, name=name)


async def _thing(store: Store, name: ExternalName, deadline: float) -> str | None:
    rows = await store.rows(_LOOK, {"key": name.key}, deadline=deadline)
    return str(rows[0][0]) if rows else None


def _event(kind: str, by: By, object_id: str, version: int, now: int, name: ExternalName) -> Event:
    return Event(
        type=kind,
        aggregate_id=object_id,
        aggregate_version=version,
        at=now,
        principal=by.principal.subject,
        payload={"resource": object_id, "system": name.system, "name": name.name},
        customers=(),
    )


def _sorry(message: str, code: str, path: str) -> Outcome:
    return Outcome(ids={}, user_errors=(UserError(message=message, code=code, path=(path,)),))
