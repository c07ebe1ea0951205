"""Order management: TMF622 product orders and TMF641 service orders, version 4, as others call them on us.

In: an order, a change of one, a request to cancel one, a registration at the hub. Out: the order as it is here, and its events to whoever
has registered. What happens in between is `graph/changes/orders/`, which GraphQL reaches too; here it is only said in the words of both APIs.

Files, in the order in which a request meets them:

    inbound.py  the endpoints of both APIs
    api.py      what is different between the two: the names
    shape.py    what a body may hold
    decode.py   a body becomes an order
    changes.py  and is placed, changed, moved, cancelled; what that says becomes an answer
    reads.py    what is asked of the graph, in the caller's scope
    encode.py   an order as the API shows it
    hub.py      who is told of what

Invariants
1. Both APIs are one code: what one can do, the other can.
2. An order is shown to whoever has placed it as it came, with what has become of it; to its customer as far as it is in its slice.
3. An order of another customer, of another system, or of the other API is one that is not there.

Example: `POST /tmf-api/productOrderingManagement/v4/productOrder` with one item by `system:order-management` answers 201 with the order, which is
`acknowledged`; when an operator moves it, `{callback}/listener/productOrderStateChangeEvent` hears of it.
"""
