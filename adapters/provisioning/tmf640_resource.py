"""TMF640's service and monitor: what is written into a service to set its rate, and what is believed of either.

The rate is a characteristic of the service; its name and its unit are settings. Its value may be a number, a string of digits, a
string with a unit, or an object with an amount and a unit: it is written back in the form in which it was found. A merge patch
(RFC 7396) replaces a list as a whole, so the other characteristics are written back as they were.

Source: TMF640 v4.0.0, definitions Service, Service_Update, Characteristic, Monitor. The swagger names no words for a monitor's
state; its description has InProgress, InError and Completed.

>>> layout = Layout(characteristic="bandwidth", unit="Mbps")
>>> there = {"id": "s-1", "serviceCharacteristic": [{"name": "bandwidth", "value": "100"}, {"name": "vlan", "value": 7}]}
>>> rate_of(there, layout)
100
>>> rate_patch(there, 500, layout)
{'serviceCharacteristic': [{'name': 'bandwidth', 'value': '500'}, {'name': 'vlan', 'value': 7}]}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, get_args

from adapters.errors import Nonsense
from adapters.provisioning import MOST_MBPS, NewService
from adapters.tmf.tmf630 import Filter, matches
from adapters.tmf_client.client import Accepted
from graph.model.rates import AMOUNTS, BITS, MEGA, UNITS, WRITTEN, Unit, bits_of, member, read_mbps

MonitorState: TypeAlias = Literal["InProgress", "InError", "Completed"]
_CHARACTERISTICS: Final = "serviceCharacteristic"
_MONITOR: Final = "monitor"
_OF_CHARACTERISTICS: Final = f"{_CHARACTERISTICS}.value"
_PATHS: Final[Mapping[str, str]] = MappingProxyType({"workingPath": "WORKING", "protectingPath": "PROTECTING"})
"""The characteristics of a new service that hold its trunks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the rate of a service stands there, and in which words."""

    characteristic: str = "bandwidth"
    """the name of the characteristic that holds the rate."""
    unit: Unit = "Mbps"
    """of a value that names none."""
    service_attribute: str = ""
    """the attribute of its services that holds our id, dotted, as a query has it; empty: our id is the service's id there."""
    monitor_states: Mapping[str, MonitorState] = field(default_factory=lambda: MappingProxyType({}))
    """its own words for the state of a monitor, each with the one of TMF640."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """What becomes of one change."""

    id: str
    state: MonitorState
    said: str
    """why it is in error, as the system says it; empty: it does not say."""


def an_object(answer: object, where: str = "body") -> Mapping[str, Any]:
    """Take what must be a JSON object."""
    if not isinstance(answer, dict):
        raise Nonsense("Provisioning answered what is no object", where=where)
    return answer


def id_of(answer: object, where: str = "") -> str:
    """Read the id of a service or of a monitor."""
    found = an_object(answer, where or "body").get("id")
    if not isinstance(found, str) or found in ("", ".", ".."):
        raise Nonsense("What provisioning answered has no id that is a string", where=f"{where}.id".lstrip("."))
    return found


def check_same(answer: object, their_id: str) -> Mapping[str, Any]:
    """Give a thing that must be the one with this id, or raise Nonsense."""
    if id_of(answer) != their_id:
        raise Nonsense("Provisioning answered about something else than it was asked about", where="id")
    return an_object(answer)


def is_ours(service: object, our_id: str, layout: Layout) -> bool:
    """Tell whether a service of a list bears our id where the settings say."""
    wanted = Filter(path=tuple(layout.service_attribute.split(".")), values=(our_id,))
    return isinstance(service, dict) and matches(service, [wanted])


def carries(service: Mapping[str, Any], mbps: int, layout: Layout) -> bool:
    """Tell whether a service carries this rate; one that is no whole number of Mbit/s is another one."""
    return _rate(service, layout) == mbps


def rate_of(service: Mapping[str, Any], layout: Layout) -> int:
    """Read the rate that a service carries, in whole Mbit/s."""
    rate = _rate(service, layout)
    if rate is None or rate != rate.to_integral_value() or not 0 <= rate <= MOST_MBPS:
        raise Nonsense(
            "The rate of the service is no whole number of Mbit/s",
            hint="Look at provisioning.characteristic and provisioning.unit",
            where=f"{_CHARACTERISTICS}.value",
        )
    return int(rate)


def rate_patch(service: Mapping[str, Any], mbps: int, layout: Layout) -> dict[str, object]:
    """Make the merge patch that gives a service, as it stands there now, this rate (Service_Update)."""
    changed = [
        {**each, "value": _written(each.get("value"), mbps, layout.unit)}
        if each.get("name") == layout.characteristic
        else each
        for each in _characteristics(service)
    ]
    return {_CHARACTERISTICS: changed}


def can_bear_id(layout: Layout) -> bool:
    """Tell whether a new service can be given our id where it is looked for."""
    return "." not in layout.service_attribute or layout.service_attribute == _OF_CHARACTERISTICS


def new_service(new: NewService, layout: Layout) -> dict[str, object]:
    """Make the service that is asked for (Service_Create), with our id where the settings say."""
    rate = _number(new.mbps, BITS[layout.unit])
    said: list[dict[str, object]] = [{"name": layout.characteristic, "valueType": "number", "value": rate}]
    said += [{"name": f"port{each.role}", "valueType": "string", "value": each.id} for each in new.ends]
    for name, path in _PATHS.items():
        if trunks := [each.id for each in new.ways if each.role == path]:
            said.append({"name": name, "valueType": "array", "value": trunks})
    if layout.service_attribute == _OF_CHARACTERISTICS:
        said.append({"name": "trunkline", "valueType": "string", "value": new.service.id})
    ports = ({"id": each.id, "name": each.name, "@referredType": "Port"} for each in new.ends)
    trunks_ = ({"id": each.id, "name": each.name, "@referredType": "Trunk"} for each in new.ways)
    own = {} if "." in layout.service_attribute else {layout.service_attribute or "id": new.service.id}
    return {
        "name": new.service.name,
        "state": "active",
        "serviceSpecification": {"id": new.specification, "name": new.specification},
        _CHARACTERISTICS: said,
        "supportingResource": [*ports, *trunks_],
        **own,
    }


def is_gone(service: object) -> bool:
    """Tell whether a service is only shown still, and carried no more."""
    return isinstance(service, dict) and service.get("state") == "terminated"


def is_in_use(service: Mapping[str, Any]) -> bool:
    """Tell whether a service is active, as far as the system says."""
    return bool(service.get("state", "active") == "active")


def monitor_of_new(accepted: Accepted, our_id: str) -> str:
    """Read where a system says what becomes of a new service; empty where it does not say, or answers with the service."""
    is_service = isinstance(accepted.value, dict) and "serviceSpecification" in accepted.value
    known = Accepted(location=accepted.location, value=None) if is_service else accepted
    return monitor_id(known, our_id)


def is_about_new(monitor: object, our_id: str) -> bool:
    """Tell whether a monitor of a list is about making a service of ours: what was requested has our id."""
    request = monitor.get("request") if isinstance(monitor, dict) else None
    return isinstance(request, dict) and request.get("method") == "POST" and our_id in str(request.get("body", ""))


def monitor_id(accepted: Accepted, their_id: str) -> str:
    """Read where a system says what becomes of a change; empty where it does not say.

    The header Location leads to the monitor, or the body is the monitor; some answer with the service instead.
    """
    *_, before, last = ["", "", *accepted.location.rstrip("/").split("?")[0].split("/")]
    if before.lower() == _MONITOR and last not in ("", ".", ".."):
        return last
    told = accepted.value
    if isinstance(told, dict) and isinstance(told.get("id"), str) and told["id"] != their_id and "state" in told:
        return id_of(told)
    return ""


def monitor_of(answer: object, layout: Layout, where: str = "") -> Monitor:
    """Read a monitor."""
    told = an_object(answer, where or "body")
    word = told.get("state")
    state = _state(str(word), layout)
    if state is None:
        raise Nonsense(
            "A monitor of provisioning has a state that nobody knows",
            hint=f"Give {word!r:.40} its meaning in provisioning.monitor_states",
            where=f"{where}.state".lstrip("."),
        )
    return Monitor(id=id_of(told, where), state=state, said=_response(told))


def words_for(state: MonitorState, layout: Layout) -> tuple[str, ...]:
    """Give the words for a state of a monitor, TMF640's first."""
    return (state, *(theirs for theirs, ours in layout.monitor_states.items() if ours == state))


def is_about(monitor: object, their_id: str) -> bool:
    """Tell whether a monitor of a list is about this service: by its source, or by what was requested."""
    if not isinstance(monitor, dict):
        return False
    request = monitor.get("request")
    addresses = [monitor.get("sourceHref"), request.get("to") if isinstance(request, dict) else None]
    return any(isinstance(each, str) and each.rstrip("/").rpartition("/")[2] == their_id for each in addresses)


def _state(word: str, layout: Layout) -> MonitorState | None:
    """Read a state in TMF640's words, however they are spelled (inProgress, IN_PROGRESS), or in the system's own."""
    if word in layout.monitor_states:
        return layout.monitor_states[word]
    plain = re.sub("[^a-z]", "", word.lower())
    return next((each for each in get_args(MonitorState) if each.lower() == plain), None)


def _response(monitor: Mapping[str, Any]) -> str:
    response = monitor.get("response")
    if not isinstance(response, dict):
        return ""
    return " ".join(str(response[name]) for name in ("statusCode", "body") if response.get(name))


def _characteristics(service: Mapping[str, Any]) -> list[dict[str, Any]]:
    held = service.get(_CHARACTERISTICS)
    return [each for each in held if isinstance(each, dict)] if isinstance(held, list) else []


def _rate(service: Mapping[str, Any], layout: Layout) -> Decimal | None:
    """Read a rate in Mbit/s; None where it cannot be read. A service without the characteristic is Nonsense: so is the setting."""
    found = [each for each in _characteristics(service) if each.get("name") == layout.characteristic]
    if not found:
        raise Nonsense(
            f"The service has no characteristic {layout.characteristic}",
            hint="Look at provisioning.characteristic",
            where=_CHARACTERISTICS,
        )
    return read_mbps(found[0].get("value"), layout.unit)


def _written(found: object, mbps: int, unit: Unit) -> object:
    """Write a rate in the form in which another one was found."""
    match found:
        case str():
            match = WRITTEN.fullmatch(found)
            word = match[2] if match else ""
            number = _number(mbps, bits_of(word) or BITS[unit])
            return f"{number} {word}" if word else str(number)
        case dict():
            amount, word = member(found, AMOUNTS), found.get(member(found, UNITS))
            number = _number(mbps, (bits_of(str(word)) if word else None) or BITS[unit])
            return {**found, amount: str(number) if isinstance(found.get(amount), str) else number}
        case _:
            return _number(mbps, BITS[unit])


def _number(mbps: int, bits: int) -> int | float:
    """Give a rate as a number of units of so many bit/s."""
    whole, rest = divmod(mbps * MEGA, bits)
    return whole if not rest else float(Decimal(mbps * MEGA) / bits)
