"""The section `kafka` of the settings: the operator's own broker, what it is told, and where alarms come from.

The types of events are listed here, since the settings know no other room; a test holds the list to what is published.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gateway.settings.system import BasicSettings, TlsSettings, secret_of, unusable_files

EventName = Literal[
    "AlarmAcknowledged",
    "AlarmCleared",
    "AlarmCommented",
    "AlarmEffectChanged",
    "AlarmRaised",
    "AlarmReopened",
    "AlarmTicketFollowed",
    "AlarmUnacknowledged",
    "AlarmUpdated",
    "BoostAboutToEnd",
    "BoostActivated",
    "BoostChanged",
    "BoostDeclined",
    "BoostScheduled",
    "BoostTerminated",
    "CustomerAdded",
    "CustomerChanged",
    "CustomerGone",
    "CustomerMatchDeclined",
    "CustomerMergeUndone",
    "CustomerMerged",
    "DeliveryParked",
    "DeliveryReplayed",
    "DowntimeBegan",
    "DowntimeEnded",
    "InventoryDifferenceSettled",
    "InventoryFeedCompared",
    "InventoryFeedFailed",
    "InventoryFeedReceived",
    "InventoryTold",
    "LeadOpened",
    "OrderCancellationDecided",
    "OrderCancellationRequested",
    "OrderChanged",
    "OrderPlaced",
    "OrderStateChanged",
    "ProblemReported",
    "ResourceAdded",
    "ResourceChanged",
    "ResourceMoved",
    "ResourceNamed",
    "ResourceRemoved",
    "ResourceStateChanged",
    "ResourceUnnamed",
    "ServiceActivated",
    "ServiceActivationRequested",
    "ServiceMonitoringEnded",
    "ServiceRateChanged",
    "ServiceRateRequested",
    "ServiceRemovalRequested",
    "ServiceThresholdSet",
    "TaskOpened",
    "TaskSettled",
    "TicketChangeRefused",
    "TicketClosed",
    "TicketCommented",
    "TicketReopened",
    "TicketReported",
    "TicketStatusChanged",
    "UsageChanged",
    "UsageRecorded",
    "UsageStateChanged",
    "UsageUnmatched",
]
"""What happens; `adapters.kafka.event_types.EVENT_TYPES`."""
Topic = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]
"""As Kafka takes it."""


_MOST_PORT: Final = 65_535
_LOOPBACK: Final = re.compile(r"localhost|127(\.[0-9]{1,3}){3}")


def _with_port(server: str) -> str:
    port = int(server.rpartition(":")[2])
    if not 0 < port <= _MOST_PORT:
        raise ValueError(f"has the port {port}; ports are 1 to {_MOST_PORT}")
    return server


class SaslSettings(BasicSettings):
    """Who we are, by SASL; its user may have any character."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    user: Annotated[str, Field(min_length=1)]


class KafkaAlarms(BaseModel):
    """The topic that alarms are taken from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: Topic
    """its values are alarms as TMF642 has them, in JSON."""
    system: Annotated[str, Field(min_length=1, pattern="^[^#:]+$")] = "kafka"
    """who writes them: `systems` says for which sources it speaks."""
    group: Annotated[str, Field(min_length=1, max_length=200)] = "trunkline"
    """the consumer group, of which every process is a member."""
    dead_letter: Topic | Literal[""] = ""
    """where records are put that cannot be taken; empty: they are passed over, and stay where they are."""


class Kafka(BaseModel):
    """The operator's own broker: it is told of all customers' events."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[^\s:/]+:[0-9]{1,5}$"), AfterValidator(_with_port)], ...],
        Field(min_length=1),
    ]
    """HOST:PORT of some of its servers; they name the others."""
    tls: bool | TlsSettings = False
    """true: encrypted, with whom the machine believes; or a section with files of one's own."""
    sasl: SaslSettings | None = None
    topic_prefix: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{0,200}$")] = "trunkline."
    """before the type of an event, which is the rest of its topic's name."""
    events: tuple[EventName, ...] = get_args(EventName)
    """what is published; none: nothing is."""
    source: Annotated[str, Field(min_length=1)] = "trunkline"
    """CloudEvents' `source`, a URI reference: what tells this installation from others that publish to the same broker."""
    compression: Literal["none", "gzip"] = "none"
    message_bytes: Annotated[int, Field(ge=10_000, le=100_000_000)] = 1_000_000
    """of one batch, and of one event: the broker must take as much (message.max.bytes)."""
    request_seconds: Annotated[float, Field(gt=0, le=10)] = 10.0
    """until what was sent must be acknowledged."""
    alarms: KafkaAlarms | None = None
    """none are taken from a topic without it."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (alarms := self.alarms) is not None:
            published = {f"{self.topic_prefix}{each}" for each in self.events}
            if alarms.topic == alarms.dead_letter:
                raise ValueError("has one topic for alarms and for those that cannot be taken.")
            if alarms.topic in published:
                raise ValueError("takes alarms from a topic that it publishes events to.")
            if alarms.dead_letter in published:
                raise ValueError("puts alarms that cannot be taken into a topic that it publishes events to.")
        if self.sasl is not None and self.sasl.mechanism == "PLAIN" and not self.tls and not self._is_here():
            raise ValueError(
                "sends a password in the clear: PLAIN without tls goes to this machine's own addresses only."
            )
        return self

    def _is_here(self) -> bool:
        return all(_LOOPBACK.fullmatch(each.rpartition(":")[0]) for each in self.servers)


def problems_of(kafka: Kafka | None) -> list[str]:
    """Give what is wrong with the section's files, and that what is needed for it is not installed."""
    return [] if kafka is None else list(_problems(kafka))


def _problems(kafka: Kafka) -> Iterator[str]:
    if find_spec("aiokafka") is None:
        yield "kafka: aiokafka is not installed; install trunkline[kafka]."
    if (sasl := kafka.sasl) is not None:
        yield from secret_of("kafka.sasl.password", sasl.password, sasl.password_file)[1]
    if isinstance(tls := kafka.tls, TlsSettings):
        yield from unusable_files("kafka", tls)
