"""A sequence and what five subscribers heard of it, that fits the evidence in `fitting.py`, to tamper with.

Somebody listens from the second event on: the first had happened when it came.
"""

from __future__ import annotations

from typing import Final

from tests.faults.stream_records import Happened, Heard, Seen

_HIT_1: Final = ["service-1", None, None, "down", "critical"]
_HIT_2: Final = ["service-2", None, None, "down", "major"]
_SPARED_2: Final = ["service-2", "down", "major", None, None]


def _happened(position: int, type_: str, about: str, payload: dict[str, object], *customers: int) -> Happened:
    concerned = frozenset(f"customer-{each}" for each in customers)
    return Happened(position=position, type=type_, about=about, at=position * 10, customers=concerned, payload=payload)


HAPPENED: Final = (
    _happened(1, "AlarmRaised", "alarm-2", {"impacts": {"customer-2": [_HIT_2]}}, 2),
    _happened(2, "AlarmRaised", "alarm-1", {"impacts": {"customer-1": [_HIT_1], "customer-2": [_HIT_2]}}, 1, 2),
    _happened(3, "DowntimeBegan", "service-1", {"customer": "customer-1"}, 1),
    _happened(4, "AlarmUpdated", "alarm-2", {"impacts": {"customer-2": [["service-2", *_HIT_2[3:], *_HIT_2[3:]]]}}, 2),
    _happened(5, "AlarmCleared", "alarm-2", {"impacts": {"customer-2": [_SPARED_2]}}, 2),
    _happened(6, "ResourceStateChanged", "port-1", {}, 1),
    _happened(7, "DeliveryParked", "delivery-1", {}),
    _happened(8, "TicketOpened", "ticket-1", {}, 1),
)
"""The fourth changed nothing for anybody, and the last is of no stream."""


def _seen(position: int, kind: str, about: str, *services: tuple[str, str | None, str | None]) -> Seen:
    return Seen(position=position, at=position * 10, kind=kind, about=about, services=frozenset(services))


_DOWN_1: Final = ("service-1", "down", "critical")
_DOWN_2: Final = ("service-2", "down", "major")
_UP_2: Final = ("service-2", None, None)


def _heard(name: str, stream: str, customer: int | None, *seen: Seen, after: int = 0) -> Heard:
    whose = None if customer is None else f"customer-{customer}"
    return Heard(name=name, stream=stream, customer=whose, after=after, seen=seen)


HEARD: Final = (
    _heard(
        "everything",
        "alerts",
        None,
        _seen(1, "BEGAN", "alarm-2", _DOWN_2),
        _seen(2, "BEGAN", "alarm-1", _DOWN_1, _DOWN_2),
        _seen(5, "ENDED", "alarm-2", _UP_2),
    ),
    _heard(
        "later",
        "alerts",
        2,
        _seen(2, "BEGAN", "alarm-1", _DOWN_2),
        _seen(5, "ENDED", "alarm-2", _UP_2),
        after=1,
    ),
    _heard("downtime", "serviceEvents", 1, _seen(3, "EFFECT_BEGAN", "service-1")),
    _heard("network", "topologyChanges", 1, _seen(6, "STATE_CHANGED", "port-1")),
    _heard("ledger", "deliveries", None, _seen(7, "PARKED", "delivery-1")),
)
