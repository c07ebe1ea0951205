"""The hub of TMF642: which events there are of alarms, who may be told of them, and how an alarm is shown with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from adapters.endpoint.edge import Port
from adapters.endpoint.hub import Topic
from adapters.fault_management.inbound.codec import encode
from adapters.fault_management.inbound.query import filter_of
from adapters.fault_management.inbound.reads import AlarmReads
from adapters.tmf.tmf630 import Filter
from graph.ledger import hubs
from graph.ledger.hubs import Happened
from graph.model.scope import Principal, Role

CREATE: Final = "AlarmCreateEvent"
STATE: Final = "AlarmStateChangeEvent"
VALUE: Final = "AlarmAttributeValueChangeEvent"
EVENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AlarmRaised": CREATE,
        "AlarmCleared": STATE,
        "AlarmReopened": STATE,
        "AlarmUpdated": VALUE,
        "AlarmEffectChanged": VALUE,
        "AlarmAcknowledged": VALUE,
        "AlarmUnacknowledged": VALUE,
        "AlarmCommented": VALUE,
    }
)
"""TMF642's event for each of ours."""
ALARMS: Final = Topic(
    name=hubs.ALARM,
    # What others read is a slice that changes, and nobody could take it back from a callback.
    tellers=frozenset({Role.OPERATOR, Role.SYSTEM}),
    events=frozenset(EVENTS.values()),
    check=lambda filters: filter_of(filters, customer=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmNews:
    """`adapters.endpoint.hub_telling.News` of alarms."""

    base: str
    """where alarms are: `/tmf-api/alarmManagement/v4`."""
    topic: Topic = ALARMS
    member: str = "alarm"

    async def after(self, port: Port, position: int, upto: int, *, deadline: float) -> tuple[int, list[Happened]]:
        """Give the events of alarms."""
        end, events = await hubs.events_after(port.store, position, upto, list(EVENTS), deadline=deadline)
        return end, [replace(each, type=EVENTS[each.type]) for each in events]

    async def shown(
        self, port: Port, principal: Principal, about: str, wanted: Sequence[Filter], *, deadline: float
    ) -> Mapping[str, Any] | None:
        """Give an alarm as a caller sees it."""
        reads = AlarmReads(port=port, principal=principal, deadline=deadline, place=f"{self.base}/alarm")
        asked = {"and": [{"id": {"in": [about]}}, filter_of(wanted, customer=False)]}
        found = await reads.page(asked, 0, 1)
        return encode(found.alarms[0]) if found.alarms else None
