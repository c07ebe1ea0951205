"""The stand-in, and every dialect that speaks to it; how a test looks at what the stand-in keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.inventory import Inventory, mtosi_resource, tmf639_resource
from adapters.inventory.outbound.mtosi import Mtosi
from adapters.inventory.outbound.tmf639 import Tmf639
from adapters.simulator.inventory.inventory import InventorySystem, serving
from adapters.transport.transport import System, opened
from graph.model.resource import Resource

DIALECTS = ("tmf639", "mtosi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An inventory, and one dialect to tell it by."""

    dialect: str
    system: InventorySystem
    inventory: Inventory

    def kept(self) -> list[Resource]:
        """What the stand-in has, read as anybody reads it."""
        if self.dialect == "tmf639":
            return [tmf639_resource.read(each) for each in self.system.resources.all()]
        found = [each for kind in ("me", "eq", "ptp", "tl") for each in self.system.resources.elements(kind)]
        read = [mtosi_resource.read(each if each.tag in mtosi_resource.TAGS else each[0]) for each in found]
        return [each for each in read if each is not None]

    def named(self, name: str) -> Resource:
        return next(each for each in self.kept() if each.name == name)

    def put(self, resource: Resource, **beside: Any) -> None:
        """Put into the stand-in what it knew before anybody told it."""
        if self.dialect == "tmf639":
            self.system.resources.put({**tmf639_resource.write(resource), "id": resource.name, **beside})
        else:
            self.system.resources.merge(mtosi_resource.write(resource))


@asynccontextmanager
async def telling(dialect: str, journal: Path | None = None, state: Path | None = None) -> AsyncIterator[Told]:
    async with serving(journal=journal, state=state) as system:
        address = system.address if dialect == "tmf639" else system.mtosi
        async with opened(System(name="inventory", address=address, failures=100)) as transport:
            inventory: Inventory = Tmf639(transport) if dialect == "tmf639" else Mtosi(transport)
            yield Told(dialect=dialect, system=system, inventory=inventory)
