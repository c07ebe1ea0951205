"""A feed may change much and must not decide much: here it is said what becomes of one resource of it.

States are taken at once, from any feed. An incremental feed says what the inventory has done, and that is done here too:
made, changed, moved, taken away. A full feed is only compared: all but the states becomes a difference. What cannot be
done becomes a difference too, and what carries services and is said to be gone is held for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from graph.errors import ConstraintViolated
from graph.inventory import differences, equipment
from graph.inventory.comparing import ENDS, INSIDE, KIND, Differs, differs
from graph.inventory.differences import (
    CONTAINMENT,
    MISSING_HERE,
    MISSING_THERE,
    NOT_TAKEN,
    PROPERTY,
    Difference,
    difference_id,
    end,
    ids_about,
    note,
)
from graph.inventory.equipment import CARRIES_SERVICES, NOT_THERE, Hand, Held, Made
from graph.inventory.known import Known
from graph.inventory.naming import ExternalName, Given, give_names
from graph.inventory.turns import Turn, hold
from graph.model.identity import external_key
from graph.model.resource import PROPERTIES, NotTaken, Resource
from graph.store.link import Work
from graph.store.store import Store, Transaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What came of some resources."""

    changes: int = 0
    differences: tuple[Difference, ...] = ()

    def and_also(self, other: Applied) -> Applied:
        """Give what came of both."""
        return Applied(changes=self.changes + other.changes, differences=(*self.differences, *other.differences))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """One feed that is being compared."""

    store: Store
    hand: Hand
    turn: Turn
    known: Mapping[str, Known] = field(default_factory=dict)
    """what the graph has, by the keys of names: of the resources at hand, and of what they speak of."""

    async def write(self, work: Work[T], *, deadline: float) -> T:
        """Write in the name of the feed, while it is ours; raises Lost when it is not."""

        async def held(transaction: Transaction) -> T:
            await hold(transaction, self.turn)
            return await work(transaction)

        return await self.store.write(held, deadline=deadline)

    async def apply(self, resource: Resource, *, deadline: float) -> Applied:
        """Take what may be taken of one resource; give what else differs."""
        known = self.known.get(resource.key(self.hand.system))
        if resource.removed:
            return await self._removed(resource, known, deadline) if known and not self.turn.full else Applied()
        if known is None and (same := self._same(resource)) is not None:
            mine = ExternalName(system=self.hand.system, name=resource.name)
            named = await self._name(resource, same, (mine, *_said(resource)), deadline)
            return named.and_also(await self._compared(resource, same, deadline))
        if known is None:
            return await self._new(resource, deadline)
        return await self._known(resource, known, deadline)

    def keys_beside(self, resource: Resource) -> set[str]:
        """Give the keys of names that must be known beside a resource's own: of what it speaks of, and of itself elsewhere."""
        system = self.hand.system
        return {
            *(external_key(system, each) for each in resource.references),
            *(external_key(each, resource.name) for each in self.hand.by.policy.names_used_by(system)),
            *(external_key(*each) for each in resource.aliases),
        }

    def _same(self, resource: Resource) -> Known | None:
        """Give the thing that a resource is, by a name that another system has for it."""
        system = self.hand.system
        used = ((each, resource.name) for each in self.hand.by.policy.names_used_by(system))
        found = (self.known.get(external_key(*each)) for each in (*resource.aliases, *used))
        return next((each for each in found if each is not None and each.kind == resource.kind), None)

    def _namesakes(self, resource: Resource) -> list[ExternalName]:
        """Give the names by which other inventories may have an element; nobody has said whether it is the same."""
        others = [each for each in self.hand.by.policy.inventories if each != self.hand.system]
        is_named_alike = resource.kind == "NetworkElement"
        return [ExternalName(system=each, name=resource.name) for each in others] if is_named_alike else []

    async def _name(self, resource: Resource, thing: Known, names: Iterable[ExternalName], deadline: float) -> Applied:
        """Give a thing names, and the difference where one of them is another thing's."""
        missing = [each for each in names if self._id_of(each) != thing.id]

        async def work(transaction: Transaction) -> list[Given]:
            await differences.hold(
                transaction, [difference_id(each.system, each.name, MISSING_HERE) for each in missing]
            )
            return await give_names(transaction, self.hand.by, thing.id, missing) or []

        given = await self.write(work, deadline=deadline) if missing else []
        taken = [each.name for each in given if each.taken_by is not None]
        changes = sum(each.is_new for each in given)
        return Applied(changes=changes, differences=self._not_given(resource, thing.id, taken))

    def _not_given(self, resource: Resource, thing: str, taken: Sequence[ExternalName]) -> tuple[Difference, ...]:
        """Make the difference that names which a resource is said to have are another thing's; none where none is."""
        if not taken:
            return ()
        reason = "; ".join(f"{each.system} calls another thing {each.name}" for each in taken)
        record = NotTaken(kind=resource.kind, name=resource.name, reason=reason)
        return (Difference(system=self.hand.system, kind=NOT_TAKEN, record=record, resource=thing, reason=reason),)

    def _id_of(self, name: ExternalName) -> str | None:
        found = self.known.get(name.key)
        return found.id if found else None

    async def _known(self, resource: Resource, known: Known, deadline: float) -> Applied:
        """Compare a thing that the graph has."""
        named = await self._name(resource, known, _said(resource), deadline)
        return named.and_also(await self._compared(resource, known, deadline))

    async def _compared(self, resource: Resource, known: Known, deadline: float) -> Applied:
        found = list(differs(resource, known, self.ids(resource)))
        if not found:
            return Applied()
        if self.turn.full:
            return await self._states(resource, known, found, deadline)
        return await self._changed(resource, known, found, deadline)

    async def pass_over(self, thing: NotTaken, *, deadline: float) -> Applied:
        """Give the difference of a thing that the graph has no place for; that it is gone can be told of any thing."""
        known = self.known.get(thing.key(self.hand.system))
        if not thing.removed:
            found = Difference(
                system=self.hand.system,
                kind=NOT_TAKEN,
                record=thing,
                resource=known.id if known else None,
                reason=thing.reason,
            )
            return Applied(differences=(found,))
        if known is None or self.turn.full:
            return Applied()
        return await self._removed(Resource(kind=known.kind, name=thing.name, removed=True), known, deadline)

    def ids(self, resource: Resource) -> dict[str, str]:
        """Give our ids of what a resource speaks of, by the inventory's names."""
        named = {each: Resource(kind="Port", name=each).key(self.hand.system) for each in resource.references}
        return {name: self.known[key].id for name, key in named.items() if key in self.known}

    async def _new(self, resource: Resource, deadline: float) -> Applied:
        missing = Difference(system=self.hand.system, kind=MISSING_HERE, record=resource, aspect="")
        if self.turn.full:
            return Applied(differences=(missing,))

        async def work(transaction: Transaction) -> Made | Held:
            made = await equipment.make(transaction, self.hand, resource, apart_from=self._namesakes(resource))
            if isinstance(made, Made):
                end(transaction, [missing.id])
            return made

        try:
            made: Made | Held = await self.write(work, deadline=deadline)
        except ConstraintViolated:
            made = Held(code=NOT_THERE, reason="something else has the id that it would get")
        if isinstance(made, Held):
            return Applied(differences=(replace(missing, reason=made.reason),))
        return Applied(changes=1, differences=self._not_given(resource, made.id, made.taken))

    async def _removed(self, resource: Resource, known: Known, deadline: float) -> Applied:
        aspects = (MISSING_THERE, INSIDE, ENDS, KIND, *PROPERTIES[known.kind])

        async def work(transaction: Transaction) -> bool | Held:
            removed = await equipment.remove(transaction, self.hand, known.id)
            if removed is True:
                end(transaction, ids_about(self.hand.system, resource.name, aspects))
            return removed

        removed = await self.write(work, deadline=deadline)
        if isinstance(removed, Held):
            return Applied(differences=(missing_there(self.hand.system, resource, known.id, removed),))
        return Applied(changes=int(removed))

    async def _states(self, resource: Resource, known: Known, found: list[Differs], deadline: float) -> Applied:
        taken = {each.aspect: resource.properties[each.aspect] for each in found if each.is_state}
        changes = 0
        if taken:
            changes = int(
                await self.write(
                    lambda transaction: equipment.change(transaction, self.hand, known.id, taken), deadline=deadline
                )
            )
        rest = tuple(self._difference(resource, known, each) for each in found if not each.is_state)
        return Applied(changes=changes, differences=rest)

    async def _changed(self, resource: Resource, known: Known, found: list[Differs], deadline: float) -> Applied:
        by_aspect = {each.aspect: each for each in found}
        if KIND in by_aspect:
            return Applied(differences=(self._difference(resource, known, by_aspect[KIND]),))

        async def work(transaction: Transaction) -> Applied:
            properties = {name: resource.properties[name] for name in by_aspect if name in resource.properties}
            changes = int(bool(properties) and await equipment.change(transaction, self.hand, known.id, properties))
            moved = next((each for each in found if each.is_containment), None)
            held = None
            if moved is not None:
                place = await equipment.place_of(transaction, resource, self.ids(resource))
                if isinstance(place, Held):
                    held = self._difference(resource, known, moved, place.reason)
                else:
                    changes += int(await equipment.move(transaction, self.hand, known.id, place))
            settled = [each for each in by_aspect if held is None or each != held.aspect]
            end(transaction, ids_about(self.hand.system, resource.name, settled))
            return Applied(changes=changes, differences=(held,) if held else ())

        return await self.write(work, deadline=deadline)

    def _difference(self, resource: Resource, known: Known, each: Differs, reason: str | None = None) -> Difference:
        return Difference(
            system=self.hand.system,
            kind=CONTAINMENT if each.is_containment else PROPERTY,
            record=resource,
            resource=known.id,
            aspect=each.aspect,
            theirs=each.theirs,
            ours=each.ours,
            reason=reason,
        )

    def note(self, transaction: Transaction, found: tuple[Difference, ...]) -> None:
        """Write differences down."""
        note(transaction, self.turn.feed, self.turn.since, found)


def missing_there(system: str, resource: Resource, resource_id: str, held: Held | None) -> Difference:
    """Make the difference that the inventory has no more what the graph has."""
    return Difference(
        system=system,
        kind=MISSING_THERE,
        record=resource,
        resource=resource_id,
        held=held is not None and held.code == CARRIES_SERVICES,
        reason=held.reason if held else None,
    )


def _said(resource: Resource) -> tuple[ExternalName, ...]:
    """Give the names that a resource is said to have in other systems."""
    return tuple(ExternalName(system=system, name=name) for system, name in resource.aliases)
