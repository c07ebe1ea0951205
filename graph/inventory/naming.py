"""One thing has many names: an alarm of an EMS must find what an inventory has made, and two inventories must not make it twice.

A name belongs to a system, and names one thing. An operator gives one or takes it back; a feed gives those that its resources have
in other systems; a source may use the names of another (`names_of` of the settings). Whatever waited for the name is joined.

Rules. 1. A name that names one thing is never moved to another: it is taken back first. 2. The same again changes nothing and
tells nobody. 3. Each name that is given or taken back has its event (`ResourceNamed`, `ResourceUnnamed`). 4. All names that
one transaction brings are given together, since their gates are locked before anything else. 5. What an inventory missed here
is no longer missing when a thing gets its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from graph.changes import gates
from graph.changes.alarms.awaiting import find_awaiting
from graph.changes.alarms.consequences import By
from graph.changes.events import Event, append
from graph.changes.idempotency import Asked, once
from graph.changes.outcome import Outcome, UserError
from graph.changes.policy import AlarmPolicy
from graph.errors import Contended, Refused
from graph.inventory.differences import MISSING_HERE, difference_id, end, hold
from graph.model.bounds import text_problem
from graph.model.identity import external_key, loaded_id
from graph.model.kinds import Form
from graph.model.model import RELATIONSHIPS, label_of
from graph.model.resource import KINDS
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

OBJECT_NOT_FOUND: Final = "OBJECT_NOT_FOUND"
NAME_TAKEN: Final = "NAME_TAKEN"

# Who waits for the lock of a node that is deleted gets it on Neo4j, and nulls in its place: so the id and the key are looked at.
_LOCK: Final[Mapping[str, str]] = {
    label: f"""
MATCH (n:{label} {{id: $id}})
SET n._locked = coalesce(n._locked, 0) + 1
RETURN n.id, datetime.realtime().epochMillis, coalesce(n._version, 0)
"""
    for label in RELATIONSHIPS["NAMES"].ends
}
_NAMED: Final = """
MERGE (x:ExternalName {key: $key})
ON CREATE SET x.id = $id, x.system = $system, x.name = $name
SET x._locked = coalesce(x._locked, 0) + 1
RETURN x.id, HEAD(COLLECT { MATCH (x)-[:NAMES]->(n) RETURN n.id })
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

    name: ExternalName
    id: str
    """the name's."""
    taken_by: str | None = None
    """the id of the other thing that has it; then nothing was changed."""
    is_new: bool = False


async def give_names(
    transaction: Transaction, by: By, object_id: str, names: Sequence[ExternalName]
) -> list[Given] | None:
    """Let a thing have names, and join the alarms that waited for them; None where there is no such thing."""
    given = await put_names(transaction, by, object_id, names)
    if given is not None:
        await join_awaiting(transaction, by, object_id, [each.name for each in given if each.is_new])
    return given


async def put_names(
    transaction: Transaction, by: By, object_id: str, names: Sequence[ExternalName]
) -> list[Given] | None:
    """Let a thing have names, and no more: whoever calls this joins what waited for those that are new (`join_awaiting`)."""
    await gates.lock(transaction, [each.key for each in names])
    thing = await _lock(transaction, object_id)
    if thing is None:
        return None
    return [await _put(transaction, by, thing, each) for each in names]


async def join_awaiting(transaction: Transaction, by: By, object_id: str, names: Sequence[ExternalName]) -> None:
    """Raise the alarms that await names on the thing that has them now: those of its systems, and of who uses their names."""
    label = label_of(object_id)
    if names and label is not None and label.name in KINDS:
        keys = [key for each in names for key in by.policy.keys_awaiting(each.system, each.name)]
        await find_awaiting(transaction, by, object_id, keys)


async def take_back(transaction: Transaction, by: By, object_id: str, names: Sequence[ExternalName]) -> bool:
    """Take names from a thing, as far as it has them; False where there is no such thing. Alarms that they led to it stay."""
    await gates.lock(transaction, [each.key for each in names])
    thing = await _lock(transaction, object_id)
    if thing is None:
        return False
    for each in names:
        if await transaction.run(_LOOK, {"key": each.key}) == [[object_id]]:
            thing.version += 1
            given = {"key": each.key, "object": object_id, "version": thing.version}
            transaction.later(_UNNAME[thing.label], given)
            append(transaction, _event("ResourceUnnamed", by, thing, each))
    return True


@dataclass(slots=True, kw_only=True)
class _Thing:
    """A thing under its lock."""

    id: str
    label: str
    now: int
    version: int
    """rises with each name that is given or taken back."""


async def _lock(transaction: Transaction, object_id: str) -> _Thing | None:
    label = label_of(object_id)
    rows = await transaction.run(_LOCK[label.name], {"id": object_id}) if label and label.name in _LOCK else []
    if label is None or not rows or rows[0][0] is None:
        return None
    _, now, version = cast("tuple[str, int, int]", tuple(rows[0]))
    return _Thing(id=object_id, label=label.name, now=now, version=version)


async def _put(transaction: Transaction, by: By, thing: _Thing, name: ExternalName) -> Given:
    given = {"key": name.key, "id": loaded_id("ExternalName", name.system, name.name)}
    [[name_id, there]] = await transaction.run(_NAMED, {**given, "system": name.system, "name": name.name})
    if name_id is None:
        raise Contended("A name is taken from another thing at this moment")
    if there is not None:
        return Given(name=name, id=str(name_id), taken_by=None if there == thing.id else str(there))
    thing.version += 1
    transaction.later(_NAME[thing.label], {"key": name.key, "object": thing.id, "version": thing.version})
    append(transaction, _event("ResourceNamed", by, thing, name))
    end(transaction, [difference_id(name.system, name.name, MISSING_HERE)])
    return Given(name=name, id=str(name_id), is_new=True)


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
    said = {"objectId": object_id, "system": system, "name": name}
    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation="addExternalName", input=said)

    async def change(transaction: Transaction) -> Outcome:
        await hold(transaction, [difference_id(system, name, MISSING_HERE)])
        given = await give_names(transaction, By(principal=principal, policy=policy), object_id, [told])
        if given is None:
            return _sorry("There is no such thing that can have a name", OBJECT_NOT_FOUND, "objectId")
        [found] = given
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
        if not await take_back(transaction, By(principal=principal, policy=policy), object_id, [told]):
            return _sorry("There is no such thing that can have a name", OBJECT_NOT_FOUND, "objectId")
        return Outcome(ids={})

    return await once(store, asked, change, deadline=deadline)


def _checked(principal: Principal, system: str, name: str) -> ExternalName:
    if principal.effective is not Role.OPERATOR:
        raise Refused(
            "Only operators name things", code="FORBIDDEN", hint="Ask with a token that has the role operator"
        )
    for field, text, form in (("system", system, Form.NAME), ("name", name, Form.EXTERNAL)):
        if problem := text_problem(form, text):
            raise Refused(f"`{field}` {problem}", code="BAD_USER_INPUT", path=(field,))
    return ExternalName(system=system, name=name)


def _event(kind: str, by: By, thing: _Thing, name: ExternalName) -> Event:
    return Event(
        type=kind,
        aggregate_id=thing.id,
        aggregate_version=thing.version,
        at=thing.now,
        principal=by.principal.subject,
        payload={"resource": thing.id, "system": name.system, "name": name.name},
        customers=(),
    )


def _sorry(message: str, code: str, path: str) -> Outcome:
    return Outcome(ids={}, user_errors=(UserError(message=message, code=code, path=(path,)),))
