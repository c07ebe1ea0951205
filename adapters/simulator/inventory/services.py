"""What an inventory keeps of services: as TMF638 has them, each as it was told; a change is checked by the published Service_Update."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from adapters.errors import Malformed
from adapters.simulator.journal import Journal
from adapters.simulator.published import SERVICE, check
from adapters.tmf.tmf630 import merge_patch

Service: TypeAlias = dict[str, Any]

_PREFIX: Final = "S-"


class Services:
    """All services, in the order in which they came."""

    def __init__(self, *, path: str, kept: Journal) -> None:
        self._path = path
        self._kept = kept
        self._held: dict[str, Service] = {}

    def restore(self, entries: Iterable[Mapping[str, object]]) -> None:
        """Take over what an earlier life has kept; of each the last that was said."""
        for entry in entries:
            if isinstance(service := entry.get("service"), dict):
                self._held[str(service["id"])] = service

    def all(self) -> list[Service]:
        """Give every service."""
        return list(self._held.values())

    def get(self, service_id: str) -> Service | None:
        """Give one, or None."""
        return self._held.get(service_id)

    def create(self, body: object) -> Service:
        """Take a new service in, or raise Malformed: `state` and `serviceSpecification` are required (Service_Create)."""
        told = check(SERVICE, body)
        for name in ("state", "serviceSpecification"):
            if name not in told:
                raise Malformed(f"{name} is missing", field=name)
        return self.put({**told, "id": f"{_PREFIX}{len(self._held) + 1:08d}"})

    def put(self, service: Service) -> Service:
        """Keep a service as it is, under its own id."""
        kept = {**service, "href": f"{self._path}/{service['id']}"}
        self._held[str(service["id"])] = kept
        self._kept.write({"service": kept})
        return kept

    def change(self, service_id: str, patch: object) -> Service:
        """Apply a merge patch, or raise Malformed or KeyError."""
        check(SERVICE, patch)
        for name in patch if isinstance(patch, dict) else ():
            if name not in SERVICE.fields and not name.startswith("@"):
                raise Malformed(f"{name} is none of what a change may have", field=name)
        return self.put(check(SERVICE, merge_patch(self._held[service_id], patch)))
