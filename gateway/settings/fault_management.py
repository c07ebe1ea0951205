"""A central fault management system is told of alarms and events; the operator says where it is, how it speaks, and what it hears.

The section `fault_management` of the settings; `gateway/settings/settings.py` says where settings come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal, get_args

from pydantic import BeforeValidator, ConfigDict, Field, SecretStr

from gateway.settings.system import Address, Credited
from gateway.settings.unknown import nearest

AlarmEvent = Literal[
    "AlarmRaised",
    "AlarmUpdated",
    "AlarmCleared",
    "AlarmReopened",
    "AlarmEffectChanged",
    "AlarmAcknowledged",
    "AlarmUnacknowledged",
    "AlarmCommented",
]
"""What happens to an alarm; `graph.model.event_kinds.ALARM_KINDS`."""
OtherEvent = Literal[
    "ServiceStateChanged",
    "ServiceRateChanged",
    "ResourceAdded",
    "ResourceRemoved",
    "ResourceStateChanged",
    "ResourceChanged",
    "ResourceMoved",
    "TicketOpened",
    "TicketStatusChanged",
    "TicketChanged",
]
"""What else happens; the rest of `graph.model.event_kinds.KINDS`."""
_EVENTS: Final = (*get_args(AlarmEvent), *get_args(OtherEvent))


def _known(name: object) -> object:
    if isinstance(name, str) and name not in _EVENTS:
        raise ValueError(f"there is no event {name}{nearest(name, _EVENTS)}: there are {', '.join(_EVENTS)}")
    return name


Event = Annotated[AlarmEvent | OtherEvent, BeforeValidator(_known)]


class FaultManagement(Credited):
    """The central fault management system that is told of alarms and of what they do to customers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[Address, Field(min_length=1)]
    """what its API is below (tmf642: https://HOST/tmf-api/alarmManagement/v4; alerta: https://HOST/api), or where it hears
    notifications (mtosi)."""
    name: Annotated[str, Field(min_length=1, pattern="^[^#:]+$")] = "fault-management"
    """what deliveries call it, and `system:<name>` in its tokens; `systems` says for which sources it speaks itself."""
    dialect: Literal["tmf642", "mtosi", "alerta"] = "tmf642"
    bearer: SecretStr = SecretStr("")
    """for alerta: the API key."""
    environment: Annotated[str, Field(min_length=1)] = "Production"
    """of alerta's alerts."""
    events: Annotated[tuple[Event, ...], Field(min_length=1)] = get_args(AlarmEvent)
    """what it is told of. Without the setting all that happens to alarms, and nothing else: whoever wants to hear of services,
    equipment and tickets as well names that."""
    events_address: Address = ""
    """tmf642: the topic in which TMF688 events of services, equipment and tickets are created, such as
    https://HOST/tmf-api/event/v4/topic/TOPIC; the same credential is sent."""
    callback: Address = ""
    """tmf642: where it can reach us, such as https://HOST/tmf-api/alarmManagement/v4; empty: it is only looked at."""
    poll_seconds: Annotated[float, Field(gt=0)] = 60.0
    """between looks at what its people have taken note of."""
    requests: Annotated[int, Field(gt=0, le=256)] = 16
    """at the same time."""
    request_seconds: Annotated[float, Field(gt=0, lt=7)] = 5.0
    processing_seconds: Annotated[float, Field(ge=0, le=300)] = 5.0
    """what it may take at most for a request whose answer was lost."""

    @property
    def hears_others(self) -> bool:
        """Whether it is told of more than alarms."""
        return not set(self.events) <= set(get_args(AlarmEvent))

    def _misfits(self) -> Iterator[str]:
        yield from super()._misfits()
        if self.dialect == "tmf642" and self.hears_others and not self.events_address:
            others = ", ".join(each for each in self.events if each in get_args(OtherEvent))
            yield f"has events that TMF642 does not know ({others}): give events_address, where TMF688 events are created"
        if self.dialect != "tmf642" and self.events_address:
            yield f"has an events_address, which is for tmf642: {self.dialect} tells of all at its one address"
