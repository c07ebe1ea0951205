"""What an operator decides about alarms, and about who is told, as data that the changes are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from graph.changes.catalogue import Product
from graph.model.effects import DEFAULT_TIER, RANK
from graph.model.event_kinds import ALARM_KINDS, KINDS
from graph.model.identity import external_key
from graph.model.vocabulary import TIERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """A fault management system that is told of alarms and of other events."""

    name: str
    """the system's: what deliveries call it."""
    sources: frozenset[str] = frozenset()
    """those that it speaks for: of their alarms it is told only what we add."""
    events: frozenset[str] = frozenset(ALARM_KINDS)
    """the kinds of events that are told, of `graph.model.event_kinds.KINDS`."""

    def __post_init__(self) -> None:
        if unknown := self.events - KINDS.keys():
            raise ValueError(f"{', '.join(sorted(unknown))}: there are no such kinds of events")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """Who places orders here, and how large one may be."""

    systems: frozenset[str] = frozenset()
    """the systems that may; operators and customers with the claim may too."""
    most_items: int = 200
    """of an order, those within other items included."""
    most_open: int = 50
    """items that are built by themselves and are not over, of what one customer has ordered for itself: each holds ports and capacity."""
    products: Mapping[str, Product] = field(default_factory=lambda: MappingProxyType({}))
    """what is built by itself when it is ordered, by the names of offerings or products; people carry out all else."""

    def __post_init__(self) -> None:
        if self.most_items < 1 or self.most_open < 1:
            raise ValueError("an order has at least one item")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmPolicy:
    """Whom an alarm is told to, and from which severity on."""

    ticketing: str = ""
    """the name of the trouble ticketing system; empty: there is none, and no ticket is opened."""
    ticket_from: str = "minor"
    """the least severity, by contract, that a ticket is opened for."""
    default_tier: str = DEFAULT_TIER
    """the tier by which a service without a contract is judged."""
    late_ms: int = 31 * 86_400_000
    """how far back a time of a source is believed; contracts count by months, and an alarm may have been open for weeks before we
    hear of it. What lies before is of a clock that is wrong: the time at which we heard counts in its place."""
    skew_ms: int = 3_600_000
    """how far ahead of our clock a time of a source is believed."""
    fault_management: Hearing | None = None
    """who else is told of alarms; None: nobody."""
    billing: str = ""
    """the name of the billing system, which is told of usage and downtime; empty: there is none."""
    inventory: str = ""
    """the name of the inventory that is told where the graph is right; empty: none is."""
    inventories: tuple[str, ...] = ("inventory",)
    """the systems that may send feeds of equipment: what they say changes the network."""
    customer_management: str = ""
    """the name of the system which says who customers are; empty: there is none."""
    ordering: Ordering | None = None
    """who places orders here; None: none are taken."""
    names_of: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """sources, and those whose names each uses beside its own."""
    reopen_ms: int = 600_000
    """an alarm that returns within this time after its clear is the same alarm; later it is a new one."""

    def __post_init__(self) -> None:
        if self.ticket_from not in RANK:
            raise ValueError(f"{self.ticket_from!r} is no severity")
        if self.default_tier not in TIERS:
            raise ValueError(f"{self.default_tier!r} is no tier")

    def is_late(self, told: int, now: int) -> bool:
        """Tell whether a time lies so far back that a source's clock must be wrong. Epoch milliseconds, as all times here."""
        return told < now - self.late_ms

    def is_ahead(self, told: int, now: int) -> bool:
        """Tell whether a time lies so far ahead of the database's clock that a source's must be wrong."""
        return told > now + self.skew_ms

    def believed(self, told: int, now: int) -> int:
        """Give a time that a source tells, or the time at which we hear it, where its clock must be wrong.

        >>> policy = AlarmPolicy(late_ms=100, skew_ms=10)
        >>> policy.believed(900, now=1000), policy.believed(899, now=1000), policy.believed(1011, now=1000)
        (900, 1000, 1000)
        """
        return now if self.is_late(told, now) or self.is_ahead(told, now) else told

    def names_used_by(self, source: str) -> tuple[str, ...]:
        """Give the sources whose names a source uses beside its own."""
        return next((others for each, others in self.names_of if each == source), ())

    def sources_using(self, system: str) -> tuple[str, ...]:
        """Give the sources that use the names of a system."""
        return tuple(each for each, others in self.names_of if system in others)

    def keys_meant(self, source: str, name: str) -> tuple[str, ...]:
        """Give the keys of the external names that a source may mean by a name: its own first, then those that it uses."""
        return tuple(external_key(each, name) for each in dict.fromkeys((source, *self.names_used_by(source))))

    def keys_awaiting(self, system: str, name: str) -> tuple[str, ...]:
        """Give the keys that may be awaited for which a system's name will do: its own first, then those of who uses it."""
        return tuple(external_key(each, name) for each in dict.fromkeys((system, *self.sources_using(system))))

    def is_ticketed(self, severity: str | None) -> bool:
        """Tell whether a ticket is opened for a severity."""
        return severity is not None and RANK.index(severity) <= RANK.index(self.ticket_from)
