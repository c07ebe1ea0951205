"""A record of the topic of alarms says what `POST /tmf-api/alarmManagement/v4/alarm` says, and means the same.

One codec and one change serve both. A record that is read again, since a process died between our commit and that of its offset,
is the same change by its idempotency key: the header `idempotency-key`, or else where the record is and what it holds.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adapters.endpoint.body import parsed
from adapters.endpoint.errors import Refusal, TooLarge, refusal_of
from adapters.fault_management.inbound.codec import decode
from adapters.kafka.consuming import Received
from graph.changes.alarms.alarms import raise_alarm
from graph.changes.policy import AlarmPolicy
from graph.errors import Refused
from graph.model.scope import Principal, Role
from graph.store.store import Store

KEY: Final = "idempotency-key"
_SECONDS: Final = 30.0
"""for one alarm: nobody waits for an answer."""


def speaker(system: str, sources: Sequence[str], group: str) -> Principal:
    """Give as whom records are taken: the system that writes them, whose sources the settings name."""
    return Principal(subject=f"kafka:{group}", role=Role.SYSTEM, system=system, sources=tuple(sorted(sources)))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmIntake:
    """Takes alarms in for one system."""

    store: Store
    policy: AlarmPolicy
    principal: Principal
    most_bytes: int
    """of a record's value."""

    async def take(self, record: Received) -> str:
        """Take one in; give why it cannot be taken, empty where it was. Raises GraphError where it may be taken later."""
        try:
            value = record.value or b""
            if len(value) > self.most_bytes:
                raise TooLarge(self.most_bytes, "The value")
            await raise_alarm(
                self.store,
                self.principal,
                self.policy,
                decode(parsed(value)),
                idempotency_key=key_of(record),
                deadline=time.monotonic() + _SECONDS,
            )
        except (Refusal, Refused) as error:
            refusal = error if isinstance(error, Refusal) else refusal_of(error)
            return refusal.message or refusal.reason
        return ""


def key_of(record: Received) -> str:
    """Give what is the same when a record is read again, and for no other.

    A topic that was deleted and made anew has the same offsets; time and value are part of it.
    """
    for name, value in record.headers:
        if name.lower() == KEY:
            return value.decode("utf-8", "replace")
    place = record.place
    parts = (place.topic, str(place.partition), str(record.offset), str(record.at_ms), (record.value or b"").hex())
    return hashlib.sha256("".join(f"{len(each)}:{each}" for each in parts).encode()).hexdigest()
