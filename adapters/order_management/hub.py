"""The hubs of TMF622 and TMF641: who has placed an order hears of each of its states, its customer of its own, and operators of all.

An order is shown as it is when it is told, but for the states that the event tells of: each state is told, however quickly the next one came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.endpoint.edge import READERS, Port
from adapters.endpoint.hub import Topic
from adapters.order_management.api import Api
from adapters.order_management.reads import OrderReads, filter_of
from adapters.tmf.tmf630 import Filter
from graph.ledger import hubs
from graph.ledger.hubs import Happened, Span
from graph.model.event_kinds import ORDER_KINDS
from graph.model.scope import Principal, Role

_OF_CANCELLATIONS: Final = ("OrderCancellationRequested", "OrderCancellationDecided")
_KINDS: Final = tuple(ORDER_KINDS.values())


def topic_of(api: Api) -> Topic:
    """Say what the hubs of an API are about."""
    return Topic(
        name=api.topic,
        tellers=READERS - {Role.ANALYST},
        kinds=_KINDS,
        check=filter_of,
        words=api.words(),
        members=dict.fromkeys(_OF_CANCELLATIONS, api.cancel),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNews:
    """`adapters.endpoint.hub_telling.News` of the orders of one API."""

    api: Api
    topic: Topic
    member: str
    wrapped: str = ""

    async def within(self, port: Port, principal: Principal, span: Span, *, deadline: float) -> list[Happened]:
        """Give what happened to orders of this API; to a system what it has placed, to a customer its own."""
        found = await hubs.events_after(port.store, span, _KINDS, whole=True, deadline=deadline)
        return [each for each in found if each.payload["kind"] == self.api.kind and _is_for(principal, each)]

    async def shown(
        self, port: Port, principal: Principal, event: Happened, wanted: Sequence[Filter], *, deadline: float
    ) -> Mapping[str, Any] | None:
        """Give the order as the caller sees it, or the request to cancel it."""
        reads = OrderReads(api=self.api, port=port, principal=principal, deadline=deadline)
        part = await reads.part([Filter(path=("id",), values=(event.about,)), *wanted], (), 0, 1)
        if not part.resources:
            return None
        payload = event.payload
        if event.kind.name not in _OF_CANCELLATIONS:
            return as_it_was(self.api, part.resources[0], payload)
        cancellation = await reads.cancellation(payload["cancellation"])
        return None if cancellation is None else {**cancellation, "state": payload["cancellationState"]}


def news_of(api: Api) -> OrderNews:
    """Give what the hubs of an API are told."""
    return OrderNews(api=api, topic=topic_of(api), member=api.order)


def as_it_was(api: Api, order: Mapping[str, Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    """Give an order with the states that an event tells of."""
    states = payload.get("items") or {}
    items = [{**each, "state": states.get(each["id"], each["state"])} for each in order[api.item]]
    return {**order, "state": payload["state"], api.item: items}


def _is_for(principal: Principal, event: Happened) -> bool:
    match principal.effective:
        case Role.SYSTEM:
            return bool(event.payload["system"] == principal.system)
        case Role.CUSTOMER:
            return event.payload["customer"] in principal.customers
        case _:
            return True
