"""What has happened to a customer's services until now: orders, and now and then a boost, usage, an event.

All of it lies in the past and is over: an interval that is still open would need a timer, and a load sets none. Every
so-manyeth service has one of each, so that there is something to find and the graph stays one of services.
"""

from __future__ import annotations

from typing import Final

import orjson

from graph.load.records import Value
from graph.load.synthetic.catalogue import EPOCH_MS, HOUR_MS
from graph.load.synthetic.service import Customer, Service
from graph.load.synthetic.sheet import Sheet

_ITEMS_PER_ORDER: Final = 5
_BOOSTED: Final = 30
_METERED: Final = 12
_TOLD: Final = 20
_CENTS_PER_GIGABIT_HOUR: Final = 900


def write_history(sheet: Sheet, customer: Customer, services: tuple[Service, ...], *, full: bool) -> None:
    """Put down a customer's history; with `full`, one of each kind whatever the numbers say."""
    for number, service in enumerate(services):
        first = full and number == 0
        if first or service.wish.number % _BOOSTED == 0:
            _boost(sheet, service)
        if first or service.wish.number % _METERED == 0:
            _usage(sheet, service, EPOCH_MS, 24 * 31, "committed")
        if first or service.wish.number % _TOLD == 0:
            _event(sheet, customer, service)
    for start in range(0, len(services), _ITEMS_PER_ORDER):
        _order(sheet, customer, services[start : start + _ITEMS_PER_ORDER])


def _order(sheet: Sheet, customer: Customer, services: tuple[Service, ...]) -> None:
    number = f"PO-{services[0].wish.number:06d}"
    ours: dict[str, Value] = {"system": "ordering", "state": "completed"}
    order = sheet.node("Order", number, {"externalId": number, **ours})
    sheet.join(order, "PLACED_BY", customer.id)
    for position, service in enumerate(services, 1):
        name = f"{number}/{position}"
        item = sheet.node("OrderItem", name, {"externalId": name, **ours})
        sheet.join(order, "HAS_ITEM", item)
        sheet.join(item, "PROVISIONS", service.id)


def _boost(sheet: Sheet, service: Service) -> None:
    start, hours = EPOCH_MS + service.wish.number % 700 * HOUR_MS, 4
    properties: dict[str, Value] = {
        "mbps": service.wish.mbps,
        "startAt": start,
        "endAt": start + hours * HOUR_MS,
        "status": "TERMINATED",
        "statusReason": "DURATION_EXPIRED",
        "price": service.wish.mbps * hours * _CENTS_PER_GIGABIT_HOUR // 1000,
        "currency": "EUR",
    }
    sheet.join(sheet.node("Boost", str(service.wish.number), properties), "BOOSTS", service.id)
    _usage(sheet, service, start, hours, "boost")


def _usage(sheet: Sheet, service: Service, start: int, hours: int, kind: str) -> None:
    octets = service.wish.mbps * 125_000 * 3600 * hours // 4  # a quarter of the rate, on average
    properties: dict[str, Value] = {
        "from": start,
        "to": start + hours * HOUR_MS,
        "mbps": service.wish.mbps,
        "octets": octets,
        "kind": kind,
    }
    sheet.join(sheet.node("Usage", f"{service.wish.number} {kind}", properties), "USED_BY", service.id)


def _event(sheet: Sheet, customer: Customer, service: Service) -> None:
    payload = orjson.dumps({"service": service.id, "state": service.wish.state}, option=orjson.OPT_SORT_KEYS)
    properties: dict[str, Value] = {
        "type": "serviceStateChange",
        "aggregateId": service.id,
        "aggregateVersion": 1,
        "at": EPOCH_MS + service.wish.number % 700 * HOUR_MS,
        "principal": "load",
        "payload": payload.decode(),
    }
    sheet.join(sheet.node("Event", f"{service.wish.number} state", properties), "CONCERNS_CUSTOMER", customer.id)
