"""The surrounding systems that the settings name: how each is reached, and by whom it is told what waits for it.

A section of the settings is a system; for each there is one function here, which opens the way to it, makes its `Teller`, and
runs the lanes beside whatever the block does. What only that system knows is asked through an area of the supergraph, which is
given the open way too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

import structlog

from adapters.billing import Billing as BillingSystem
from adapters.billing import Bills
from adapters.billing.outbound.ipdr import Ipdr
from adapters.billing.outbound.places import Address, Directory
from adapters.billing.outbound.tmf635 import Tmf635
from adapters.billing.outbound.tmf678 import Tmf678
from adapters.billing.telling import BillingTeller
from adapters.customer_management.looking import Looking
from adapters.customer_management.outbound.tmf629 import Tmf629
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
from adapters.passed_over import Count, PassedOver
from adapters.performance_management import Measurements
from adapters.performance_management.delivery_handler import PerformanceHandler
from adapters.performance_management.outbound.tmf628 import Tmf628
from adapters.performance_management.outbound.tmf628_measurements import Tmf628Measurements
from adapters.performance_management.outbound.tmf628_resource import Measuring
from adapters.provisioning import Provisioning
from adapters.provisioning.delivery_handler import ProvisioningHandler
from adapters.provisioning.netconf.service_model import ServiceModel
from adapters.provisioning.outbound.tmf640 import Tmf640
from adapters.provisioning.tmf640_resource import Layout, can_bear_id
from adapters.sales.delivery_handler import SalesHandler
from adapters.sales.outbound.sales_lead import SalesLeads
from adapters.ticketing import Ticketing
from adapters.ticketing.outbound.rt import Rt
from adapters.ticketing.outbound.rt_resource import RtDesk
from adapters.ticketing.outbound.tmf621 import Tmf621
from adapters.ticketing.telling import TicketTeller
from adapters.transport.transport import Transport
from adapters.transport.transport import opened as transported
from gateway.background import beside, owner
from gateway.errors import SettingsBroken
from gateway.policies import policy_of, thresholds_of
from gateway.reaching import (
    billing_system,
    bills_system,
    customers_system,
    events_system,
    fault_management_system,
    inventory_system,
    measurements_system,
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
from gateway.settings.sales import Sales
from gateway.settings.settings import Settings
from gateway.settings.ticketing import Ticketing as TicketingSettings
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.inventory.reconcile import keep_reconciling
from graph.store.store import Store

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Areas:
    """What is given the way to a system while it is open."""

    ticketing: Callable[[Ticketing], AbstractContextManager[object]]
    billing: Callable[[Bills], AbstractContextManager[object]]
    performance: Callable[[Measurements], AbstractContextManager[object]]
    selling: BandwidthPolicy
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


@asynccontextmanager
async def told(settings: Settings, store: Store, areas: Areas, noted: Noted) -> AsyncIterator[None]:
    """Reach the surrounding systems, and tell them what waits for them, as one of the processes that may."""
    async with AsyncExitStack() as stack:
        told_ones = (_ticketing, _fault_management, _billing, _inventory, _performance, _sales, _provisioning)
        for system in (*told_ones, _customers):
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
async def _performance(settings: Settings, store: Store, areas: Areas, noted: Noted) -> AsyncIterator[None]:
    chosen = settings.performance
    if chosen is None:
        yield
        return
    measuring = Measuring(granularity=chosen.granularity, reporting=chosen.reporting, files=chosen.files)
    async with AsyncExitStack() as stack:
        transport = await stack.enter_async_context(transported(performance_system(chosen)))
        teller = PerformanceHandler(
            store=store,
            performance=Tmf628(transport, measuring),
            system=chosen.name,
            thresholds=thresholds_of(settings),
            processing_seconds=chosen.processing_seconds,
            access=noted.of(chosen.name),
        )
        lanes = Lanes(store, teller, _pace(chosen), owner=owner(), note=noted.outcome)
        await stack.enter_async_context(beside(lanes.run()))
        if chosen.measurements:
            # With a breaker of its own, since measurements and jobs may be apart.
            there = await stack.enter_async_context(transported(measurements_system(chosen)))
            passed_over = PassedOver(chosen.name, areas.passed_over)
            read = Tmf628Measurements(there, period_ms=chosen.period_ms, passed_over=passed_over)
            stack.enter_context(areas.performance(read))
        yield


@asynccontextmanager
async def _provisioning(settings: Settings, store: Store, areas: Areas, noted: Noted) -> AsyncIterator[None]:
    chosen = settings.provisioning
    if chosen is None:
        yield
        return
    check_layout(settings, chosen)
    async with _provisioning_dialect(chosen) as provisioning:
        handler = ProvisioningHandler(
            store=store,
            provisioning=provisioning,
            policy=areas.selling,
            alarms=policy_of(settings),
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
async def _customers(settings: Settings, store: Store, areas: Areas, _: Noted) -> AsyncIterator[None]:
    """Look at customer management, which is told nothing."""
    chosen = settings.customers
    if chosen is None:
        yield
        return
    async with transported(customers_system(chosen)) as transport:
        looking = Looking(
            store=store,
            management=Tmf629(
                transport, segment=chosen.segment, passed_over=PassedOver(chosen.name, areas.passed_over)
            ),
            policy=policy_of(settings),
            attention=Attention(
                poll_seconds=chosen.poll_seconds,
                callback=chosen.callback,
                address=chosen.address,
                request_seconds=chosen.request_seconds,
            ),
            list_seconds=chosen.list_seconds,
        )
        async with beside(looking.run()):
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


def check_layout(settings: Settings, chosen: ProvisioningSettings) -> None:
    """Raise SettingsBroken where services are to be made that could not be given our id."""
    if settings.orders and settings.orders.products and not can_bear_id(layout_of(chosen)):
        raise SettingsBroken(
            f"provisioning.service_attribute is {chosen.service_attribute}, where a new service cannot be given our id: "
            "orders.products needs it empty, an attribute of the service itself, or serviceCharacteristic.value."
        )


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
