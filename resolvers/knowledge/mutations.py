"""The mutations: Strawberry checks and converts the arguments, graph.changes does the change, the payload is compiled.

A resolver here returns the payload without its graph-typed fields and leaves the ids that the change returned with the
request (`resolvers.context.Asked`); resolvers/knowledge/subgraph.py compiles those fields from the payload's own
selection, in the caller's scope, after the commit.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import strawberry

from graph.changes import deliveries
from graph.changes.alarms import alarms
from graph.changes.tickets.problems import report_problem
from graph.changes.tickets.request_rules import MOST_CHARACTERS, Doing, Problem, TicketRequest
from graph.changes.tickets.requests import change_ticket
from graph.inventory import naming
from graph.inventory.settling import settle_difference
from graph.model.mapping import Changed
from resolvers.directives import AllowedRoles
from resolvers.knowledge import merging, ordering
from resolvers.knowledge.fields import mapped
from resolvers.knowledge.merging import (
    DeclineCustomerMatchPayload,
    MergeCustomersPayload,
    UndoMergeCustomersPayload,
)
from resolvers.knowledge.noting import Info, noted
from resolvers.knowledge.ordering import (
    AdvanceOrderPayload,
    CancelOrderPayload,
    ChangeOrderPayload,
    PlaceOrderPayload,
)
from resolvers.knowledge.types import Alarm, Delivery, ExternalName, InventoryDifference, Ticket
from resolvers.knowledge.words import InventorySide, Severity
from resolvers.user_errors import UserError


@strawberry.type(description="What became of acknowledgeAlarm.")
class AcknowledgeAlarmPayload:
    """The alarm as it is after the change, as far as the caller sees it."""

    alarm: Alarm | None = mapped(Changed(label="Alarm"))
    user_errors: list[UserError]


@strawberry.type(description="What became of clearAlarm.")
class ClearAlarmPayload:
    """The alarm as it is after the change, as far as the caller sees it."""

    alarm: Alarm | None = mapped(Changed(label="Alarm"))
    user_errors: list[UserError]


@strawberry.type(description="What became of replayDelivery.")
class ReplayDeliveryPayload:
    """The delivery as it is after the change."""

    delivery: Delivery | None = mapped(Changed(label="Delivery"))
    user_errors: list[UserError]


@strawberry.type(description="What became of settleInventoryDifference.")
class SettleInventoryDifferencePayload:
    """The difference as it is after the change."""

    difference: InventoryDifference | None = mapped(Changed(label="InventoryDifference"))
    user_errors: list[UserError]


@strawberry.type(description="What became of addExternalName.")
class AddExternalNamePayload:
    """The name as it is after the change."""

    external_name: ExternalName | None = mapped(
        Changed(label="ExternalName"), description="The name, with what it names; null where it was not given."
    )
    user_errors: list[UserError] = strawberry.field(
        description="OBJECT_NOT_FOUND, or NAME_TAKEN where the system calls another thing so."
    )


@strawberry.type(description="What became of removeExternalName.")
class RemoveExternalNamePayload:
    """Nothing but what went wrong: the name is not there any more."""

    user_errors: list[UserError] = strawberry.field(description="OBJECT_NOT_FOUND; empty where the name is gone.")


_ABOUT_TICKET: Final = (
    "TICKET_NOT_FOUND, TICKET_CLOSED for one that is closed, cancelled or rejected{more}, TOO_MANY_WAITING where its ticketing "
    "system has not taken earlier changes of it yet, or NO_TICKETING where that is not connected. Empty where it was done."
)


@strawberry.type(description="What became of reportProblem.")
class ReportProblemPayload:
    """The ticket as it is after the change."""

    ticket: Ticket | None = mapped(
        Changed(label="Ticket"),
        description="The ticket, at once; its externalId is null until the ticketing system has it. Null where none was opened.",
    )
    user_errors: list[UserError] = strawberry.field(
        description=(
            "SERVICE_NOT_FOUND, SERVICE_NOT_OWNED, SERVICE_TERMINATED, TOO_MANY_WAITING where the ticketing system has not taken "
            "earlier reports of the customer yet, or NO_TICKETING where none is connected."
        )
    )


@strawberry.type(description="What became of commentTicket.")
class CommentTicketPayload:
    """The ticket as it is after the change."""

    ticket: Ticket | None = mapped(
        Changed(label="Ticket"),
        description="The ticket; its notes have the comment when the ticketing system has it. Null where nothing was written.",
    )
    user_errors: list[UserError] = strawberry.field(description=_ABOUT_TICKET.format(more=""))


@strawberry.type(description="What became of reopenTicket.")
class ReopenTicketPayload:
    """The ticket as it is after the change."""

    ticket: Ticket | None = mapped(
        Changed(label="Ticket"), description="The ticket, in progress again; null where it was not reopened."
    )
    user_errors: list[UserError] = strawberry.field(
        description=_ABOUT_TICKET.format(
            more=", TICKET_NOT_RESOLVED for one that is open, SERVICE_TERMINATED where all of its services are"
        )
    )


@strawberry.type(description="What became of closeTicket.")
class CloseTicketPayload:
    """The ticket as it is after the change."""

    ticket: Ticket | None = mapped(
        Changed(label="Ticket"), description="The ticket, closed; null where it was not closed."
    )
    user_errors: list[UserError] = strawberry.field(description=_ABOUT_TICKET.format(more=""))


Key: TypeAlias = Annotated[str, strawberry.argument(description="The same for the same change asked for again.")]
_BY_CLAIM: Final = AllowedRoles(roles=["operator"], by_claim=["customer"])


@strawberry.type
class Mutation:
    """Every one takes an idempotency key: asked again with it, the same outcome is given and nothing is done twice."""

    @strawberry.mutation(  # type: ignore[untyped-decorator]  # Strawberry types the field, not the function
        description="Take note of an alarm (TMF642 ackAlarms).",
        directives=[AllowedRoles(roles=["operator", "system"])],
    )
    async def acknowledge_alarm(
        self, info: Info, alarm_id: strawberry.ID, idempotency_key: str
    ) -> AcknowledgeAlarmPayload:
        """Run the change."""
        asked = info.context
        outcome = await alarms.acknowledge_alarm(
            asked.store,
            asked.principal,
            asked.policy,
            alarm_id=alarm_id,
            idempotency_key=idempotency_key,
            deadline=asked.deadline,
        )
        return AcknowledgeAlarmPayload(alarm=None, user_errors=noted(info, outcome))

    @strawberry.mutation(  # type: ignore[untyped-decorator]  # as above
        description="Say that an alarm is over (TMF642 clearAlarms); its tickets are resolved.",
        directives=[AllowedRoles(roles=["operator", "system"])],
    )
    async def clear_alarm(self, info: Info, alarm_id: strawberry.ID, idempotency_key: str) -> ClearAlarmPayload:
        """Run the change."""
        asked = info.context
        outcome = await alarms.clear_alarm(
            asked.store,
            asked.principal,
            asked.policy,
            alarm_id=alarm_id,
            idempotency_key=idempotency_key,
            deadline=asked.deadline,
        )
        return ClearAlarmPayload(alarm=None, user_errors=noted(info, outcome))

    @strawberry.mutation(  # type: ignore[untyped-decorator]  # as above
        description="Tell a surrounding system once more what was parked.",
        directives=[AllowedRoles(roles=["operator"])],
    )
    async def replay_delivery(
        self, info: Info, delivery_id: strawberry.ID, idempotency_key: str
    ) -> ReplayDeliveryPayload:
        """Run the change."""
        asked = info.context
        outcome = await deliveries.replay_delivery(
            asked.store,
            asked.principal,
            delivery_id=delivery_id,
            idempotency_key=idempotency_key,
            deadline=asked.deadline,
        )
        return ReplayDeliveryPayload(delivery=None, user_errors=noted(info, outcome))

    @strawberry.mutation(  # type: ignore[untyped-decorator]  # as above
        description=(
            "Take a side where an inventory and the graph differ: with INVENTORY the graph changes, with GRAPH the "
            "inventory is told. What still carries services is not taken away."
        ),
        directives=[AllowedRoles(roles=["operator"])],
    )
    async def settle_inventory_difference(
        self, info: Info, difference_id: strawberry.ID, side: InventorySide, idempotency_key: str
    ) -> SettleInventoryDifferencePayload:
        """Run the change."""
        asked = info.context
        outcome = await settle_difference(
            asked.store,
            asked.principal,
            asked.policy,
            difference_id=difference_id,
            side=side.value,
            idempotency_key=idempotency_key,
            deadline=asked.deadline,
        )
        return SettleInventoryDifferencePayload(difference=None, user_errors=noted(info, outcome))

    @strawberry.mutation(  # type: ignore[untyped-decorator]  # as above
        description=(
            "Say what a surrounding system calls a thing: its alarms, feeds and usage find it by that name from now on. Alarms "
            "that have waited for the name find it now, usage within a minute or so."
        ),
        directives=[AllowedRoles(roles=["operator"])],
    )
    async def add_external_name(
        self,
        info: Info,
        object_id: Annotated[
            strawberry.ID, strawberry.argument(description="A site, service, network element, card, port or trunk.")
        ],
        system: Annotated[str, strawberry.argument(description="The source, as its alarms and feeds name it.")],
        name: Annotated[str, strawberry.argument(description="What it calls the thing; of MTOSI: MD=north;ME=W9.")],
        idempotency_key: Annotated[
            str, strawberry.argument(description="The same for the same change asked for again.")
        ],
    ) -> AddExternalNamePayload:
        """Run the change."""
        asked = info.context
        outcome = await naming.add_external_name(
            asked.store,
            asked.principal,
            asked.policy,
            object_id=object_id,
            system=system,
            name=name,
            idempotency_key=idempotency_key,
            deadline=asked.deadline,
        )
        return AddExternalNamePayload(external_name=None, user_errors=noted(info, outcome))

    @strawberry.mutation(  # type: ignore[untyped-decorator]  # as above
        description="Take back what a surrounding system calls a thing. Alarms that the name has led there stay.",
        directives=[AllowedRoles(roles=["operator"])],
    )
    async def remove_external_name(
        self,
        info: Info,
        object_id: Annotated[strawberry.ID, strawberry.argument(description="The thing that has the name.")],
        system: Annotated[str, strawberry.argument(description="The source whose name it is.")],
        name: Annotated[str, strawberry.argument(description="The name; one that the thing has not is no error.")],
        idempotency_key: Annotated[
            str, strawberry.argument(description="The same for the same change asked for again.")
        ],
    ) -> RemoveExternalNamePayload:
        """Run the change."""
        asked = info.context
        outcome = await naming.remove_external_name(
            asked.store,
            asked.principal,
            asked.policy,
            object_id=object_id,
            system=system,
            name=name,
            idempotency_key=idempotency_key,
            deadline=asked.deadline,
        )
        return RemoveExternalNamePayload(user_errors=noted(info, outcome))

    @strawberry.mutation(  # type: ignore[untyped-decorator]  # as above
        description=(
            "Report a problem of a service: a ticket is opened in the ticketing system, for the service's customer. A customer does so "
            "for its own services."
        ),
        directives=[_BY_CLAIM],
    )
    async def report_problem(
        self,
        info: Info,
        service_id: Annotated[strawberry.ID, strawberry.argument(description="The service that has the problem.")],
        description: Annotated[
            str, strawberry.argument(description=f"What is wrong; at most {MOST_CHARACTERS:,} characters.")
        ],
        idempotency_key: Key,
        severity: Annotated[
            Severity, strawberry.argument(description="How bad it is; any but CLEARED.")
        ] = Severity.MINOR,
    ) -> ReportProblemPayload:
        """Run the change."""
        asked = info.context
        outcome = await report_problem(
            asked.store,
            asked.principal,
            asked.policy,
            Problem(service=service_id, description=description, severity=severity.value),
            idempotency_key=idempotency_key,
            deadline=asked.deadline,
        )
        return ReportProblemPayload(ticket=None, user_errors=noted(info, outcome))

    @strawberry.mutation(  # type: ignore[untyped-decorator]  # as above
        description="Write on a ticket: whoever works on it reads it. A customer does so on its own tickets.",
        directives=[_BY_CLAIM],
    )
    async def comment_ticket(
        self,
        info: Info,
        ticket_id: Annotated[strawberry.ID, strawberry.argument(description="The ticket, by our id.")],
        comment: Annotated[
            str, strawberry.argument(description=f"What is written; at most {MOST_CHARACTERS:,} characters.")
        ],
        idempotency_key: Key,
    ) -> CommentTicketPayload:
        """Run the change."""
        errors = await _asked(info, "commentTicket", ticket_id, comment, idempotency_key)
        return CommentTicketPayload(ticket=None, user_errors=errors)

    @strawberry.mutation(  # type: ignore[untyped-decorator]  # as above
        description="Open a resolved ticket again, since the problem is still there. A customer does so with its own tickets.",
        directives=[_BY_CLAIM],
    )
    async def reopen_ticket(
        self,
        info: Info,
        ticket_id: Annotated[strawberry.ID, strawberry.argument(description="The ticket, by our id.")],
        idempotency_key: Key,
        comment: Annotated[
            str | None, strawberry.argument(description=f"Why; at most {MOST_CHARACTERS:,} characters.")
        ] = None,
    ) -> ReopenTicketPayload:
        """Run the change."""
        errors = await _asked(info, "reopenTicket", ticket_id, comment, idempotency_key)
        return ReopenTicketPayload(ticket=None, user_errors=errors)

    @strawberry.mutation(  # type: ignore[untyped-decorator]  # as above
        description=(
            "Close a ticket, resolved or not: it is not opened again. One that is closed stays so, without an error. A customer does "
            "so with its own tickets."
        ),
        directives=[_BY_CLAIM],
    )
    async def close_ticket(
        self,
        info: Info,
        ticket_id: Annotated[strawberry.ID, strawberry.argument(description="The ticket, by our id.")],
        idempotency_key: Key,
        comment: Annotated[
            str | None, strawberry.argument(description=f"Why; at most {MOST_CHARACTERS:,} characters.")
        ] = None,
    ) -> CloseTicketPayload:
        """Run the change."""
        errors = await _asked(info, "closeTicket", ticket_id, comment, idempotency_key)
        return CloseTicketPayload(ticket=None, user_errors=errors)

    place_order: PlaceOrderPayload = strawberry.mutation(
        resolver=ordering.place_order,
        description=(
            "Order something, as TMF622 and TMF641 do: what is in the catalogue is carried out by itself, people carry out all else, and its state says how far it is. A customer orders for itself; the "
            "same externalId is the same order."
        ),
        directives=[_BY_CLAIM],
    )
    change_order: ChangeOrderPayload = strawberry.mutation(
        resolver=ordering.change_order,
        description="Change what an order asks for, beside its items, while nobody works on it. A customer does so with its own orders.",
        directives=[_BY_CLAIM],
    )
    cancel_order: CancelOrderPayload = strawberry.mutation(
        resolver=ordering.cancel_order,
        description=(
            "Ask to cancel an order: at once where nobody has begun, else an operator decides. A customer does so with its own orders."
        ),
        directives=[_BY_CLAIM],
    )
    advance_order: AdvanceOrderPayload = strawberry.mutation(
        resolver=ordering.advance_order,
        description="Say how far an order is: one of its items, or all that people carry out and that are not over. The order follows its items.",
        directives=[AllowedRoles(roles=["operator"])],
    )
    merge_customers: MergeCustomersPayload = strawberry.mutation(
        resolver=merging.merge_customers,
        description=(
            "Say that two customers are one company: everything of the one is the other's from now on, and the one leads to the other. "
            "undoMergeCustomers takes it back."
        ),
        directives=[AllowedRoles(roles=["operator"])],
    )
    undo_merge_customers: UndoMergeCustomersPayload = strawberry.mutation(
        resolver=merging.undo_merge_customers,
        description="Take a merge of customers back: what it has moved goes back, and what came since stays with the other.",
        directives=[AllowedRoles(roles=["operator"])],
    )
    decline_customer_match: DeclineCustomerMatchPayload = strawberry.mutation(
        resolver=merging.decline_customer_match,
        description="Say that two customers are not the same company: nobody is asked about the two again.",
        directives=[AllowedRoles(roles=["operator"])],
    )


async def _asked(info: Info, doing: Doing, ticket: str, comment: str | None, key: str) -> list[UserError]:
    """Ask something of a ticket; give what went wrong."""
    asked = info.context
    outcome = await change_ticket(
        asked.store,
        asked.principal,
        asked.policy,
        TicketRequest(doing=doing, ticket=ticket, comment=comment or ""),
        idempotency_key=key,
        deadline=asked.deadline,
    )
    return noted(info, outcome)
