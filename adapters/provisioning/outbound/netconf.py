"""Devices that speak NETCONF: the rate of a service is set on all that have an access of it, or on none.

Each device is locked, its candidate edited and checked, and committed for a while only (confirmed commit, RFC 6241, section 8.4). When
all have done so, each is told to keep it. One that refuses before that makes the others take it back; if we die before, each takes it
back by itself after `confirm_seconds`. The commit bears the id of the delivery (`persist`), so that whoever takes the delivery over can
keep what was committed, or take it back.

1. From the second attempt on the devices are looked at first. Where all show the rate, a commit that still waits is confirmed; where
   one does not, what still waits is taken back, and all is done anew.
2. A lock that somebody else has, and a commit of somebody else's that waits to be confirmed, end: Waits.
3. What is confirmed is what the devices show afterwards: the least rate of all accesses and directions.
4. Devices are locked in the order of their names, so that two processes do not wait for each other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Final, TypeAlias, TypeVar

from cachetools import TTLCache

from adapters.delivery.retrying import Waits
from adapters.errors import AdapterError, Nonsense, TimedOut, Unreachable
from adapters.provisioning import NewService, RateConfirmed, RateRefused, RateRequest, ServiceRef
from adapters.provisioning.netconf.device import Device
from adapters.provisioning.netconf.endpoint import Endpoint
from adapters.provisioning.netconf.service_model import Access, ServiceModel, carries, least_mbps
from adapters.provisioning.netconf.session import Session, opened
from adapters.transport.breaker import Breaker

_FAILURES: Final = 5
"""in a row, after which a device is left alone for a while."""
_MOST_REMEMBERED: Final = 10_000
"""services whose devices are known,"""
_REMEMBERED_SECONDS: Final = 60.0
"""for so long: then all devices are asked again, since a service may have got an access on another one."""
Failure: TypeAlias = AdapterError | Waits
T = TypeVar("T")
R = TypeVar("R")


class Netconf:
    """`adapters.provisioning.Provisioning` over devices."""

    def __init__(self, devices: Sequence[Device], model: ServiceModel, *, confirm_seconds: int) -> None:
        self._devices = {each.name: each for each in sorted(devices, key=lambda each: each.name)}
        self._model = model
        self._confirm_seconds = confirm_seconds
        self._breakers = {name: Breaker(failures=_FAILURES, now=time.monotonic()) for name in self._devices}
        self._places: TTLCache[str, tuple[str, ...]] = TTLCache(_MOST_REMEMBERED, _REMEMBERED_SECONDS)
        """the devices of a service, as they were a moment ago."""

    @property
    def retry_at(self) -> float | None:
        """None: one device that is away does not hold up the others."""
        return None

    async def set_rate(self, request: RateRequest, *, again: bool, delivery_id: str, deadline: float) -> RateConfirmed:
        """Look at the devices of the service, and set its rate on all of them."""
        async with AsyncExitStack() as stack:
            ends = await self._ends(stack, request.service.id, deadline)
            if again:
                ends = await _taken_up(ends, request.mbps, delivery_id)
            if carries(_accesses(ends), request.mbps):
                return RateConfirmed(mbps=request.mbps, reference=_names(ends), at=None, is_old=True)
            for each in ends:
                await each.lock()
            _raise(await _each(ends, lambda each: each.prepare(request.mbps)))
            await self._commit(ends, delivery_id)
            mbps = least_mbps(_accesses([await each.read() for each in ends]))
            return RateConfirmed(mbps=mbps, reference=_names(ends), at=None)

    async def create_service(self, new: NewService, *, again: bool, delivery_id: str, deadline: float) -> RateConfirmed:  # noqa: ARG002
        """Refuse it: what a new service needs beside its rate is different in every model of devices."""
        raise RateRefused("New services are made over TMF640 only: by NETCONF rates of services are set that are there")

    async def delete_service(self, service: ServiceRef, *, doubt: str, delivery_id: str, deadline: float) -> None:  # noqa: ARG002
        """Refuse it as well."""
        raise RateRefused("Services are taken away over TMF640 only")

    async def reached(self, device: str, *, deadline: float) -> frozenset[str]:
        """Open a session with a device, and give what it can."""
        async with opened(self._devices[device], deadline=deadline) as session:
            return session.capabilities

    async def _ends(self, stack: AsyncExitStack, service: str, deadline: float) -> list[Endpoint]:
        """Open sessions with the devices that have accesses of a service: those that had some last time, else all are asked."""
        known = self._places.pop(service, ())
        ends = await self._found(stack, known, service, deadline)
        if not ends or len(ends) < len(known):
            rest = [name for name in self._devices if name not in {each.device for each in ends}]
            ends += await self._found(stack, rest, service, deadline)
        if not ends:
            raise RateRefused(f"No device has an access of the service {service}")
        ends.sort(key=lambda each: each.device)
        self._places[service] = tuple(each.device for each in ends)
        return ends

    async def _found(
        self, stack: AsyncExitStack, devices: Sequence[str], service: str, deadline: float
    ) -> list[Endpoint]:
        async def read(device: str) -> Endpoint:
            session = await self._session(stack, device, deadline)
            end = Endpoint(session=session, service=service, model=self._model, deadline=deadline)
            return await end.read()

        found = await _each(devices, read)
        _raise(found)
        return [each for each in found if isinstance(each, Endpoint) and each.accesses]

    async def _session(self, stack: AsyncExitStack, device: str, deadline: float) -> Session:
        breaker = self._breakers[device]
        if wait := breaker.admit(now=time.monotonic()):
            reason = f"{device} was not asked: it has failed several times in a row"
            raise Unreachable(reason, hint=f"It is tried again in {wait:.0f} s", retry_after=wait)
        try:
            session = await stack.enter_async_context(opened(self._devices[device], deadline=deadline))
        except (Unreachable, TimedOut):
            breaker.failed(now=time.monotonic())
            raise
        except AdapterError:  # it is there
            breaker.succeeded(now=time.monotonic())
            raise
        except BaseException:  # cancelled, most likely
            breaker.abandoned(now=time.monotonic())
            raise
        breaker.succeeded(now=time.monotonic())
        return session

    async def _commit(self, ends: Sequence[Endpoint], persist: str) -> None:
        """Let all commit, or none: what was committed is taken back where one has refused."""
        outcomes = await _each(ends, lambda each: each.commit(self._confirm_seconds, persist))
        if any(_is_refusal(each) for each in outcomes):
            done = [end for end, outcome in zip(ends, outcomes, strict=True) if outcome is None]
            await _each(done, lambda each: each.cancel(persist))  # one that cannot does it by itself, after a while
            _raise(each for each in outcomes if _is_refusal(each))
        _raise(outcomes)  # it may have committed: whoever looks again knows
        for each in await _each(ends, lambda each: each.confirm(persist)):
            if isinstance(each, AdapterError | Waits):
                reason = f"A device did not keep what it has committed: {each}"
                raise Unreachable(reason, hint="It is looked at again", may_have_happened=True) from each


async def _taken_up(ends: Sequence[Endpoint], mbps: int, persist: str) -> list[Endpoint]:
    """Bring what an earlier attempt has committed to an end, and look again."""
    persistent = [each for each in ends if each.can_persist]
    all_carry = carries(_accesses(ends), mbps)
    outcomes = await _each(persistent, lambda each: each.confirm(persist) if all_carry else each.cancel(persist))
    _raise(each for each in outcomes if not _is_refusal(each))  # a refusal says that nothing waits
    return [await each.read() for each in ends]


def _accesses(ends: Iterable[Endpoint]) -> Iterable[Access]:
    return (access for each in ends for access in each.accesses)


def _names(ends: Sequence[Endpoint]) -> str:
    return ", ".join(each.device for each in ends)


async def _each(of: Sequence[T], doing: Callable[[T], Awaitable[R]]) -> list[R | Failure]:
    """Do something with each at the same time; give what came of it, or what went wrong."""

    async def done(each: T) -> R | Failure:
        try:
            return await doing(each)
        except (AdapterError, Waits) as failure:
            return failure

    return list(await asyncio.gather(*map(done, of)))


def _is_refusal(outcome: object) -> bool:
    """Tell whether a device has said that it does not do it; what was lost on the way may have been done."""
    return isinstance(outcome, AdapterError | Waits) and not isinstance(outcome, Unreachable | TimedOut | Nonsense)


def _raise(outcomes: Iterable[object]) -> None:
    """Raise what went wrong, the most certain first: a refusal ends the change, whatever else waits or was lost."""
    failures = [each for each in outcomes if isinstance(each, AdapterError | Waits)]
    failures.sort(key=lambda each: (not isinstance(each, RateRefused), isinstance(each, Waits)))
    for each in failures:
        raise each
