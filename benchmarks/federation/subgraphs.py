"""Subgraphs that cost nothing, so that what is measured is the gateway: they answer repeated requests from memory.

A process of its own: four subgraphs behind one address, with the shape of the graphql-gateways-benchmark (users, products,
what is in stock, reviews) and data of our own of the same sizes. A request is executed by graphql-core the first time that
its bytes come; from then on its answer is looked up. It ends with its standard input.

    python -m benchmarks.federation.subgraphs PORT
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from typing import Any, Final

import orjson
import uvicorn
from graphql import GraphQLSchema, build_schema, execute_sync, parse
from starlette.types import Receive, Scope, Send

SUPERGRAPH: Final = """\
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
{ query: Query }

directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(
  graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean,
  override: String, usedOverridden: Boolean
) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(
  graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true,
  isInterfaceObject: Boolean! = false
) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }

enum join__Graph {
  ACCOUNTS @join__graph(name: "accounts", url: "{base}/accounts")
  INVENTORY @join__graph(name: "inventory", url: "{base}/inventory")
  PRODUCTS @join__graph(name: "products", url: "{base}/products")
  REVIEWS @join__graph(name: "reviews", url: "{base}/reviews")
}

type Query
  @join__type(graph: ACCOUNTS) @join__type(graph: INVENTORY) @join__type(graph: PRODUCTS) @join__type(graph: REVIEWS)
{
  users: [User] @join__field(graph: ACCOUNTS)
  topProducts(first: Int = 5): [Product] @join__field(graph: PRODUCTS)
}

type User @join__type(graph: ACCOUNTS, key: "id") @join__type(graph: REVIEWS, key: "id") {
  id: ID!
  name: String @join__field(graph: ACCOUNTS)
  username: String @join__field(graph: ACCOUNTS) @join__field(graph: REVIEWS, external: true)
  reviews: [Review] @join__field(graph: REVIEWS)
}

type Product
  @join__type(graph: INVENTORY, key: "upc") @join__type(graph: PRODUCTS, key: "upc") @join__type(graph: REVIEWS, key: "upc")
{
  upc: String!
  weight: Int @join__field(graph: INVENTORY, external: true) @join__field(graph: PRODUCTS)
  price: Int @join__field(graph: INVENTORY, external: true) @join__field(graph: PRODUCTS)
  inStock: Boolean @join__field(graph: INVENTORY)
  shippingEstimate: Int @join__field(graph: INVENTORY, requires: "price weight")
  name: String @join__field(graph: PRODUCTS)
  reviews: [Review] @join__field(graph: REVIEWS)
}

type Review @join__type(graph: REVIEWS, key: "id") {
  id: ID!
  body: String
  product: Product
  author: User @join__field(graph: REVIEWS, provides: "username")
}
"""

QUERY: Final = """\
query Benchmark {
  users { ...User reviews { ...Review product { ...Product
    reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } } } } }
  topProducts { ...Product reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } } }
}
fragment User on User { id username name }
fragment Review on Review { id body }
fragment Product on Product { inStock name price shippingEstimate upc weight }
"""

KEPT_SECONDS: Final = 3_600
"""for connections that idle while other gateways take their turn; one cut under its gateway's hands is an error there."""
ENTITIES: Final = " scalar _Any extend type Query { _entities(representations: [_Any!]!): [_Entity]! } union _Entity = "
TEXTS: Final[Mapping[str, str]] = {
    "accounts": "type Query { users: [User] } type User { id: ID! name: String username: String }" + ENTITIES + "User",
    "inventory": "type Query type Product { upc: String! weight: Int price: Int inStock: Boolean shippingEstimate: Int }"
    + ENTITIES
    + "Product",
    "products": "type Query { topProducts(first: Int = 5): [Product] }"
    "type Product { upc: String! name: String price: Int weight: Int }" + ENTITIES + "Product",
    "reviews": "type Query type Review { id: ID! body: String product: Product author: User }"
    "type User { id: ID! username: String reviews: [Review] } type Product { upc: String! reviews: [Review] }"
    + ENTITIES
    + "Review | User | Product",
}
SCHEMAS: Final[Mapping[str, GraphQLSchema]] = {
    name: build_schema(text, assume_valid=True) for name, text in TEXTS.items()
}
LENGTHS: Final = (447, 291, 274, 143, 447, 291, 274, 143, 143, 143, 822)
"""of the reviews' texts,"""
REVIEWED: Final = ("1", "1", "1", "1", "2", "2", "2", "2", "3", "4", "4")
"""and their products."""


def _user(key: str) -> dict[str, Any]:
    return {"__typename": "User", "id": key, "name": f"Name of {key}", "username": f"user-{key}", "reviews": _all[:2]}


def _product(sent: Mapping[str, Any]) -> dict[str, Any]:
    upc = str(sent["upc"])
    price, weight = sent.get("price", int(upc) * 400 - 1), sent.get("weight", int(upc) * 100)
    return {
        "__typename": "Product",
        "upc": upc,
        "name": f"Product {upc}",
        "price": price,
        "weight": weight,
        "inStock": int(upc) % 2 == 0,
        "shippingEstimate": 0 if price > 1_000 else weight // 2,
        "reviews": lambda *_: [each for each, of in zip(_all, REVIEWED, strict=True) if of == upc],
    }


def _review(index: int) -> dict[str, Any]:
    text = f"What is said of a product, and said once more at some length, number {index}. " * 20
    return {
        "__typename": "Review",
        "id": str(index + 1),
        "body": text[: LENGTHS[index]],
        "product": lambda *_: _product({"upc": REVIEWED[index]}),
        "author": lambda *_: {"__typename": "User", "id": "1", "username": "user-1", "reviews": _all[:2]},
    }


_all: Final = [_review(index) for index in range(len(LENGTHS))]


def _entity(sent: Mapping[str, Any]) -> dict[str, Any]:
    match sent["__typename"]:
        case "User":
            return _user(str(sent["id"]))
        case "Product":
            return _product(sent)
        case _:
            return _all[int(sent["id"]) - 1]


ROOT: Final = {
    "users": lambda *_: [_user(str(each)) for each in range(1, 7)],
    "topProducts": lambda *_, first: [_product({"upc": str(each)}) for each in range(1, first + 1)],
    "_entities": lambda *_, representations: [_entity(each) for each in representations],
}


def executed(name: str, body: bytes) -> bytes:
    """Execute a request."""
    given = orjson.loads(body)
    result = execute_sync(
        SCHEMAS[name], parse(given["query"]), root_value=ROOT, variable_values=given.get("variables") or {}
    )
    errors = [{"message": each.message} for each in result.errors or ()]
    return orjson.dumps({"data": result.data, **({"errors": errors} if errors else {})})


class Subgraphs:
    """The ASGI application."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], bytes] = {}
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; /readyz says how many requests there have been."""
        assert scope["type"] == "http"
        name = scope["path"].strip("/")
        if name in SCHEMAS:
            body = b""
            more = True
            while more:
                message = await receive()
                body += message.get("body", b"")
                more = message.get("more_body", False)
            self.requests += 1
            answer = self._known.get((name, body))
            if answer is None:
                answer = self._known[name, body] = executed(name, body)
        else:
            answer = orjson.dumps({"requests": self.requests})
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def main() -> None:
    """Serve until standard input ends."""
    config = uvicorn.Config(
        Subgraphs(),
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
        lifespan="off",
        loop="uvloop",
        timeout_keep_alive=KEPT_SECONDS,
    )
    server = uvicorn.Server(config)

    def ending() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=ending, daemon=True).start()
    server.run()


if __name__ == "__main__":
    main()
