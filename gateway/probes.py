"""Whether each surrounding system can be reached as the settings say, asked harmlessly, for `trunkline check`.

For each section that names a system there is a question that its dialect answers without changing anything. What is wrong is
told with the setting to mend.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, assert_never

from adapters.billing.outbound import tmf620, tmf635, tmf678
from adapters.customer_management import tmf629_resource
from adapters.errors import AdapterError
from adapters.fault_management.outbound import tmf642, tmf688
from adapters.inventory.outbound import mtosi, tmf638, tmf639
from adapters.performance_management.outbound import tmf628, tmf628_measurements
from adapters.provisioning.netconf.device import Device
from adapters.provisioning.outbound import tmf640
from adapters.sales.outbound import sales_lead
from adapters.ticketing.outbound import tmf621
from adapters.transport.credentials import Basic, ClientCredentials, Credential
from adapters.transport.probing import Expects, Look, Question, Trouble, Well, probe
from adapters.transport.transport import Call, System, opened
from gateway.reaching import (
    billing_system,
    bills_system,
    broker,
    catalog_system,
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
from gateway.settings.bandwidth import Bandwidth
from gateway.settings.billing import Billing
from gateway.settings.catalog import Catalog
from gateway.settings.customers import Customers
from gateway.settings.fault_management import FaultManagement
from gateway.settings.inventory import Inventory
from gateway.settings.kafka import Kafka
from gateway.settings.performance import Performance
from gateway.settings.provisioning import Netconf, Provisioning
from gateway.settings.sales import Sales
from gateway.settings.settings import Settings
from gateway.settings.ticketing import Ticketing

_SECONDS: Final = 5.0
_ONE: Final = (("limit", "1"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What came of asking one system."""

    system: str
    well: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One question to one system, and the settings that say how it is reached."""

    section: str
    system: System
    question: Question
    address: str = "address"
    """the setting that has it."""


async def probe_systems(settings: Settings) -> list[Probed]:
    """Ask every system that the settings name, all at the same time; in the order of the sections."""
    found = [await _of_kafka(settings.kafka)] if settings.kafka else []
    found += (
        await _of_devices(settings.provisioning.netconf)
        if settings.provisioning and settings.provisioning.netconf
        else []
    )
    found += [_spooled(settings.billing.spool)] if settings.billing and settings.billing.spool else []
    return [*await asyncio.gather(*map(_probed, _questions(settings))), *found]


async def _probed(asked: _Asked) -> Probed:
    async with opened(asked.system) as transport:
        verdict = await probe(transport, asked.question, deadline=time.monotonic() + _SECONDS)
    match verdict:
        case Well():
            call = asked.question.call
            text = f"{asked.system.address} answers to {call.method} {'/'.join(call.path)}".rstrip()
            return Probed(system=asked.section, well=True, text=text)
        case Trouble(text=text, look=look):
            return Probed(system=asked.section, well=False, text=f"{text.rstrip('.')}. {_mend(asked, look)}")
        case never:
            assert_never(never)


def _mend(asked: _Asked, look: Look) -> str:
    match look:
        case Look.ADDRESS:
            return f"Mend {asked.section}.{asked.address}, which is {asked.system.address}, or what stands there"
        case Look.CREDENTIAL:
            return _mend_credential(asked.section, asked.system.credential)
        case Look.SYSTEM:
            return f"Look into the log of {asked.system.name}"
        case never:
            assert_never(never)


def _mend_credential(section: str, credential: Credential | None) -> str:
    match credential:
        case None:
            return (
                f"Give {section}.bearer (or {section}.bearer_file), {section}.basic or {section}.oauth: there is none"
            )
        case ClientCredentials():
            return f"Mend {section}.oauth: token_url, the client, its secret or its scope; or what it may do there"
        case Basic():
            return f"Mend {section}.basic: its user or its password; or what that user may do there"
        case _:
            return f"Mend {section}.bearer (or {section}.bearer_file), or what its owner may do there"


def _questions(settings: Settings) -> Iterator[_Asked]:
    if settings.ticketing:
        yield _of_ticketing(settings.ticketing)
    if settings.fault_management:
        yield from _of_fault_management(settings.fault_management)
    if settings.billing:
        yield from _of_billing(settings.billing)
    if settings.inventory:
        yield from _of_inventory(settings.inventory)
    if settings.performance:
        yield from _of_performance(settings.performance)
    if settings.catalog:
        yield from _of_catalog(settings.catalog, settings.bandwidth)
    if settings.customers:
        yield _of_customers(settings.customers)
    if settings.provisioning and settings.provisioning.dialect == "tmf640":
        yield _of_provisioning(settings.provisioning)
    if settings.sales:
        yield _of_sales(settings.sales)


def _of_ticketing(chosen: Ticketing) -> _Asked:
    system = ticketing_system(chosen)
    if chosen.rt is not None:
        question = _object("id", "queue", chosen.rt.queue)
        return _Asked(section="ticketing", system=system, question=question, address="rt.queue or ticketing.address")
    return _Asked(section="ticketing", system=system, question=_get(tmf621.RESOURCE, query=_ONE))


def _of_fault_management(chosen: FaultManagement) -> Iterator[_Asked]:
    match chosen.dialect:
        case "tmf642":
            question = _get(tmf642.RESOURCE, query=_ONE)
        case "mtosi":
            question = _options()
        case "alerta":
            question = _object("alerts", "alerts", query=(("page-size", "1"),))
        case never:
            assert_never(never)
    yield _Asked(section="fault_management", system=fault_management_system(chosen), question=question)
    if chosen.events_address:
        question = _get(tmf688.RESOURCE, query=_ONE)
        yield _Asked(
            section="fault_management", system=events_system(chosen), question=question, address="events_address"
        )


def _of_billing(chosen: Billing) -> Iterator[_Asked]:
    if chosen.address and chosen.dialect == "tmf635":
        for path in (tmf635.USAGE, tmf635.PROBLEM):  # usage and downtime are of two APIs, and one may be missing
            yield _Asked(section="billing", system=billing_system(chosen), question=_get(*path, query=_ONE))
    elif chosen.address:
        yield _Asked(section="billing", system=billing_system(chosen), question=_options())
    if chosen.bills_address:
        address = "bills" if chosen.bills else "address"
        question = _get(*tmf678.BASE, "customerBill", query=_ONE)
        yield _Asked(section="billing", system=bills_system(chosen), question=question, address=address)


def _of_inventory(chosen: Inventory) -> Iterator[_Asked]:
    question = _get(tmf639.RESOURCE, query=_ONE) if chosen.dialect == "tmf639" else _options(mtosi.UPDATE_SERVICE)
    yield _Asked(section="inventory", system=inventory_system(chosen), question=question)
    if chosen.services_address:
        address = "services" if chosen.services else "address, or set inventory.services or inventory.keeps_services"
        question = _get(tmf638.RESOURCE, query=_ONE)
        yield _Asked(section="inventory", system=services_system(chosen), question=question, address=address)


def _of_performance(chosen: Performance) -> Iterator[_Asked]:
    question = _get(tmf628.RESOURCE, query=_ONE)
    yield _Asked(section="performance", system=performance_system(chosen), question=question)
    if chosen.measurements:
        question = _get(tmf628_measurements.RESOURCE, query=_ONE)
        yield _Asked(
            section="performance", system=measurements_system(chosen), question=question, address="measurements"
        )


def _of_customers(chosen: Customers) -> _Asked:
    question = _get(tmf629_resource.RESOURCE, query=_ONE)
    return _Asked(section="customers", system=customers_system(chosen), question=question)


def _of_sales(chosen: Sales) -> _Asked:
    question = _get(sales_lead.RESOURCE, query=_ONE)
    return _Asked(section="sales", system=sales_system(chosen), question=question)


def _of_catalog(chosen: Catalog, bandwidth: Bandwidth) -> Iterator[_Asked]:
    """Ask for the list, and for each offering that a tariff names: one that is not there would never be sold."""
    system, path = catalog_system(chosen), (*tmf620.BASE, tmf620.OFFERING)
    yield _Asked(section="catalog", system=system, question=_get(*path, query=_ONE))
    for name, each in bandwidth.tariffs.items():
        if each.offering:
            question = _object("id", *path, each.offering)
            address = f"address, or bandwidth.tariffs.{name}.offering"
            yield _Asked(section="catalog", system=system, question=question, address=address)


def _of_provisioning(chosen: Provisioning) -> _Asked:
    question = _get(tmf640.SERVICE, query=_ONE)
    return _Asked(section="provisioning", system=provisioning_system(chosen), question=question)


async def _of_devices(chosen: Netconf) -> list[Probed]:
    from adapters.provisioning.netconf.session import opened as session  # noqa: PLC0415 - the extra may not be there

    async def asked(device: Device) -> Probed:
        try:
            async with session(device, deadline=time.monotonic() + _SECONDS):
                return Probed(system="provisioning", well=True, text=f"{device.name} answers")
        except AdapterError as error:
            mend = error.hint or f"Look at provisioning.netconf.devices.{device.name}"
            return Probed(system="provisioning", well=False, text=f"{error.message.rstrip('.')}. {mend}")

    return list(await asyncio.gather(*map(asked, netconf_devices(chosen))))


async def _of_kafka(chosen: Kafka) -> Probed:
    from adapters.kafka.wire import broker_topics  # noqa: PLC0415 - the extra may not be there

    try:
        there = await broker_topics(broker(chosen))
    except AdapterError as error:
        mend = error.hint or "Look at kafka.servers, and at what stands there"
        return Probed(system="kafka", well=False, text=f"{error.message.rstrip('.')}. {mend}")
    topics = published_topics(chosen)
    missing = [each for each in topics if each not in there]
    text = f"{', '.join(chosen.servers)} answers, and has {len(topics) - len(missing)} of {len(topics)} topics"
    more = f"; the broker must create {missing[0]} when it is first used" if missing else ""
    return Probed(system="kafka", well=True, text=text + more)


def published_topics(chosen: Kafka) -> list[str]:
    """Give the names of all topics that the section is about."""
    alarms = chosen.alarms
    named = [alarms.topic, alarms.dead_letter] if alarms else []
    return [*(f"{chosen.topic_prefix}{each}" for each in chosen.events), *filter(None, named)]


def _spooled(directory: Path) -> Probed:
    well = os.access(directory, os.W_OK | os.X_OK)
    text = f"{directory} can be written" if well else f"{directory} cannot be written. Mend billing.spool"
    return Probed(system="billing", well=well, text=text)


def _get(*path: str, query: tuple[tuple[str, str], ...] = ()) -> Question:
    return Question(call=Call(method="GET", path=path, query=query))


def _object(member: str, *path: str, query: tuple[tuple[str, str], ...] = ()) -> Question:
    return replace(_get(*path, query=query), expects=Expects.OBJECT, member=member)


def _options(*path: str) -> Question:
    return Question(call=Call(method="OPTIONS", path=path), expects=Expects.ANYTHING)
