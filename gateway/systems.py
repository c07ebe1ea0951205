"""The surrounding systems that the settings name: how each is reached, and by whom it is told what waits for it.

A section of the settings is a system; for each there is one function here, which opens the way to it, makes its `Teller`, and
runs the lanes beside whatever the block does. What only that system knows is asked through an area of the supergraph, which is
given the open way too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias, assert_never

import structlog

from adapters.billing import Billing as BillingSystem
from adapters.billing import Bills
from adapters.billing.outbound.ipdr import Ipdr
from adapters.billing.outbound.places import Address, Directory
from adapters.billing.outbound.tmf635 import Tmf635
from adapters.billing.outbound.tmf678 import Tmf678
from adapters.billing.telling import BillingTeller
from adapters.delivery.access import Access
from adapters.delivery.attending import Attention
from adapters.delivery.delivery import Lanes, Note, Pace
from adapters.delivery.sending import said_once
from adapters.fault_management.outbound.alerta import Alerta
from adapters.fault_management.outbound.mtosi import Mtosi
from adapters.fault_management.outbound.tmf642 import Tmf642
from adapters.fault_management.outbound.tmf688 import Tmf688
from adapters.fault_management.telling import AlarmTeller
from adapters.inventory import Inventory
from adapters.inventory.outbound.mtosi import Mtosi as MtosiInventory
from adapters.inventory.outbound.tmf638 import Tmf638
from adapters.inventory.outbound.tmf639 import Tmf639
from adapters.inventory.telling import InventoryTeller
from adapters.kafka.publishing import FOLLOWER
from adapters.passed_over import Count, PassedOver
from adapters.performance_management.delivery_handler import PerformanceHandler
from adapters.performance_management.outbound.tmf628 import Tmf628
from adapters.performance_management.outbound.tmf628_resource import Measuring
from adapters.provisioning import Provisioning
from adapters.provisioning.delivery_handler import ProvisioningHandler
from adapters.provisioning.netconf.service_model import ServiceModel
from adapters.provisioning.outbound.tmf640 import Tmf640
from adapters.provisioning.tmf640_resource import Layout
from adapters.sales.delivery_handler import SalesHandler
from adapters.sales.outbound.sales_lead import SalesLeads
from adapters.ticketing import Ticketing
from adapters.ticketing.outbound.rt import Rt
from adapters.ticketing.outbound.rt_resource import RtDesk
from adapters.ticketing.outbound.tmf621 import Tmf621
from adapters.ticketing.telling import TicketTeller
from adapters.transport.transport import Transport
from adapters.transport.transport import opened as transported
from gateway.bandwidth import sold_by
from gateway.operations.pressure import Pressure
from gateway.reaching import (
    billing_system,
    bills_system,
    events_system,
    fault_management_system,
    inventory_system,
    netconf_devices,
    performance_system,
    provisioning_system,
    sales_system,
    services_system,
    ticketing_system,
)
from gateway.settings.billing import Billing
from gateway.settings.fault_management import FaultManagement as Chosen
from gateway.settings.inventory import Inventory as InventorySettings
from gateway.settings.performance import Performance
from gateway.settings.provisioning import Netconf as NetconfSettings
from gateway.settings.provisioning import Provisioning as ProvisioningSettings
from gateway.settings.retention import Retention
from gateway.settings.sales import Sales
from gateway.settings.settings import Settings
from gateway.settings.ticketing import Ticketing as TicketingSettings
from graph.changes.alarms import reassessment
from graph.changes.bandwidth import works as bandwidth_works
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.policy import AlarmPolicy, Hearing
from graph.errors import GraphError
from graph.inventory.reconcile import keep_reconciling
from graph.ledger import retention
from graph.ledger.backlog import system_backlogs
from graph.ledger.positions import keep_placed
from graph.ledger.retention import Kept, sweeping
from graph.ledger.timers import Work, arm_once, keep_ringing
from graph.membership import keep_building
from graph.model.thresholds import Thresholds
from graph.store.store import Store

_LOOK_SECONDS: Final = 5.0
"""between looks at what waits, at least;"""
_LOOK_SHARE: Final = 20.0
"""and this many times what the last look took."""
_STORE_SECONDS: Final = 10.0
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 86_400_000
_SLACK_MS: Final = _HOUR_MS
"""that events are kept longer than one may resume: what follows an event in the sequence may have happened a little before it."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Areas:
    """What is given the way to a system while it is open."""

    ticketing: Callable[[Ticketing], AbstractContextManager[object]]
    billing: Callable[[Bills], AbstractContextManager[object]]
    passed_over: Count = lambda _: None
    """told of each item of a system's answers that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Who is told how the telling goes."""

    outcome: Note
    access: Callable[[str, str], None]
    """why a system does not let us in; empty: it does."""

    def of(self, system: str) -> Access:
        """Give what finds out whether a system lets us in."""
        return Access(said_once(system, self.access))


def policy_of(settings: Settings) -> AlarmPolicy:
    """Give what the settings say about alarms, and about who is told of what follows from them."""
    inventory = settings.inventory
    sending = {name for name, each in settings.systems.items() if each.inventory}
    policy = AlarmPolicy(
        reopen_ms=int(settings.reopen_seconds * 1_000),
        fault_management=_hearing(settings),
        billing=settings.billing.name if settings.billing else "",
        inventory=inventory.name if inventory else "",
        inventories=tuple(sorted({inventory.name if inventory else "inventory", *sending})),
        default_tier=settings.default_tier,
        late_ms=int(settings.late_seconds * 1_000),
        skew_ms=int(settings.clock_skew_seconds * 1_000),
        names_of=_names_of(settings),
    )
    if (chosen := settings.ticketing) is None:
        return policy
    return replace(policy, ticketing=chosen.name, ticket_from=chosen.severity)


def _names_of(settings: Settings) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Give each source with all those whose names it uses: several systems may speak for one source."""
    used: dict[str, dict[str, None]] = {}
    for each in settings.systems.values():
        for source in each.sources if each.names_of else ():
            used.setdefault(source, {}).update(dict.fromkeys(each.names_of))
    return tuple((source, tuple(others)) for source, others in used.items())


def bandwidth_policy_of(settings: Settings) -> BandwidthPolicy:
    """Give what the settings say about rates: who is told of them, what may be booked, and what it costs."""
    policy = BandwidthPolicy(
        provisioning=settings.provisioning.name if settings.provisioning else "",
        performance=settings.performance.name if settings.performance else "",
        sales=settings.sales.name if settings.sales else "",
        billing=settings.billing.name if settings.billing else "",
        inventory=settings.inventory.name if settings.inventory and settings.inventory.services_address else "",
        fault_management=_hearing(settings),
        thresholds=thresholds_of(settings),
    )
    return sold_by(policy, settings.bandwidth)


def thresholds_of(settings: Settings) -> Thresholds:
    """Give what the settings say is too much for a service; without performance monitoring, what they say by themselves."""
    chosen = settings.performance
    if chosen is None:
        return Thresholds(default_tier=settings.default_tier)
    said, default = chosen.utilization, settings.default_tier
    return Thresholds(premium=said.premium, standard=said.standard, basic=said.basic, default_tier=default)


def _hearing(settings: Settings) -> Hearing | None:
    chosen = settings.fault_management
    if chosen is None:
        return None
    sources = settings.sources.get(chosen.name, (chosen.name,))
    return Hearing(name=chosen.name, sources=frozenset(sources), events=frozenset(chosen.events))


@asynccontextmanager
async def told(settings: Settings, store: Store, areas: Areas, noted: Noted) -> AsyncIterator[None]:
    """Reach the surrounding systems, and tell them what waits for them, as one of the processes that may."""
    async with AsyncExitStack() as stack:
        for system in (_ticketing, _fault_management, _billing, _inventory, _performance, _sales, _provisioning):
            await stack.enter_async_context(system(settings, store, areas, noted))
        yield


def _attention(chosen: TicketingSettings | Chosen) -> Attention:
    return Attention(
        poll_seconds=chosen.poll_seconds,
        callback=chosen.callback,
        address=chosen.address,
        request_seconds=chosen.request_seconds,
        processing_seconds=chosen.processing_seconds,
    )


Paced: TypeAlias = TicketingSettings | Chosen | Billing | InventorySettings | Performance | ProvisioningSettings | Sales
"""A section that says how much is sent at a time."""


def _pace(chosen: Paced) -> Pace:
    seconds = chosen.processing_seconds
    return Pace(most=chosen.requests, request_seconds=chosen.request_seconds, processing_seconds=seconds)


@asynccontextmanager
async def _ticketing(settings: Settings, store: Store, areas: Areas, noted: Noted) -> AsyncIterator[None]:
    chosen = settings.ticketing
    if chosen is None:
        yield
        return
    async with _ticketing_system(chosen, PassedOver(chosen.name, areas.passed_over)) as ticketing:
        teller = TicketTeller(
            store=store,
            ticketing=ticketing,
            policy=policy_of(settings),
            attention=_attention(chosen),
            access=noted.of(chosen.name),
        )
        async with beside(Lanes(store, teller, _pace(chosen), owner=owner(), note=noted.outcome).run()):
            with areas.ticketing(ticketing):
                yield


@asynccontextmanager
async def _ticketing_system(chosen: TicketingSettings, passed_over: PassedOver) -> AsyncIterator[Ticketing]:
    """Open the way to the ticketing system, in its dialect."""
    async with transported(ticketing_system(chosen)) as transport:
        match chosen.rt:
            case None:
                yield Tmf621(transport, statuses=chosen.statuses, passed_over=passed_over)
            case rt:
                desk = RtDesk(
                    queue=rt.queue, key_field=rt.key_field, service_field=rt.service_field, statuses=rt.statuses
                )
                yield Rt(transport, desk, passed_over)


@asynccontextmanager
async def _fault_management(settings: Settings, store: Store, areas: Areas, noted: Noted) -> AsyncIterator[None]:
    chosen = settings.fault_management
    if chosen is None:
        yield
        return
    async with AsyncExitStack() as stack:
        transport = await stack.enter_async_context(transported(fault_management_system(chosen)))
        system = _spoken(chosen, transport, PassedOver(chosen.name, areas.passed_over))
        # With a breaker of its own, since alarms and events may be apart.
        events = await stack.enter_async_context(transported(events_system(chosen))) if chosen.events_address else None
        teller = AlarmTeller(
            store=store,
            fault_management=system,
            policy=policy_of(settings),
            notified=system if isinstance(system, Mtosi | Alerta) else Tmf688(events) if events else None,
            attention=_attention(chosen),
            access=noted.of(chosen.name),
        )
        lanes = Lanes(store, teller, _pace(chosen), owner=owner(), note=noted.outcome)
        await stack.enter_async_context(beside(lanes.run()))
        yield


def _spoken(chosen: Chosen, transport: Transport, passed_over: PassedOver) -> Tmf642 | Mtosi | Alerta:
    match chosen.dialect:
        case "tmf642":
            return Tmf642(transport, passed_over)
        case "mtosi":
            return Mtosi(transport)
        case "alerta":
            return Alerta(transport, passed_over, environment=chosen.environment)
        case never:
            assert_never(never)


@asynccontextmanager
async def _billing(settings: Settings, store: Store, areas: Areas, noted: Noted) -> AsyncIterator[None]:
    chosen = settings.billing
    if chosen is None:
        yield
        return
    async with AsyncExitStack() as stack:
        billing = await _billing_dialect(chosen, stack)
        teller = BillingTeller(
            store=store,
            billing=billing,
            system=chosen.name,
            processing_seconds=chosen.processing_seconds,
            access=noted.of(chosen.name),
            attention=Attention(
                callback=chosen.callback, address=chosen.address, request_seconds=chosen.request_seconds
            ),
        )
        await stack.enter_async_context(
            beside(Lanes(store, teller, _pace(chosen), owner=owner(), note=noted.outcome).run())
        )
        if chosen.bills_address:
            # With a breaker of its own, since bills and records may be apart.
            transport = await stack.enter_async_context(transported(bills_system(chosen)))
            bills = Tmf678(transport, PassedOver(chosen.name, areas.passed_over))
            stack.enter_context(areas.billing(bills))
        yield


async def _billing_dialect(chosen: Billing, stack: AsyncExitStack) -> BillingSystem:
    if chosen.spool is not None:
        return Ipdr(Directory(chosen.spool), chosen.ipdr_version)
    transport = await stack.enter_async_context(transported(billing_system(chosen)))
    match chosen.dialect:
        case "tmf635":
            return Tmf635(transport)
        case "ipdr":
            return Ipdr(Address(transport), chosen.ipdr_version)
        case never:
            assert_never(never)


@asynccontextmanager
async def _inventory(settings: Settings, store: Store, _: Areas, noted: Noted) -> AsyncIterator[None]:
    """Compare what inventories send, whether or not one of them is told anything."""
    chosen = settings.inventory
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(beside(keep_reconciling(store, policy_of(settings), owner=owner())))
        if chosen is not None:
            transport = await stack.enter_async_context(transported(inventory_system(chosen)))
            inventory = _inventory_dialect(chosen.dialect, transport)
            teller = InventoryTeller(
                store=store,
                inventory=inventory,
                system=chosen.name,
                policy=policy_of(settings),
                processing_seconds=chosen.processing_seconds,
                access=noted.of(chosen.name),
                services=await _services(chosen, stack),
            )
            await stack.enter_async_context(
                beside(Lanes(store, teller, _pace(chosen), owner=owner(), note=noted.outcome).run())
            )
        yield


async def _services(chosen: InventorySettings, stack: AsyncExitStack) -> Tmf638 | None:
    """Open the way to who keeps services, with a breaker of its own, since that may be elsewhere."""
    if not chosen.services_address:
        return None
    return Tmf638(await stack.enter_async_context(transported(services_system(chosen))))


def _inventory_dialect(name: Literal["tmf639", "mtosi"], transport: Transport) -> Inventory:
    match name:
        case "tmf639":
            return Tmf639(transport)
        case "mtosi":
            return MtosiInventory(transport)
        case never:
            assert_never(never)


@asynccontextmanager
async def _performance(settings: Settings, store: Store, _: Areas, noted: Noted) -> AsyncIterator[None]:
    chosen = settings.performance
    if chosen is None:
        yield
        return
    measuring = Measuring(granularity=chosen.granularity, reporting=chosen.reporting, files=chosen.files)
    async with transported(performance_system(chosen)) as transport:
        teller = PerformanceHandler(
            store=store,
            performance=Tmf628(transport, measuring),
            system=chosen.name,
            thresholds=thresholds_of(settings),
            processing_seconds=chosen.processing_seconds,
            access=noted.of(chosen.name),
        )
        async with beside(Lanes(store, teller, _pace(chosen), owner=owner(), note=noted.outcome).run()):
            yield


@asynccontextmanager
async def _provisioning(settings: Settings, store: Store, _: Areas, noted: Noted) -> AsyncIterator[None]:
    chosen = settings.provisioning
    if chosen is None:
        yield
        return
    async with _provisioning_dialect(chosen) as provisioning:
        handler = ProvisioningHandler(
            store=store,
            provisioning=provisioning,
            policy=bandwidth_policy_of(settings),
            processing_seconds=chosen.processing_seconds,
            access=noted.of(chosen.name),
        )
        async with beside(Lanes(store, handler, _pace(chosen), owner=owner(), note=noted.outcome).run()):
            yield


@asynccontextmanager
async def _sales(settings: Settings, store: Store, areas: Areas, noted: Noted) -> AsyncIterator[None]:
    chosen = settings.sales
    if chosen is None:
        yield
        return
    async with transported(sales_system(chosen)) as transport:
        teller = SalesHandler(
            store=store,
            sales=SalesLeads(transport, PassedOver(chosen.name, areas.passed_over)),
            system=chosen.name,
            valid_days=chosen.valid_days,
            poll_seconds=chosen.poll_seconds,
            request_seconds=chosen.request_seconds,
            processing_seconds=chosen.processing_seconds,
            access=noted.of(chosen.name),
        )
        async with beside(Lanes(store, teller, _pace(chosen), owner=owner(), note=noted.outcome).run()):
            yield


@asynccontextmanager
async def _provisioning_dialect(chosen: ProvisioningSettings) -> AsyncIterator[Provisioning]:
    """Open the way to what sets rates, in its dialect."""
    if chosen.netconf is not None:
        from adapters.provisioning.outbound.netconf import Netconf  # noqa: PLC0415 - the extra may not be there

        model, seconds = service_model_of(chosen.netconf), chosen.netconf.confirm_seconds
        yield Netconf(netconf_devices(chosen.netconf), model, confirm_seconds=seconds)
        return
    async with transported(provisioning_system(chosen)) as transport:
        yield Tmf640(transport, layout_of(chosen), confirm_seconds=chosen.confirm_seconds)


def service_model_of(chosen: NetconfSettings) -> ServiceModel:
    """Give where devices keep the rate of a service."""
    return ServiceModel(
        module=chosen.module,
        namespace=chosen.namespace,
        bandwidth_type=chosen.bandwidth_type,
        rate_leaves=chosen.rate_leaves,
        directions=(chosen.input_bandwidth, chosen.output_bandwidth),
    )


def layout_of(chosen: ProvisioningSettings) -> Layout:
    """Give where a system that speaks TMF640 keeps the rate of a service."""
    return Layout(
        characteristic=chosen.characteristic,
        unit=chosen.unit,
        service_attribute=chosen.service_attribute,
        monitor_states=chosen.monitor_states,
    )


@asynccontextmanager
async def ledger(
    settings: Settings, store: Store, pressure: Pressure, placed: Callable[[], None]
) -> AsyncIterator[None]:
    """Do what the ledger needs done beside the telling: positions, timers, a look at what waits; and store large slices.

    `placed` is called when this process has given positions to events.
    """
    followers = (FOLLOWER,) if settings.kafka and settings.kafka.events else ()
    sweep = sweeping(kept_for(settings.retention), followers)
    alarms = policy_of(settings)
    works = {
        retention.KIND: sweep,
        reassessment.KIND: reassessment.stepping(alarms),
        **bandwidth_works.works_of(bandwidth_policy_of(settings), alarms),
    }
    async with (
        beside(keep_placed(store, owner=owner(), placed=placed)),
        beside(_timers(store, works)),
        beside(_looking(store, pressure)),
        beside(keep_building(store)),
    ):
        yield


def sequence_ms(chosen: Retention) -> int:
    """Give for how long one may resume after an event, in milliseconds."""
    return int(chosen.sequence_hours * _HOUR_MS)


def kept_for(chosen: Retention) -> Kept:
    """Give for how long each kind is kept; what somebody may resume after is kept, whatever is said of events."""

    def milliseconds(days: float) -> int:
        return int(days * _DAY_MS)

    return Kept(
        events=max(milliseconds(chosen.events_days), sequence_ms(chosen) + _SLACK_MS),
        alarms=milliseconds(chosen.alarms_days),
        tickets=milliseconds(chosen.tickets_days),
        downtime=milliseconds(chosen.downtime_days),
        usage=milliseconds(chosen.usage_days),
        differences=milliseconds(chosen.differences_days),
        feeds=milliseconds(chosen.feeds_days),
    )


async def _timers(store: Store, works: Mapping[str, Work]) -> None:
    while True:
        try:
            deadline = time.monotonic() + _STORE_SECONDS
            for about in retention.KINDS:
                await arm_once(store, kind=retention.KIND, about=about, deadline=deadline)
            await arm_once(store, kind=reassessment.KIND, about=reassessment.ABOUT, deadline=deadline)
            await bandwidth_works.arm(store, deadline=deadline)
            break
        except GraphError as error:
            log.warning("timers wait for the database", reason=str(error))
            await asyncio.sleep(_LOOK_SECONDS)
    await keep_ringing(store, works)


async def _looking(store: Store, pressure: Pressure) -> None:
    while True:
        began = time.monotonic()
        with contextlib.suppress(GraphError):  # what was seen last stands while the database is away
            for each in await system_backlogs(store, deadline=began + _STORE_SECONDS):
                pressure.saw(
                    each.system, oldest_seconds=each.oldest_seconds, is_paused=each.is_paused, counts=each, now=began
                )
        # To count takes as long as there is much to count: it must not become what the database does most.
        await asyncio.sleep(max(_LOOK_SECONDS, _LOOK_SHARE * (time.monotonic() - began)))


def owner() -> str:
    """Name this process, and one of its parts."""
    return f"{os.getpid()}-{uuid.uuid4().hex}"


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something while the block runs; it is not supposed to end by itself, and is heard of where it does."""
    task = asyncio.create_task(work, name=getattr(work, "__qualname__", "work"))
    task.add_done_callback(_note_end)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _note_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (fault := task.exception()) is not None:
        log.error("work beside the requests has ended", work=task.get_name(), exc_info=fault)
