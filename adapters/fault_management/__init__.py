"""Fault management: a central system where people look at all alarms, told of each and of what it does to customers.

Such systems differ in protocol and words, and what is owed to them is the same: an alarm that can be found again under our
own id, that says how bad it is, which services of whom it affects, whether somebody has taken note, and when it is over.
`FaultManagement` says that much; each dialect says it to one kind of system.

In: an `AlarmOrder`, what is to be known of an alarm. Out: a `TheirAlarm`, what the other system has of it; or an
`adapters.errors.AdapterError`.

Of other events it is told what happened (`Notified`), in the order of each service, piece of equipment and ticket; the words are in
`adapters/event_words.py`.

Files, in order of flow: `telling.py` (a delivery is told) · this one (what every dialect does) · `outbound/` (the dialects) ·
`alarms/` (one record of an alarm for all dialects) · `inbound/` (what fault managers call on us).

Invariants
1. Our alarm is known there by our id, from its first moment on; whoever does not know whether it was heard looks for it first.
2. Of an alarm that came from that system it is told only what we add: the effect, and who has taken note.
3. That somebody has *not* taken note is told only when that is the news: what their people have done meanwhile stays.
4. No method tries twice. When and whether to ask again is the ledger's business.

An alarm that may be there already:

    their = await system.find(order, deadline=soon)
    if their is None:
        await system.report(order, delivery_id="event-9:noc:alarm-7", deadline=soon)
    else:
        await system.amend(their, order, delivery_id="event-9:noc:alarm-7", deadline=soon)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from adapters.event_words import EventNotice
from graph.model.vocabulary import EFFECTS, SEVERITIES

US: Final = "trunkline"
"""How we call ourselves: the reporting system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A service that the alarm affects."""

    id: str
    name: str
    effect: str
    """one of `graph.model.vocabulary.EFFECTS`."""
    severity: str | None
    """by contract, one of `graph.model.vocabulary.SEVERITIES`."""
    customer: str
    customer_name: str

    def __post_init__(self) -> None:
        if self.effect not in EFFECTS or (self.severity is not None and self.severity not in SEVERITIES):
            raise ValueError(f"{self.effect!r}, {self.severity!r}: one of them is no word of an effect")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmOrder:
    """What is to be known of an alarm."""

    id: str
    """ours: what it is found by, unless it is theirs."""
    body: Mapping[str, Any]
    """the alarm as it is, in the shape of TMF642; of one that is theirs, what names it and what we add."""
    is_new: bool
    """whether this is the first that is told of it."""
    is_theirs: bool
    their_id: str
    """of an alarm that is theirs: the id that they gave with it; may be empty."""
    acknowledged: bool | None
    """None: that is not told."""
    source_changed: str
    """when its source says that it has changed last, as the source writes it; empty where it does not say."""
    is_cleared: bool
    affected: tuple[Affected, ...]
    """some of them, if they are many;"""
    affected_count: int
    """and how many they are."""
    object_name: tuple[tuple[str, str], ...] = ()
    """what it is on, part by part as MTOSI names it, where the system is told so (`names_objects`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TheirAlarm:
    """What the other system has of an alarm."""

    id: str
    """theirs."""
    acknowledged: bool
    is_cleared: bool = False
    """whether it is over there; where that is not asked, it is not said."""


class Notified(Protocol):
    """Who is told of events that are none of an alarm's. It raises `AdapterError` and nothing else of its own."""

    async def notify(self, notice: EventNotice, *, repeats: bool, delivery_id: str, deadline: float) -> str | None:
        """Tell of one event; `repeats`: it may have been heard before. Gives what is worth knowing of how it went."""
        ...


class FaultManagement(Protocol):
    """One fault management system. Every method raises `AdapterError` and nothing else of its own."""

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        ...

    @property
    def names_objects(self) -> bool:
        """Whether it says what an alarm is on by a name of several parts: orders for it have an `object_name`."""
        ...

    async def find(self, order: AlarmOrder, *, deadline: float) -> TheirAlarm | None:
        """Give what they have of this alarm; where they have it twice, what came first."""
        ...

    async def report(self, order: AlarmOrder, *, delivery_id: str, deadline: float) -> str | None:
        """Tell of an alarm that they do not have; gives what is worth knowing of how it went."""
        ...

    async def amend(self, their: TheirAlarm, order: AlarmOrder, *, delivery_id: str, deadline: float) -> str | None:
        """Bring what they have to what the order says; gives what is worth knowing of how it went."""
        ...

    async def acknowledged(self, *, deadline: float) -> Sequence[str]:
        """Give our ids of our alarms that their people have taken note of and that are not over."""
        ...

    async def subscribe(self, callback: str, *, deadline: float) -> str:
        """Ask to be told of changes at this address, once; gives what the registration is called there, or nothing."""
        ...

    async def unsubscribe(self, their_id: str, *, deadline: float) -> None:
        """Take such a registration back."""
        ...
