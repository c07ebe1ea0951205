"""The hub of TMF621: which events there are of tickets, who may be told of them, and how a ticket is shown with one.

A customer's system is told of its own tickets. That an alarm has opened, changed, resolved or reopened a ticket has no event of its
own: it is known by what the ticketing system is told because of the alarm's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.endpoint.edge import READERS, Port
from adapters.endpoint.hub import Topic
from adapters.ticketing.reads import TicketReads, filter_of
from adapters.tmf.tmf630 import Filter
from graph.ledger import hubs
from graph.ledger.hubs import Happened, Span
from graph.model.event_kinds import KINDS
from graph.model.scope import Principal, Role

TICKETS: Final = Topic(
    name=hubs.TICKET,
    tellers=READERS - {Role.ANALYST},
    kinds=tuple(each for each in KINDS.values() if each.about == "ticket"),
    check=filter_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketNews:
    """`adapters.endpoint.hub_telling.News` of tickets."""

    place: str
    """where tickets are: `/tmf-api/troubleTicket/v4/troubleTicket`."""
    topic: Topic = TICKETS
    member: str = "troubleTicket"
    wrapped: str = ""

    async def within(self, port: Port, principal: Principal, span: Span, *, deadline: float) -> list[Happened]:
        """Give what happened to tickets; to a customer, of its own."""
        customers = principal.customers if principal.effective is Role.CUSTOMER else None
        return await hubs.tickets_after(
            port.store, span, system=port.policy.ticketing, customers=customers, deadline=deadline
        )

    async def shown(
        self, port: Port, principal: Principal, event: Happened, wanted: Sequence[Filter], *, deadline: float
    ) -> Mapping[str, Any] | None:
        """Give a ticket as a caller sees it."""
        reads = TicketReads(port=port, principal=principal, deadline=deadline, place=self.place)
        part = await reads.part([Filter(path=("id",), values=(event.about,)), *wanted], (), 0, 1)
        return part.resources[0] if part.resources else None
