"""A provisioning system that speaks TMF640, version 4: the rate is a characteristic of its service.

A change is answered 200 and is done, or 202 and is under way; then a monitor says what becomes of it. Whoever dies meanwhile knows
nothing of the monitor any more. So from the second attempt on the monitors of the service are looked at first, then the service; a
change is sent only when nothing is under way and the service carries another rate.

1. What the service shows is believed only when no monitor of it is in progress: it may show what it was asked for, or still the old.
2. What was answered to a change is not what is confirmed: the service is read once more.
3. A monitor that does not end within `confirm_seconds` is given up: RateRefused, which may have happened. A process that takes over
   counts anew.
4. That a new service is not there is believed when the system has said that making it is over, or when it was there and was taken away.
5. While a change is under way nothing else of the service is sent, and no answer that cannot be read ends the waiting before its time.

Source: TMF640 v4.0.0, GET and PATCH /service/{id}, GET /monitor and /monitor/{id}.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from cachetools import LRUCache

from adapters.delivery.retrying import Waits
from adapters.errors import AdapterError, Busy, Conflict, Nonsense, NotAdmitted, Rejected
from adapters.provisioning import NewService, RateConfirmed, RateRefused, RateRequest, ServiceRef
from adapters.provisioning.tmf640_resource import (
    Layout,
    Monitor,
    can_bear_id,
    carries,
    check_same,
    id_of,
    is_about,
    is_about_new,
    is_gone,
    is_in_use,
    is_ours,
    monitor_id,
    monitor_of,
    monitor_of_new,
    new_service,
    rate_of,
    rate_patch,
    words_for,
)
from adapters.tmf.tmf630 import quote_value
from adapters.tmf_client.client import Accepted, Seen, TmfClient
from adapters.transport.transport import Transport

SERVICE: Final = "service"
MONITOR: Final = "monitor"
_PAGE: Final = 50
_MOST_REMEMBERED: Final = 10_000
"""services whose changes are under way."""
_NOT_THERE: Final = frozenset({404, 410})
_NO_LIST: Final = frozenset({404, 405, 410, 501})
"""Statuses of a system that does not list its monitors."""
_FIRST_LOOK_MS, _LAST_LOOK_MS = 250, 5_000
"""pauses between two looks at a monitor: each is a quarter of what has passed, within these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnderWay:
    """A change that the system has taken and not made yet."""

    monitor: str
    """its id; empty where the system did not say."""
    mbps: int | None
    """the rate that it was for; None where another process has sent it."""
    since: float
    """when this process has seen it first, by time.monotonic()."""
    is_done: bool = False
    """whether the system has said that it is over, and only does not show it yet."""


class Tmf640:
    """`adapters.provisioning.Provisioning` over a transport whose address ends in `/tmf-api/ServiceActivationAndConfiguration/v4`."""

    def __init__(self, transport: Transport, layout: Layout, *, confirm_seconds: float) -> None:
        self._client = TmfClient(transport)
        self._name = transport.name
        self._layout = layout
        self._confirm_seconds = confirm_seconds
        self._under_way: LRUCache[str, _UnderWay] = LRUCache(_MOST_REMEMBERED)
        """by the id of the service there."""
        self._given_up: LRUCache[str, None] = LRUCache(_MOST_REMEMBERED)
        """monitors that did not end in time."""
        self._leaving: LRUCache[str, float] = LRUCache(_MOST_REMEMBERED)
        """by our id, since when a service was taken away that is not gone yet, by time.monotonic()."""

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._client.retry_at

    async def set_rate(self, request: RateRequest, *, again: bool, delivery_id: str, deadline: float) -> RateConfirmed:
        """Look what is under way, GET the service, and PATCH it where it carries another rate."""
        their_id = await self._their_id(request.service, deadline)
        if again or their_id in self._under_way:
            over = await self._until_over(their_id, deadline)
            if over is not None and over.mbps == request.mbps:
                return await self._shown(their_id, over.monitor, deadline)
        seen = await self._service(their_id, deadline)
        if not carries(check_same(seen.value, their_id), request.mbps, self._layout):
            return await self._changed(their_id, seen, request.mbps, delivery_id, deadline)
        if not again:
            await self._until_over(their_id, deadline)  # of an earlier delivery that was given up
        return RateConfirmed(mbps=request.mbps, reference=their_id, at=None, is_old=True)

    async def _their_id(self, service: ServiceRef, deadline: float) -> str:
        """Find the service by our id, where it is not its id there."""
        if not self._layout.service_attribute:
            return service.id
        found = await self._bearing(service, deadline)
        if not found:
            raise RateRefused(f"{self._name} has no service whose {self._layout.service_attribute} is {service.id}")
        return min(found)

    async def _bearing(self, service: ServiceRef, deadline: float) -> list[str]:
        """Give the ids of the services that bear our id."""
        query = ((self._layout.service_attribute, quote_value(service.id)),)
        listed = await self._client.listed((SERVICE,), query, size=_PAGE, deadline=deadline)
        ours = [(where, each) for where, each in listed if is_ours(each, service.id, self._layout)]
        return [id_of(each, where) for where, each in ours if not is_gone(each)]

    async def _service(self, their_id: str, deadline: float) -> Seen:
        try:
            return await self._client.one((SERVICE, their_id), deadline=deadline)
        except Rejected as rejected:
            reason = f"{self._name} shows no service {their_id}: it answered {rejected.status}"
            raise _refusal(reason, rejected) from rejected

    async def _changed(self, their_id: str, seen: Seen, mbps: int, delivery_id: str, deadline: float) -> RateConfirmed:
        patch = rate_patch(check_same(seen.value, their_id), mbps, self._layout)
        try:
            answer = await self._client.begun(
                (SERVICE, their_id), patch, key=delivery_id, deadline=deadline, tag=seen.tag
            )
        except Conflict:  # it is being changed: looked at again
            raise
        except Rejected as rejected:
            reason = f"{self._name} answered {rejected.status} to {mbps} Mbit/s for the service {their_id}"
            raise _refusal(reason, rejected) from rejected
        if isinstance(answer, Accepted):
            found = _UnderWay(monitor=monitor_id(answer, their_id), mbps=mbps, since=time.monotonic())
            self._under_way[their_id] = found
            raise self._waits(found, "it was taken, and is not made yet")
        if answer is not None:
            check_same(answer, their_id)
        return await self._shown(their_id, their_id, deadline)

    async def _shown(self, their_id: str, reference: str, deadline: float) -> RateConfirmed:
        """Read what the service carries after a change."""
        seen = await self._service(their_id, deadline)
        mbps = rate_of(check_same(seen.value, their_id), self._layout)
        return RateConfirmed(mbps=mbps, reference=reference or their_id, at=None)

    # Services that are made, and taken away

    async def create_service(self, new: NewService, *, again: bool, delivery_id: str, deadline: float) -> RateConfirmed:
        """Look what is under way and what is there, and POST the service where it is not."""
        if not can_bear_id(self._layout):
            attribute = self._layout.service_attribute
            raise RateRefused(
                f"A new service cannot be given our id as its {attribute}: see provisioning.service_attribute"
            )
        was_sent = again or new.service.id in self._under_way
        try:
            confirmed = await self._brought(new, delivery_id, deadline, was_sent=was_sent)
        except RateRefused as refused:
            if not was_sent:
                raise
            raise RateRefused(
                refused.reason, answer=refused.answer, may_have_happened=True, may_come=refused.may_come
            ) from refused
        self._under_way.pop(new.service.id, None)
        return confirmed

    async def delete_service(self, service: ServiceRef, *, doubt: str, delivery_id: str, deadline: float) -> None:
        """Wait for what is under way, DELETE the service where it is there, and see that it is gone.

        That it is not there counts where it was there before, or where the system has said that making it is over; else it may still come.
        """
        is_over = await self._until_made(service, deadline) is not None
        their_id = await self._known(service, deadline)
        if their_id is not None and service.id not in self._leaving:
            await self._remove(their_id, delivery_id, deadline)
            self._leaving[service.id] = time.monotonic()
            their_id = await self._known(service, deadline)
        if their_id is not None:
            raise self._still_there(service, their_id)
        known = self._under_way.get(service.id)
        is_over = is_over or service.id in self._leaving or (known is not None and known.is_done)
        if not is_over and (known is not None or doubt):
            raise self._not_over(service.id, self._taken(service.id), doubt or "it is not there, and may still come")
        self._under_way.pop(service.id, None)
        self._leaving.pop(service.id, None)

    async def _brought(self, new: NewService, delivery_id: str, deadline: float, *, was_sent: bool) -> RateConfirmed:
        """Wait for what is under way, and give what the service carries; it is made where nothing of it is known."""
        service = new.service
        monitor = await self._until_made(service, deadline) if was_sent else None
        if monitor is not None and monitor.state == "InError":
            del self._under_way[service.id]
            reason = f"{self._name} could not make the service: its monitor {monitor.id} is in error"
            raise RateRefused(reason, answer=monitor.said, may_have_happened=True)
        their_id = await self._known(service, deadline)
        if their_id is not None:
            return await self._in_use(service, their_id, deadline)
        if service.id in self._under_way:
            raise self._not_over(service.id, self._under_way[service.id], "the service is not there")
        return await self._made(new, delivery_id, deadline)

    async def _known(self, service: ServiceRef, deadline: float) -> str | None:
        """Give the id of a service there; None: it is not there."""
        if self._layout.service_attribute:
            found = await self._bearing(service, deadline)
            return min(found, default=None)
        try:
            seen = await self._client.one((SERVICE, service.id), deadline=deadline)
        except Rejected as rejected:
            if rejected.status in _NOT_THERE:
                return None
            raise _refusal(f"{self._name} answered {rejected.status} to a look at {service.id}", rejected) from rejected
        return None if is_gone(seen.value) else service.id

    async def _made(self, new: NewService, delivery_id: str, deadline: float) -> RateConfirmed:
        our_id = new.service.id
        try:
            answer = await self._client.commissioned(
                (SERVICE,), new_service(new, self._layout), key=delivery_id, deadline=deadline
            )
        except Conflict:  # it is there by now: looked at again
            raise
        except Rejected as rejected:
            reason = f"{self._name} answered {rejected.status} to a new service of {new.mbps} Mbit/s"
            raise _refusal(reason, rejected) from rejected
        if isinstance(answer, Accepted):
            self._under_way[our_id] = _UnderWay(
                monitor=monitor_of_new(answer, our_id), mbps=new.mbps, since=time.monotonic()
            )
            raise self._waits(self._under_way[our_id], "the new service was taken, and is not made yet")
        self._done(our_id)
        their_id = id_of(answer) if answer is not None else await self._known(new.service, deadline)
        if their_id is None:
            raise self._not_over(our_id, self._under_way[our_id], "the new service is not shown")
        if not self._layout.service_attribute and their_id != our_id:
            await self._take_back_other(our_id, their_id, delivery_id, deadline)
        return await self._in_use(new.service, their_id, deadline)

    async def _take_back_other(self, our_id: str, their_id: str, delivery_id: str, deadline: float) -> NoReturn:
        """Take away what was made with another id than ours, and which nobody would find again."""
        del self._under_way[our_id]
        reason = f"{self._name} gives services ids of its own: provisioning.service_attribute must say where ours is"
        try:
            await self._client.removed((SERVICE, their_id), key=delivery_id, deadline=deadline)
        except AdapterError as error:
            left = f"{reason}; its service {their_id} was made, and could not be taken away"
            raise RateRefused(left, answer=error.answer, may_come=True) from error
        raise RateRefused(reason)

    async def _in_use(self, service: ServiceRef, their_id: str, deadline: float) -> RateConfirmed:
        """Read what a service carries that was made; one that is not active yet is looked at again, as long as a change may take."""
        try:
            seen = await self._client.one((SERVICE, their_id), deadline=deadline)
        except Rejected as rejected:
            if rejected.status in _NOT_THERE:
                raise self._not_over(
                    service.id, self._done(service.id), f"no service {their_id} is shown"
                ) from rejected
            reason = f"{self._name} answered {rejected.status} to a look at the service {their_id}, which it has made"
            raise RateRefused(reason, answer=rejected.answer, may_have_happened=True) from rejected
        there = check_same(seen.value, their_id)
        if not is_in_use(there):
            raise self._not_over(service.id, self._done(service.id), f"the service {their_id} is not active")
        return RateConfirmed(mbps=rate_of(there, self._layout), reference=their_id, at=None)

    async def _remove(self, their_id: str, delivery_id: str, deadline: float) -> None:
        try:
            await self._client.removed((SERVICE, their_id), key=delivery_id, deadline=deadline)
        except Conflict:  # it is being changed: looked at again
            raise
        except Rejected as rejected:
            reason = f"{self._name} answered {rejected.status} to taking the service {their_id} away"
            raise _refusal(reason, rejected) from rejected

    def _still_there(self, service: ServiceRef, their_id: str) -> RateRefused | Waits:
        """Make what is raised while a service is shown that was taken away: Waits, or RateRefused when its time is over."""
        since, still = self._leaving[service.id], f"{self._name} still shows the service {their_id}"
        if time.monotonic() - since < self._confirm_seconds:
            return self._waits(_UnderWay(monitor="", mbps=None, since=since), still)
        del self._leaving[service.id]
        return RateRefused(f"{still}, {self._confirm_seconds:g} s after it was taken away", may_have_happened=True)

    async def _until_made(self, service: ServiceRef, deadline: float) -> Monitor | None:
        """Give the monitor of a new service that has ended, None where there is none; raises Waits, or RateRefused, while one has not."""
        known = self._under_way.get(service.id)
        try:
            monitor = await self._monitor_of_new(service.id, known, deadline)
        except (Nonsense, Rejected) as error:
            if known is None:
                raise
            raise self._not_over(service.id, known, str(error)) from error
        if monitor is None:
            return None
        if monitor.state != "InProgress":
            self._done(service.id)
            return monitor
        if known is None or known.monitor != monitor.id:
            known = _UnderWay(monitor=monitor.id, mbps=None, since=time.monotonic())
            self._under_way[service.id] = known
        raise self._not_over(service.id, known, f"its monitor {monitor.id} is in progress")

    async def _monitor_of_new(self, our_id: str, known: _UnderWay | None, deadline: float) -> Monitor | None:
        if known is not None and known.monitor:
            return await self._monitor_named(known.monitor, deadline)
        if known is not None and known.is_done:
            return None
        # One that was given up counts here: what it makes would be there, and be nobody's.
        return await self._monitor_in_progress(lambda each: is_about_new(each, our_id), deadline, given_up=True)

    def _taken(self, our_id: str) -> _UnderWay:
        """Give what is known of a new service that the system may have taken."""
        new = _UnderWay(monitor="", mbps=None, since=time.monotonic())
        return self._under_way.setdefault(our_id, new)

    def _done(self, our_id: str) -> _UnderWay:
        """Note that the system has said that a new service is made, or will not be: it is shown soon, or never."""
        known = self._under_way.get(our_id)
        if known is None or not known.is_done:
            known = _UnderWay(monitor="", mbps=None, since=time.monotonic(), is_done=True)
            self._under_way[our_id] = known
        return known

    # What is under way

    async def _until_over(self, their_id: str, deadline: float) -> _UnderWay | None:
        """Give the change of a service that is over now, None where none was under way; raises Waits where one is."""
        known = self._under_way.get(their_id)
        try:
            monitor = await self._monitor(their_id, known, deadline)
        except (Nonsense, Rejected) as error:
            if known is None:
                raise
            raise self._not_over(their_id, known, str(error)) from error
        if monitor is None:
            return await self._unwatched(their_id, known, deadline) if known else None
        if known is None or known.monitor != monitor.id:
            known = _UnderWay(monitor=monitor.id, mbps=known.mbps if known else None, since=time.monotonic())
            self._under_way[their_id] = known
        if monitor.state == "InProgress":
            raise self._not_over(their_id, known, f"its monitor {monitor.id} is in progress")
        del self._under_way[their_id]
        if monitor.state == "InError" and known.mbps is not None:
            reason = f"{self._name} could not make the change: its monitor {monitor.id} is in error"
            raise RateRefused(reason, answer=monitor.said)
        return known

    async def _unwatched(self, their_id: str, known: _UnderWay, deadline: float) -> _UnderWay:
        """Take a change that has no monitor for over when the service shows it; one whose monitor is gone is over."""
        if not known.monitor and known.mbps is not None:
            seen = await self._service(their_id, deadline)
            if not carries(check_same(seen.value, their_id), known.mbps, self._layout):
                raise self._not_over(their_id, known, "it has no monitor, and the service shows another rate")
        return self._under_way.pop(their_id)

    async def _monitor(self, their_id: str, known: _UnderWay | None, deadline: float) -> Monitor | None:
        """GET the monitor that is known, else the one in progress that is about the service; None: there is none."""
        if known is not None and known.monitor:
            return await self._monitor_named(known.monitor, deadline)
        return await self._monitor_in_progress(lambda each: is_about(each, their_id), deadline)

    async def _monitor_in_progress(
        self, is_meant: Callable[[object], bool], deadline: float, *, given_up: bool = False
    ) -> Monitor | None:
        query = (("state", ",".join(map(quote_value, words_for("InProgress", self._layout)))),)
        for where, each in await self._monitors(query, deadline):
            if is_meant(each):
                monitor = monitor_of(each, self._layout, where)
                if monitor.state == "InProgress" and (given_up or monitor.id not in self._given_up):
                    return monitor
        return None

    async def _monitor_named(self, monitor: str, deadline: float) -> Monitor | None:
        try:
            seen = await self._client.one((MONITOR, monitor), deadline=deadline)
        except (Rejected, NotAdmitted) as error:
            if error.status not in _NO_LIST:
                raise
            return None  # forgotten there: what the service shows must do
        return monitor_of(check_same(seen.value, monitor), self._layout)

    async def _monitors(self, query: tuple[tuple[str, str], ...], deadline: float) -> list[tuple[str, object]]:
        try:
            return await self._client.listed((MONITOR,), query, size=_PAGE, deadline=deadline)
        except (NotAdmitted, Busy) as error:
            if error.status not in _NO_LIST:
                raise
        except Rejected:  # it does not like the question
            pass
        return []

    def _not_over(self, their_id: str, known: _UnderWay, why: str) -> AdapterError | Waits:
        """Make what is raised while a change is under way: Waits, or RateRefused when its time is over."""
        if time.monotonic() - known.since < self._confirm_seconds:
            return self._waits(known, why)
        self._under_way.pop(their_id, None)
        if known.monitor:
            self._given_up[known.monitor] = None
        reason = f"{self._name} did not say within {self._confirm_seconds:g} s what became of the change: {why}"
        return RateRefused(reason, may_have_happened=True, may_come=not known.is_done)

    def _waits(self, known: _UnderWay, why: str) -> Waits:
        passed_ms = int((time.monotonic() - known.since) * 1_000)
        pause = max(_FIRST_LOOK_MS, min(_LAST_LOOK_MS, passed_ms // 4))
        return Waits(f"{self._name} is not done: {why}", at_least_ms=pause, at_most_ms=pause)


def _refusal(reason: str, rejected: Rejected) -> RateRefused:
    return RateRefused(reason, answer=rejected.answer)
