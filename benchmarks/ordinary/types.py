"""The types that the cases ask for, spelled as in our schema: plain Strawberry, a resolver per field that is no property."""

from __future__ import annotations

from typing import Any, Self

import strawberry
from strawberry.types import Info

from benchmarks.ordinary.arguments import ServiceFilter, ServiceOrder, order, where
from benchmarks.ordinary.impact import Hit, counted, hits
from benchmarks.ordinary.loaders import Context, Properties, may_see, rows
from graph.model.scope import Role
from resolvers.knowledge.words import Effect, End, ServiceState, Severity, Tier

Asked = Info[Context, None]


@strawberry.type
class NetworkElement:
    """A managed device."""

    id: strawberry.ID
    name: str
    vendor: str

    @classmethod
    def of(cls, properties: Properties) -> Self:
        """Make one of a node's properties."""
        return cls(id=properties["id"], name=properties["name"], vendor=properties["vendor"])


@strawberry.type
class Card:
    """A plug-in unit."""

    id: strawberry.ID
    name: str
    model: str

    @classmethod
    def of(cls, properties: Properties) -> Self:
        """Make one of a node's properties."""
        return cls(id=properties["id"], name=properties["name"], model=properties["model"])

    @strawberry.field
    async def network_element(self, info: Asked) -> NetworkElement | None:
        """Load what holds the card."""
        found = await info.context["loaders"].element_of_card.load(self.id)
        return NetworkElement.of(found) if found else None


@strawberry.type
class Port:
    """Where a customer is connected."""

    id: strawberry.ID
    name: str
    speed_mbps: int

    @classmethod
    def of(cls, properties: Properties) -> Self:
        """Make one of a node's properties."""
        return cls(id=properties["id"], name=properties["name"], speed_mbps=properties["speedMbps"])

    @strawberry.field
    async def card(self, info: Asked) -> Card | None:
        """Load what has the port."""
        found = await info.context["loaders"].card_of_port.load(self.id)
        return Card.of(found) if found else None


@strawberry.type
class AccessPoint:
    """One end of a service."""

    end: End
    port_id: strawberry.Private[str]

    @strawberry.field
    async def port(self, info: Asked) -> Port:
        """Load the port."""
        found = await info.context["loaders"].port.load(self.port_id)
        assert found is not None
        return Port.of(found)


@strawberry.type
class Sla:
    """What was promised."""

    id: strawberry.ID
    name: str
    tier: Tier
    availability_percent: float

    @classmethod
    def of(cls, properties: Properties) -> Self:
        """Make one of a node's properties."""
        tier, availability = Tier(properties["tier"]), properties["availabilityPercent"]
        return cls(id=properties["id"], name=properties["name"], tier=tier, availability_percent=availability)


@strawberry.type
class Service:
    """What is delivered."""

    id: strawberry.ID
    name: str
    kind: str
    state: ServiceState
    committed_mbps: int
    effective_mbps: int
    max_mbps: int
    effect: Effect | None

    @classmethod
    def of(cls, properties: Properties) -> Self:
        """Make one of a node's properties."""
        effect = properties.get("effect")
        return cls(
            id=properties["id"],
            name=properties["name"],
            kind=properties["kind"],
            state=ServiceState(properties["state"]),
            committed_mbps=properties["committedMbps"],
            effective_mbps=properties["effectiveMbps"],
            max_mbps=properties["maxMbps"],
            effect=Effect(effect) if effect else None,
        )

    @strawberry.field
    async def customer(self, info: Asked) -> Customer | None:
        """Load who buys it."""
        found = await info.context["loaders"].customer_of_service.load(self.id)
        return Customer.of(found) if found else None

    @strawberry.field
    async def sla(self, info: Asked) -> Sla | None:
        """Load what was promised."""
        found = await info.context["loaders"].sla_of_service.load(self.id)
        return Sla.of(found) if found else None

    @strawberry.field
    async def access_points(self, info: Asked) -> list[AccessPoint]:
        """Load where it is handed over."""
        found = await info.context["loaders"].ends_of_service.load(self.id)
        return [AccessPoint(end=End(end), port_id=port) for end, port in found]


@strawberry.type
class ServiceConnection:
    """A page of services."""

    nodes: list[Service]


@strawberry.type
class Customer:
    """Who buys."""

    id: strawberry.ID
    name: str
    segment: str
    status: str

    @classmethod
    def of(cls, properties: Properties) -> Self:
        """Make one of a node's properties."""
        return cls(**{name: properties[name] for name in ("id", "name", "segment", "status")})

    @strawberry.field
    async def services(
        self,
        info: Asked,
        filter: ServiceFilter | None = None,  # noqa: A002  # the schema's word
        order_by: list[ServiceOrder] | None = None,
        first: int = 50,
    ) -> ServiceConnection:
        """Ask for a page of what it buys."""
        return await _services(info, [self.id], filter, order_by, first)


@strawberry.type
class ImpactCount:
    """How many services suffer in one way."""

    severity: Severity | None
    effect: Effect
    services: int


@strawberry.type
class ImpactedService:
    """A service that suffers."""

    effect: Effect
    severity: Severity | None
    service_id: strawberry.Private[str]

    @classmethod
    def of(cls, hit: Hit) -> Self:
        """Make one of a row."""
        return cls(effect=Effect(hit.effect), severity=_severity(hit.severity), service_id=hit.service)

    @strawberry.field
    async def service(self, info: Asked) -> Service:
        """Load the service."""
        found = await info.context["loaders"].service.load(self.service_id)
        assert found is not None
        return Service.of(found)


@strawberry.type
class Impact:
    """Who suffers."""

    total_services: int
    total_customers: int
    counts: list[ImpactCount]
    found: strawberry.Private[list[Hit]]

    @strawberry.field
    def services(self, first: int = 50) -> list[ImpactedService]:
        """Give the worst."""
        return [ImpactedService.of(each) for each in self.found[:first]]


def _severity(word: str | None) -> Severity | None:
    return Severity(word) if word else None


async def _services(
    info: Asked,
    customers: list[str] | None,
    chosen: ServiceFilter | None,
    order_by: list[ServiceOrder] | None,
    first: int,
) -> ServiceConnection:
    parameters: dict[str, object] = {"first": first}
    if customers is None:
        start = f"MATCH (s:Service) WHERE {where(chosen, parameters)}"
    else:
        parameters["customers"] = customers
        start = "MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s:Service) WHERE c.id IN $customers"
        start = f"{start} AND {where(chosen, parameters)}"
    found = await rows(
        info.context["store"], f"{start} RETURN properties(s) ORDER BY {order(order_by)} LIMIT $first", parameters
    )
    return ServiceConnection(nodes=[Service.of(each) for (each,) in found])


@strawberry.type
class Query:
    """Where one may begin."""

    @strawberry.field
    async def service(self, info: Asked, id: strawberry.ID) -> Service | None:  # noqa: A002  # the schema's word
        """Load a service, if the caller may see it."""
        loaders = info.context["loaders"]
        owner = await loaders.customer_of_service.load(id)
        if owner is None or not may_see(info.context["principal"], owner["id"]):
            return None
        found = await loaders.service.load(id)
        return Service.of(found) if found else None

    @strawberry.field
    async def customer(self, info: Asked, id: strawberry.ID) -> Customer | None:  # noqa: A002  # the schema's word
        """Ask for a customer, if the caller may see it."""
        if not may_see(info.context["principal"], id):
            return None
        text = "MATCH (c:Customer {id: $id}) RETURN properties(c)"
        found: list[list[Any]] = await rows(info.context["store"], text, {"id": id})
        return Customer.of(found[0][0]) if found else None

    @strawberry.field
    async def services(
        self,
        info: Asked,
        filter: ServiceFilter | None = None,  # noqa: A002  # the schema's word
        order_by: list[ServiceOrder] | None = None,
        first: int = 50,
    ) -> ServiceConnection:
        """Ask for a page of what the caller may see."""
        principal = info.context["principal"]
        customers = list(principal.customers) if principal.effective is Role.CUSTOMER else None
        return await _services(info, customers, filter, order_by, first)

    @strawberry.field
    async def impact(self, info: Asked, of: list[strawberry.ID]) -> Impact:
        """Find out who suffers if cards fail."""
        principal = info.context["principal"]
        found = [each for each in await hits(info.context["store"], list(of)) if may_see(principal, each.customer)]
        counts = [
            ImpactCount(severity=_severity(severity), effect=Effect(effect), services=number)
            for severity, effect, number in counted(found)
        ]
        customers = len({each.customer for each in found})
        return Impact(total_services=len(found), total_customers=customers, counts=counts, found=found)
