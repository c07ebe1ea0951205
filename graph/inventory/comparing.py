"""Two descriptions of one thing differ only where both say something: what an inventory does not say, it does not deny.

>>> from graph.inventory.known import Known
>>> card = Known(id="card-1", kind="Card", now=0, version=0, properties={"slot": 1, "model": "LC"}, inside=None, ends=())
>>> [str(each) for each in differs(Resource(kind="Card", name="K1", properties={"slot": 2}), card, {})]
['slot: 2 there, 1 here']
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from graph.inventory.known import Known
from graph.model.resource import STATES, Resource

INSIDE: Final = "inside"
ENDS: Final = "ends"
KIND: Final = "kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Differs:
    """One aspect of a thing, as either side has it."""

    aspect: str
    """a property's name, or `INSIDE`, `ENDS`, `KIND`."""
    theirs: str
    ours: str | None

    def __str__(self) -> str:
        return f"{self.aspect}: {self.theirs} there, {self.ours or 'nothing'} here"

    @property
    def is_state(self) -> bool:
        """Tell whether it is a state, which is taken at once."""
        return self.aspect in STATES

    @property
    def is_containment(self) -> bool:
        """Tell whether it is about where the thing is."""
        return self.aspect in (INSIDE, ENDS)


def differs(theirs: Resource, ours: Known, ids: Mapping[str, str]) -> Iterator[Differs]:
    """Give where they differ. `ids` are our ids of the things that the inventory names beside it, as far as known."""
    if theirs.kind != ours.kind:
        yield Differs(aspect=KIND, theirs=theirs.kind, ours=ours.kind)
        return
    for name, value in theirs.properties.items():
        if ours.properties.get(name) != value:
            mine = ours.properties.get(name)
            yield Differs(aspect=name, theirs=str(value), ours=None if mine is None else str(mine))
    if theirs.inside is not None and not _same_place(theirs.inside, ours, ids):
        yield Differs(aspect=INSIDE, theirs=theirs.inside, ours=ours.inside[1] if ours.inside else None)
    if theirs.ends is not None and tuple(map(ids.get, theirs.ends)) != tuple(each for each, _ in ours.ends):
        yield Differs(
            aspect=ENDS, theirs=" - ".join(theirs.ends), ours=" - ".join(name for _, name in ours.ends) or None
        )


def _same_place(inside: str, ours: Known, ids: Mapping[str, str]) -> bool:
    if ours.inside is None:
        return False
    holder, name = ours.inside
    # A site is often told by its name alone, which is no name of the inventory's.
    return ids.get(inside) == holder or (ours.kind == "NetworkElement" and inside not in ids and inside == name)
