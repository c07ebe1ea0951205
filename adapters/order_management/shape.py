"""What a body of TMF622 and TMF641 may hold: all faults are told at once, each by the name of its field.

An order is shown as it came, so that what the published definitions say of its members is checked where it comes in: ProductOrder_Create
of TMF622 v4.0.0 and ServiceOrder_Create of TMF641 v4.1.0. What they do not know is an extension, and is kept too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from adapters.endpoint.errors import MalformedBody
from adapters.order_management.api import Api
from adapters.tmf.shape import Anything, Fault, Flag, Many, Shape, Text, Thing, Time, Whole, Word, faults
from graph.changes.orders.requests import LONGEST_DESCRIPTION
from graph.changes.orders.states import ITEM_STATES
from graph.model.bounds import INTEGERS
from graph.model.kinds import LONGEST
from graph.model.vocabulary import ORDER_ACTIONS, ORDER_STATES, SERVICE_STATES

MOST_NOTES: Final = 100
DEEPEST: Final = 4
"""levels of items within items."""
_TEXT: Final = Text()
_NAME: Final = Text(least=1, most=LONGEST)
_LINE: Final = Text(most=LONGEST)
_LONG: Final = Text(most=LONGEST_DESCRIPTION)


def _thing(*required: str, **fields: Shape) -> Thing:
    said: dict[str, Shape] = {"@type": _TEXT, "@baseType": _TEXT, "@schemaLocation": _TEXT, "@referredType": _TEXT}
    return Thing(fields=MappingProxyType({**said, **fields}), required=required)


_REFERENCE: Final[Mapping[str, Shape]] = MappingProxyType({"id": _NAME, "href": _TEXT, "name": _LINE, "role": _LINE})
_REF: Final = _thing("id", **_REFERENCE)
_REFS: Final = Many(of=_REF)
_THINGS: Final = Many(of=_thing())
_PARTIES: Final = Many(of=_thing("id", "@referredType", segment=_LINE, **_REFERENCE))
_NOTES: Final = Many(of=_thing("text", id=_TEXT, author=_TEXT, date=Time(), text=_LONG), most=MOST_NOTES)
_PLACES: Final = Many(of=_thing("role", **_REFERENCE))
_CHARACTERISTIC: Final = _thing("name", "value", id=_TEXT, name=_TEXT, valueType=_TEXT, value=Anything())
_CHARACTERISTICS: Final = Many(of=_CHARACTERISTIC)
_STATES_OF_PRODUCTS: Final = (
    "created",
    "pendingActive",
    "cancelled",
    "active",
    "pendingTerminate",
    "terminated",
    "suspended",
    "aborted ",
)
"""ProductStatusType, spelled as it is published."""
_PRODUCT: Final = _thing(
    description=_TEXT,
    isBundle=Flag(),
    isCustomerVisible=Flag(),
    orderDate=Time(),
    productSerialNumber=_TEXT,
    startDate=Time(),
    terminationDate=Time(),
    agreement=_REFS,
    billingAccount=_REF,
    place=_PLACES,
    product=_THINGS,
    productCharacteristic=_CHARACTERISTICS,
    productOffering=_REF,
    productOrderItem=_THINGS,
    productPrice=Many(of=_thing("price", "priceType")),
    productRelationship=Many(of=_thing("product", "relationshipType")),
    productSpecification=_REF,
    productTerm=_THINGS,
    realizingResource=_REFS,
    realizingService=_REFS,
    relatedParty=_PARTIES,
    status=Word(words=_STATES_OF_PRODUCTS),
    **_REFERENCE,
)
_SERVICE: Final = _thing(
    category=_TEXT,
    description=_TEXT,
    endDate=Time(),
    hasStarted=Flag(),
    isBundle=Flag(),
    isServiceEnabled=Flag(),
    isStateful=Flag(),
    serviceDate=_TEXT,
    serviceType=_TEXT,
    startDate=Time(),
    startMode=_TEXT,
    feature=Many(of=_thing("featureCharacteristic", "name", name=_TEXT, featureCharacteristic=_CHARACTERISTICS)),
    note=_NOTES,
    place=_PLACES,
    relatedEntity=Many(of=_thing("role", **_REFERENCE)),
    relatedParty=_PARTIES,
    serviceCharacteristic=_CHARACTERISTICS,
    serviceOrderItem=_THINGS,
    serviceRelationship=Many(of=_thing("relationshipType")),
    serviceSpecification=_REF,
    state=Word(words=SERVICE_STATES),
    supportingResource=_REFS,
    supportingService=_THINGS,
    **_REFERENCE,
)
_OF_PRODUCTS: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "agreement": _REFS,
        "billingAccount": _REF,
        "channel": _REFS,
        "orderTotalPrice": _THINGS,
        "payment": _REFS,
        "productOfferingQualification": _REFS,
        "quote": _REFS,
    }
)
"""What product orders have beside what all orders have,"""
_OF_SERVICES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "errorMessage": _THINGS,
        "externalReference": Many(of=_thing("name", externalReferenceType=_TEXT, **_REFERENCE)),
        "jeopardyAlert": _THINGS,
        "milestone": _THINGS,
        "orderRelationship": Many(of=_thing("id", "relationshipType", relationshipType=_TEXT, **_REFERENCE)),
        "startDate": Time(),
    }
)
"""and service orders."""
_ITEMS_OF_PRODUCTS: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "billingAccount": _REF,
        "itemPrice": _THINGS,
        "itemTerm": _THINGS,
        "itemTotalPrice": _THINGS,
        "payment": _REFS,
        "product": _PRODUCT,
        "productOffering": _REF,
        "productOfferingQualificationItem": _thing("id", "productOfferingQualificationId"),
        "productOrderItemRelationship": Many(of=_thing("id", id=_NAME, relationshipType=_LINE)),
        "qualification": _REFS,
        "quoteItem": _thing("id", "quoteId"),
    }
)
_ITEMS_OF_SERVICES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "service": _SERVICE,
        "serviceOrderItemRelationship": Many(
            of=_thing("orderItem", orderItem=_thing(id=_NAME, itemId=_NAME), relationshipType=_LINE)
        ),
    }
)
_ORDER: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "cancellationDate": Time(),
        "cancellationReason": _LONG,
        "category": _LINE,
        "completionDate": Time(),
        "description": _LONG,
        "expectedCompletionDate": Time(),
        "externalId": _NAME,
        "note": _NOTES,
        "notificationContact": _TEXT,
        "priority": _LINE,
        "relatedParty": _PARTIES,
        "requestedCompletionDate": Time(),
        "requestedStartDate": Time(),
    }
)


def _item_of(api: Api, levels: int = DEEPEST) -> Thing:
    """Give the shape of an item, with those within it."""
    own = _ITEMS_OF_PRODUCTS if api.kind == "product" else _ITEMS_OF_SERVICES
    inner = _item_of(api, levels - 1) if levels else _thing()
    return _thing(
        *(("id", "action") if api.kind == "product" else ("id", "action", "service")),
        **own,
        **{api.item: Many(of=inner)},
        id=_NAME,
        action=Word(words=ORDER_ACTIONS),
        appointment=_REF,
        quantity=Whole(most=INTEGERS[-1]),
        state=Word(words=ITEM_STATES),
    )


def create_of(api: Api) -> Thing:
    """Give the shape of a new order."""
    own = _OF_PRODUCTS if api.kind == "product" else _OF_SERVICES
    return _thing(api.item, **_ORDER, **own, **{api.item: Many(of=_item_of(api), least=1)})


def update_of(api: Api) -> Thing:
    """Give the shape of a merge patch; of items ids and states are looked at, and whether all else is as it was."""
    item = _thing("id", id=_NAME, state=Word(words=ITEM_STATES))
    own = _OF_PRODUCTS if api.kind == "product" else _OF_SERVICES
    return _thing(**_ORDER, **own, **{api.item: Many(of=item, least=1)}, state=Word(words=ORDER_STATES))


def cancel_of(api: Api) -> Thing:
    """Give the shape of a request to cancel."""
    return _thing(api.order, **{api.order: _REF}, cancellationReason=_LONG, requestedCancellationDate=Time())


def checked(shape: Thing, body: object) -> Mapping[str, Any]:
    """Give a body that has its shape; raises MalformedBody."""
    found = faults(shape, body)
    if found or not isinstance(body, dict):
        raise MalformedBody(found or [Fault(path="", problem="is not an object")])
    return body
