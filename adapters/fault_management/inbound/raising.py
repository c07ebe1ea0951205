"""An alarm is on what its source calls so, or on what another calls so whose names it uses; both dialects take alarms in alike."""

from __future__ import annotations

from graph.changes.alarms.alarms import raise_alarm
from graph.changes.alarms.consequences import By
from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy
from graph.changes.sources import sources_of
from graph.inventory.naming import share_name
from graph.model.alarm import Alarm
from graph.model.scope import Principal
from graph.store.store import Store


async def take_alarm(  # all by name
    store: Store,
    principal: Principal,
    policy: AlarmPolicy,
    alarm: Alarm,
    *,
    idempotency_key: str | None,
    deadline: float,
) -> Outcome:
    """Take a report of an alarm; raises what `graph.changes.alarms.alarms.raise_alarm` does."""
    source = alarm.source_system_id
    if sources_of(principal).has(source):
        by = By(principal=principal, policy=policy)
        await share_name(store, by, source, alarm.alarmed_object, deadline=deadline)
    return await raise_alarm(store, principal, policy, alarm, idempotency_key=idempotency_key, deadline=deadline)
