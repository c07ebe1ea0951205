"""After everything was killed again and again, each promise is looked at by itself, and each breach of it is named.

`violations` is a row of rules; each takes the evidence and gives what speaks against it. None of them asks the graph
what ought to be: that follows from what those remember who told the gateway of anything, from the network as it was
loaded, and from what the other systems have received.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from tests.faults import about_alarms, about_bandwidth, about_ledger, about_streams, about_systems, about_tickets
from tests.faults.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A promise that was not kept."""

    rule: str
    about: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.about}: {self.what}"


Rule: TypeAlias = Callable[[Evidence], Iterator[tuple[str, str]]]
"""Gives what it is about, and what is wrong with it."""

RULES: Final[dict[str, Rule]] = {
    "alarms": about_alarms.alarms,
    "effects": about_alarms.effects,
    "tickets": about_tickets.tickets,
    "states": about_tickets.states,
    "doubles": about_tickets.doubles,
    "contents": about_tickets.contents,
    "central": about_systems.central,
    "usage": about_systems.usage,
    "downtime": about_systems.downtime,
    "stock": about_systems.stock,
    "feeds": about_systems.feeds,
    "bookings": about_bandwidth.bookings,
    "returns": about_bandwidth.returns,
    "carried": about_bandwidth.carried,
    "charges": about_bandwidth.charges,
    "bills": about_bandwidth.bills,
    "capacity": about_bandwidth.capacity,
    "processes": about_bandwidth.processes,
    "rates": about_bandwidth.rates_told,
    "order": about_ledger.order,
    "receipts": about_ledger.receipts,
    "deliveries": about_ledger.deliveries,
    "events": about_ledger.events,
    "streams": about_streams.streams,
    "privacy": about_streams.privacy,
    "folds": about_streams.folds,
}


def violations(evidence: Evidence) -> list[Violation]:
    """Look at every promise; empty when all were kept."""
    return [
        Violation(rule=name, about=about, what=what) for name, rule in RULES.items() for about, what in rule(evidence)
    ]
