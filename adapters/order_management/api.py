"""TMF622 orders products and TMF641 services, and otherwise they are one API with two sets of names: here are the names.

Swaggers: TMF622 v4.0.0 and TMF641 v4.1.0. They differ in what an item is about, and in how items refer to each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from graph.changes.orders.requests import Kind
from graph.ledger import hubs

_FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "customer": "relatedParty",
        "externalId": "externalId",
        "requestedStartAt": "requestedStartDate",
        "requestedCompletionAt": "requestedCompletionDate",
        "expectedCompletionAt": "expectedCompletionDate",
        "orderId": "state",
        "reason": "cancellationReason",
    }
)
"""Argument of a change -> the attribute that it is read from, where both have another name for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One of the two."""

    kind: Kind
    base: str
    topic: str
    """what its hubs are kept under."""

    @property
    def type(self) -> str:
        """What an order is called: ProductOrder."""
        return f"{self.kind.capitalize()}Order"

    @property
    def order(self) -> str:
        """The member and the path of an order: productOrder."""
        return f"{self.kind}Order"

    @property
    def item(self) -> str:
        """The member that holds items: productOrderItem."""
        return f"{self.kind}OrderItem"

    @property
    def relationship(self) -> str:
        """The member of an item that says what it has to do with others."""
        return f"{self.item}Relationship"

    @property
    def cancel(self) -> str:
        """The member and the path of a request to cancel: cancelProductOrder."""
        return f"cancel{self.type}"

    @property
    def place(self) -> str:
        """Where orders are."""
        return f"{self.base}/{self.order}"

    @property
    def cancel_place(self) -> str:
        """Where requests to cancel are."""
        return f"{self.base}/{self.cancel}"

    def words(self) -> Mapping[str, str]:
        """Give its event for each kind of event of an order."""
        cancel = f"{self.cancel[0].upper()}{self.cancel[1:]}"
        return MappingProxyType(
            {
                "OrderPlaced": f"{self.type}CreateEvent",
                "OrderChanged": f"{self.type}AttributeValueChangeEvent",
                "OrderStateChanged": f"{self.type}StateChangeEvent",
                "OrderCancellationRequested": f"{cancel}CreateEvent",
                "OrderCancellationDecided": f"{cancel}StateChangeEvent",
            }
        )

    def field(self, path: Sequence[object]) -> str:
        """Give the attribute that an argument of a change was read from.

        >>> PRODUCTS.field(("items", "2", "serviceId")), SERVICES.field(("customer", "id"))
        ('productOrderItem[2].product', 'relatedParty.id')
        """
        first, *rest = [str(each) for each in path] or [""]
        if first != "items":
            return ".".join([_FIELDS.get(first, first), *rest])
        number, inner = f"[{rest[0]}]" if rest else "", [self._inner(each) for each in rest[1:]]
        return ".".join([f"{self.item}{number}", *inner])

    def _inner(self, name: str) -> str:
        match name:
            case "serviceId" | "product":
                return self.kind
            case "offering":
                return f"{self.kind}.{'productOffering' if self.kind == 'product' else 'serviceSpecification'}"
            case "relationships":
                return self.relationship
            case _:
                return name


PRODUCTS: Final = Api(kind="product", base="/tmf-api/productOrderingManagement/v4", topic=hubs.PRODUCT_ORDER)
SERVICES: Final = Api(kind="service", base="/tmf-api/serviceOrdering/v4", topic=hubs.SERVICE_ORDER)
APIS: Final = (PRODUCTS, SERVICES)
