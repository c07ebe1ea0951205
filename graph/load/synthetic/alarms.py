"""Alarms that are open when the graph is new, whom they hurt, and the tickets they led to.

An alarm has to be known before the services are sold, since each service says from the start what all open alarms
together do to it; it can only be written down after them, since it points at the services it affects. So the things
that fail are struck first (`strike`), every service takes note, and the alarms come last (`put_down_alarms`).

The first alarm is on the trunk that the two customers for demonstrations share. Then come, in turn, a card, a port of
that card (whose alarm the card's has caused), a crossed threshold that asserts no failure, and uplinks anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from random import Random
from typing import Final

import orjson

from graph.load.records import Value
from graph.load.synthetic.catalogue import EPOCH_MS, HOUR_MS
from graph.load.synthetic.equipment import Card
from graph.load.synthetic.market import Market
from graph.load.synthetic.network import Network
from graph.load.synthetic.service import Customer, Service
from graph.load.synthetic.sheet import Sheet
from graph.model.alarm import key_of_stored
from graph.model.effects import severity_of

_SYSTEM: Final = "fault-management"
_RAISED_AT: Final = EPOCH_MS + 800 * HOUR_MS
_TICKETED: Final = ("critical", "major", "minor")
"""The severities that a ticket is opened for, the worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What an alarm says, in the words of X.733."""

    kind: str
    severity: str
    cause: str


_SIGNAL: Final = Words(kind="communicationsAlarm", severity="major", cause="lossOfSignal")
_UNIT: Final = Words(kind="equipmentAlarm", severity="critical", cause="replaceableUnitProblem")
_THRESHOLD: Final = Words(kind="qualityOfServiceAlarm", severity="minor", cause="thresholdCrossed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """An alarm before it is put down: what it is raised on, and what it says."""

    number: int
    target: str
    words: Words
    caused_by: int | None = None
    """the number of the alarm that this one follows from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A service that takes part in some alarm's effect, and whose it is."""

    customer: Customer
    service: Service


def strike(network: Network, seed: int, count: int) -> tuple[Struck, ...]:
    """Choose what fails, and let it fail, before anything is sold.

    The choice has a chance of its own: the same network is sold with alarms and without.
    """
    chance = Random(f"alarms {seed}")  # noqa: S311  # chance that can be repeated, not secrets
    return tuple(_strikes(network, chance, count))


def put_down_alarms(sheet: Sheet, alarms: Sequence[Struck], affected: Sequence[Affected]) -> None:
    """Put down the alarms with the services they affect, and a ticket for each customer they hurt enough."""
    ids: list[str] = []
    for alarm in alarms:
        ids.append(sheet.node("Alarm", str(alarm.number), _properties(alarm)))
        sheet.join(ids[-1], "RAISED_ON", alarm.target)
        if alarm.caused_by is not None:
            sheet.join(ids[-1], "CAUSED_BY", ids[alarm.caused_by])
        hurt = [each for each in affected if alarm.number in each.service.alarms]
        for each in hurt:
            sheet.join(ids[-1], "AFFECTS", each.service.id, _harm(each.service, alarm.number))
        for customer, services in groupby(hurt, key=lambda each: each.customer.id):
            _ticket(sheet, ids[-1], customer, [each.service for each in services])


def _strikes(network: Network, chance: Random, count: int) -> Iterator[Struck]:
    market = Market(network)
    card = _any_card(network, chance)
    for number in range(count):
        match number % 5:
            case 1:
                card = _any_card(network, chance)
                card.strike(number)
                yield Struck(number=number, target=card.id, words=_UNIT)
            case 2:
                port = card.ports[0]
                port.struck.add(number)
                yield Struck(number=number, target=port.id, caused_by=number - 1, words=_SIGNAL)
            case 3:
                element = next(iter(chance.choice(network.core).elements.values()))
                yield Struck(number=number, target=element.id, words=_THRESHOLD)
            case _:
                site = market.draw_site(chance) if number else market.showplace()
                trunk = site.uplinks[0].newest
                trunk.alarms.add(number)
                yield Struck(number=number, target=trunk.id, words=_SIGNAL)


def _any_card(network: Network, chance: Random) -> Card:
    return chance.choice(list(chance.choice(network.core).cards.values()))


def _properties(alarm: Struck) -> dict[str, Value]:
    raised = _RAISED_AT + alarm.number * 60_000
    record = {
        "alarmType": alarm.words.kind,
        "alarmedObject": {"id": alarm.target},
        "id": f"ALM-{alarm.number:05d}",
        "perceivedSeverity": alarm.words.severity,
        "probableCause": alarm.words.cause,
        "sourceSystemId": _SYSTEM,
        "state": "raised",
    }
    properties: dict[str, Value] = {
        "sourceSystemId": _SYSTEM,
        "externalAlarmId": f"ALM-{alarm.number:05d}",
        "alarmedObjectRef": alarm.target,
        "alarmType": alarm.words.kind,
        "probableCause": alarm.words.cause,
        "perceivedSeverity": alarm.words.severity,
        "state": "raised",
        "ackState": "unacknowledged",
        "raisedAt": raised,
        "changedAt": raised,
        "record": orjson.dumps(record).decode(),
    }
    return {**properties, "identity": key_of_stored(properties)}


def _harm(service: Service, alarm: int) -> dict[str, Value]:
    harm: dict[str, Value] = {"parts": service.alarms[alarm]}
    if service.effect:
        harm["effect"] = service.effect
    severity = _severity(service)
    return {**harm, "severity": severity} if severity else harm


def _severity(service: Service) -> str | None:
    return severity_of(service.effect, service.wish.promise.tier) if service.effect else None


def _ticket(sheet: Sheet, alarm: str, customer: str, services: Sequence[Service]) -> None:
    ticketed = [(severity, each.id) for each in services if (severity := _severity(each)) in _TICKETED]
    if not ticketed:
        return
    number = f"TT-{sheet.nodes:08d}"
    worst = min((severity for severity, _ in ticketed), key=_TICKETED.index)
    properties = {
        "system": "ticketing",
        "externalId": number,
        "orderKey": f"{alarm}:{customer}",
        "status": "inProgress",
        "severity": worst,
    }
    ticket = sheet.node("Ticket", number, properties)
    sheet.join(ticket, "REPORTS", alarm)
    sheet.join(ticket, "OPENED_FOR", customer)
    for _, service in ticketed:
        sheet.join(ticket, "CONCERNS", service)
