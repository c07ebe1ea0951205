"""What a provisioning system keeps: services with their rates, monitors, and since when the network has carried which rate.

What comes is checked as TMF640 says; what the server decides (id, href) a client cannot set. The rate is the characteristic
`bandwidth`, in Mbps; a change that takes it away is refused, and what else is in the list is replaced, as RFC 7396 says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import orjson

from adapters.errors import Malformed
from adapters.simulator import published
from adapters.simulator.journal import Journal
from adapters.simulator.published import check
from adapters.tmf.tmf630 import merge_patch, write_time

Resource: TypeAlias = dict[str, Any]

SERVICE: Final = "service"
MONITOR: Final = "monitor"
BASE: Final = "/tmf-api/ServiceActivationAndConfiguration/v4"
RATE: Final = "bandwidth"
UPDATE: Final = frozenset(published.ACTIVATION.fields) - {"serviceDate", "@referredType"}
"""The members of Service_Update."""
_DECIDED_HERE: Final = ("id", "href")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChange:
    """A rate that the network carries since a moment."""

    service: str
    mbps: int
    at: int
    """epoch milliseconds UTC."""
    key: str
    """the idempotency key of the request that has led to it; empty: there was none."""


class AlreadyThere(Exception):
    """Another service has the id already."""


class Services:
    """All that it keeps, in the order in which it came."""

    def __init__(self, state: Journal, received: Journal, *, clock: Callable[[], int]) -> None:
        self._state = state
        self._received = received
        self._clock = clock
        self._kept: dict[str, dict[str, Resource]] = {SERVICE: {}, MONITOR: {}}
        self.carried: list[RateChange] = []
        """every rate that was set, in the order of time; the same rate once more is an entry, too."""

    def restore(self, entries: list[dict[str, object]]) -> None:
        """Take over what an earlier life has kept; of each thing the last state counts."""
        for entry in entries:
            kind, value = str(entry.get("kind")), entry.get("value")
            if kind in self._kept and isinstance(value, dict):
                self._kept[kind][value["id"]] = value
            if kind == "removed" and isinstance(value, dict):
                self._kept[SERVICE].pop(value["id"], None)
            if kind == "carried" and isinstance(value, dict):
                self.carried.append(RateChange(**value))

    def all(self, kind: str) -> list[Resource]:
        """Give all of a kind."""
        return list(self._kept[kind].values())

    def get(self, kind: str, known_as: str) -> Resource | None:
        """Give one, or None."""
        return self._kept[kind].get(known_as)

    def rate(self, service: str) -> int:
        """Give what the network carries for a service, in Mbit/s."""
        return int(_rate(self._kept[SERVICE][service]))

    def add(self, known_as: str, mbps: int, **more: Any) -> Resource:
        """Lay out a service, as its people do."""
        told = {
            "state": "active",
            "serviceSpecification": {"id": "line"},
            "serviceCharacteristic": [
                {"name": RATE, "valueType": "number", "value": mbps},
                {"name": "vlan", "value": 7},
            ],
        }
        return self.keep(SERVICE, {"id": known_as, "href": f"{BASE}/{SERVICE}/{known_as}", **told, **more})

    def new(self, body: object) -> Resource:
        """Give a service as it was asked for, or raise Malformed; nothing is kept. An id that is sent, and free, is its own."""
        told = check(published.ACTIVATION, body)
        rest = {name: value for name, value in told.items() if name not in _DECIDED_HERE}
        _rate(rest)
        wanted = told.get("id")
        known_as = wanted if isinstance(wanted, str) and wanted else f"SVC-{len(self._kept[SERVICE]) + 1:08d}"
        if known_as in self._kept[SERVICE]:
            raise AlreadyThere(known_as)
        return {"id": known_as, "href": f"{BASE}/{SERVICE}/{known_as}", **rest}

    def remove(self, known_as: str) -> None:
        """Take a service away: it is carried no more."""
        del self._kept[SERVICE][known_as]
        self._state.write({"kind": "removed", "value": {"id": known_as}})
        self._received.write({"kind": "removed", "time": write_time(self._clock()), "service": known_as})

    def patched(self, known_as: str, patch: object) -> Resource:
        """Give a service as a merge patch would have it, or raise Malformed; nothing is kept."""
        for name in patch if isinstance(patch, dict) else ():
            if name not in UPDATE:
                raise Malformed(f"{name} is none of what a change may have", field=name)
        after = check(published.ACTIVATION, merge_patch(self._kept[SERVICE][known_as], patch))
        _rate(after)
        return after

    def carry(self, service: Resource, key: str) -> Resource:
        """Let the network carry what a service says from now on."""
        entry = RateChange(service=service["id"], mbps=int(_rate(service)), at=self._clock(), key=key)
        self.carried.append(entry)
        said = {"service": entry.service, "mbps": entry.mbps, "at": entry.at, "key": entry.key}
        self._state.write({"kind": "carried", "value": said})
        self._received.write({"kind": "carried", "time": write_time(entry.at), **said})
        return self.keep(SERVICE, service)

    def watch(self, service: Resource, body: object, *, method: str = "PATCH") -> Resource:
        """Make a monitor of a change, or of a new service."""
        known_as = f"MON-{len(self._kept[MONITOR]) + 1:08d}"
        to = service["href"] if method == "PATCH" else f"{BASE}/{SERVICE}"
        request: Resource = {"method": method, "to": to, "header": [], "body": orjson.dumps(body).decode()}
        monitor = {"id": known_as, "href": f"{BASE}/{MONITOR}/{known_as}", "state": "InProgress", "request": request}
        return self.keep(MONITOR, {**monitor, "sourceHref": service["href"]})

    def end(self, monitor: str, state: str, status: int, body: Mapping[str, Any]) -> Resource:
        """Say how a change went."""
        response = {"statusCode": str(status), "header": [], "body": orjson.dumps(body).decode()}
        return self.keep(MONITOR, {**self._kept[MONITOR][monitor], "state": state, "response": response})

    def keep(self, kind: str, value: Resource) -> Resource:
        """Keep a thing as it is now."""
        self._kept[kind][value["id"]] = value
        self._state.write({"kind": kind, "value": value})
        return value


def with_rate(service: Resource, mbps: int) -> Resource:
    """Give a service with another rate."""
    changed = [{**each, "value": mbps} if each["name"] == RATE else each for each in service["serviceCharacteristic"]]
    return {**service, "serviceCharacteristic": changed}


def _rate(service: Mapping[str, Any]) -> float:
    """Read the rate of a service, or raise Malformed."""
    for each in service.get("serviceCharacteristic") or ():
        value = each.get("value")
        if each.get("name") == RATE and isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            return value
    raise Malformed(f"{RATE} is no number of Mbps", field="serviceCharacteristic")
