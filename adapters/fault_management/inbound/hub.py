"""The hub of TMF642: which events there are of alarms, who may be told of them, and how an alarm is shown with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.endpoint.edge import Port
from adapters.endpoint.hub import Topic
from adapters.fault_management.inbound.codec import encode
from adapters.fault_management.inbound.query import filter_of
from adapters.fault_management.inbound.reads import AlarmReads
from adapters.tmf.tmf630 import Filter
from graph.ledger import hubs
from graph.ledger.hubs import Happened, Span
from graph.model.event_kinds import KINDS
from graph.model.scope import Principal, Role

ALARMS: Final = Topic(
    name=hubs.ALARM,
    # What others read is a slice that changes, and nobody could take it back from a callback.
    tellers=frozenset({Role.OPERATOR, Role.SYSTEM}),
    kinds=tuple(each for each in KINDS.values() if each.about == "alarm"),
    check=lambda filters: filter_of(filters, customer=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmNews:
    """`adapters.endpoint.hub_telling.News` of alarms."""

    base: str
    """where alarms are: `/tmf-api/alarmManagement/v4`."""
    topic: Topic = ALARMS
    member: str = "alarm"
    wrapped: str = ""

    async def within(self, port: Port, principal: Principal, span: Span, *, deadline: float) -> list[Happened]:  # noqa: ARG002 - who registers sees alarms by their source, which events do not say
        """Give the events of alarms."""
        return await hubs.events_after(port.store, span, ALARMS.kinds, deadline=deadline)

    async def shown(
        self, port: Port, principal: Principal, event: Happened, wanted: Sequence[Filter], *, deadline: float
    ) -> Mapping[str, Any] | None:
        """Give an alarm as a caller sees it."""
        reads = AlarmReads(port=port, principal=principal, deadline=deadline, place=f"{self.base}/alarm")
        asked = {"and": [{"id": {"in": [event.about]}}, filter_of(wanted, customer=False)]}
        found = await reads.page(asked, 0, 1)
        return encode(found.alarms[0]) if found.alarms else None
