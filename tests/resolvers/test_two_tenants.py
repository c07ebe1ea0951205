"""What a customer is told does not depend on others: byte for byte the same with and without them in the graph.

The questions are derived from the schema (every_path.py, every_argument.py). Each kind of field is broken on purpose
once, and these same comparisons must notice.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, get_args

import orjson
import pytest
from graphql import FieldNode, GraphQLObjectType, TypeInfo, TypeInfoVisitor, Visitor, parse, visit

from graph.changes.policy import AlarmPolicy
from graph.compiler.cursor import CursorKey
from graph.membership import build, build_missing
from graph.model.mapping import (
    EndOf,
    FieldMapping,
    Fixed,
    Grouped,
    Happening,
    ImpactList,
    KeptNode,
    KeptNodes,
    KeptRows,
    OfCaller,
    PathNodes,
    Stored,
)
from graph.model.model import LABELS, RELATIONSHIPS, Kind, Property, label_of
from graph.model.scope import CLAIMABLE
from graph.store.store import Product, Store
from resolvers.context import Asked
from resolvers.knowledge.schema import knowledge_schema
from tests.graph.changes.locks import recorded
from tests.resolvers.breakages import BREAKAGES, Breakage
from tests.resolvers.caller import CUSTOMER_A, KEY, ROUTER_FOR_A, SECONDS, Caller, Counting, caller, operation
from tests.resolvers.every_argument import Variations
from tests.resolvers.every_path import Question, paths
from tests.resolvers.meaning import Graph, slice_of
from tests.resolvers.tenants import A, B, tenants
from tests.resolvers.world import load
from tests.selection import is_full, sample

pytestmark = [
    pytest.mark.long(90),
    pytest.mark.timeout(3600),  # in a full run, Neo4j plans each of a thousand texts, some of which are long
]
T = TypeVar("T")

KNOWN = knowledge_schema()
WHOLE = tenants()
ALONE = tenants(with_others=False)
OTHERS = frozenset(WHOLE.nodes) - frozenset(ALONE.nodes)
SEEN = slice_of(Graph(world=WHOLE), [A])

_ALARM = "id affects { totalCount nodes { effect service { id } } } tickets { nodes { id } } causes { nodes { id } }"
_TICKET = (
    "id status description customer { id } services { totalCount nodes { id } } alarms { totalCount nodes { id } }"
)
_ORDER = (
    "id state customer { id } items { totalCount nodes { id relatesTo { totalCount } } } cancellations { totalCount }"
)
_PAYLOADS = {
    "acknowledgeAlarm": ("alarm", "Alarm", _ALARM),
    "clearAlarm": ("alarm", "Alarm", _ALARM),
    "replayDelivery": ("delivery", "Delivery", "id"),
    "settleInventoryDifference": ("difference", "InventoryDifference", "id"),
    "addExternalName": ("externalName", "ExternalName", "id system name"),
    "reportProblem": ("ticket", "Ticket", _TICKET),
    "commentTicket": ("ticket", "Ticket", _TICKET),
    "reopenTicket": ("ticket", "Ticket", _TICKET),
    "closeTicket": ("ticket", "Ticket", _TICKET),
    "placeOrder": ("order", "Order", _ORDER),
    "changeOrder": ("order", "Order", _ORDER),
    "advanceOrder": ("order", "Order", _ORDER),
    "cancelOrder": ("order", "Order", _ORDER),
    "mergeCustomers": ("customer", "Customer", "id name services { totalCount }"),
    "undoMergeCustomers": ("customer", "Customer", "id name services { totalCount }"),
    "declineCustomerMatch": ("match", "CustomerMatch", "id"),
}
"""Mutation -> the field of its payload, the label of what is in it, what is asked of that."""
_SECOND = {
    "cancelOrder": ("cancellation", "OrderCancellation", "id state order { id }"),
    "mergeCustomers": ("stub", "Customer", "id name services { totalCount }"),
    "undoMergeCustomers": ("stub", "Customer", "id name services { totalCount }"),
}
"""The same of a payload with two."""


def _questions() -> list[Question]:
    ways = paths(KNOWN, WHOLE)
    changes = (
        Question(about="Changed", text=_mutation(name, of), variables={"id": each})
        for of in (_PAYLOADS, _SECOND)
        for name, (_, label, _) in of.items()
        for each in WHOLE.ids(label)
    )
    return [*ways.questions(), *Variations(paths=ways, key=CursorKey(KEY), seen=SEEN).questions(), *changes]


def _mutation(name: str, of: Mapping[str, tuple[str, str, str]]) -> str:
    field, _, asked = of[name]
    if name == "addExternalName":
        return f'mutation($id: ID!) {{ {name}(objectId: $id, system: "s", name: "n", idempotencyKey: "k") {{ {field} {{ {asked} }} }} }}'
    if name == "reportProblem":
        return f'mutation($id: ID!) {{ {name}(serviceId: $id, description: "d", idempotencyKey: "k") {{ {field} {{ {asked} }} }} }}'
    if name == "placeOrder":
        return f'mutation($id: String!) {{ {name}(items: {{ id: $id }}, idempotencyKey: "k") {{ {field} {{ {asked} }} }} }}'
    if name == "mergeCustomers":
        return f'mutation($id: ID!) {{ {name}(from: $id, into: "customer-another", idempotencyKey: "k") {{ {field} {{ {asked} }} }} }}'
    more = {
        "settleInventoryDifference": ", side: GRAPH",
        "commentTicket": ', comment: "c"',
        "advanceOrder": ", state: HELD",
    }.get(name, "")
    thing = _PAYLOADS[name][0]
    return f'mutation($id: ID!) {{ {name}({thing}Id: $id{more}, idempotencyKey: "k") {{ {field} {{ {asked} }} }} }}'


ALL = tuple(_questions())
ABOUT = tuple(dict.fromkeys(each.about for each in ALL))


def spread(questions: Sequence[T], most: int) -> Sequence[T]:
    """About so many of them, evenly from all over."""
    return questions[:: max(1, len(questions) // most)]


def some(breakage: Breakage) -> Sequence[Question]:
    """Enough questions to notice a breakage."""
    of_kind = [each for each in ALL if each.about == breakage.about and _may_be_answered(each)]
    return spread(of_kind, 24 if is_full() else 6)


def _may_be_answered(question: Question) -> bool:
    """Whether it is not refused whatever the graph holds: only places and equipment fail."""
    if question.about != "ImpactField":
        return True
    labels = [label_of(str(each)) for each in question.variables["of"]]
    return all(each is not None and each.name in ("Site", *RELATIONSHIPS["RAISED_ON"].ends) for each in labels)


def asked_about(about: str) -> Sequence[Question]:
    """All questions of a kind in a full run; else some that are always the same, and some by chance, by their texts."""
    of_kind = [each for each in ALL if each.about == about]
    texts = list(dict.fromkeys(each.text for each in of_kind))
    chosen = {*spread(texts, 2), *sample(texts, 1, about=about)}  # a text that is new to the database takes longest
    return of_kind if is_full() else spread([each for each in of_kind if each.text in chosen], 10)


QUESTIONS = tuple(question for about in ABOUT for question in asked_about(about))


async def told(asking: Caller, question: Question) -> bytes:
    """The bytes that customer A is answered."""
    if question.about == "Changed":
        return await _payload(asking, question)
    principal = ROUTER_FOR_A if question.about == "Entities" else CUSTOMER_A
    return orjson.dumps(await asking.response(question.text, question.variables, principal))


async def _payload(asking: Caller, question: Question) -> bytes:
    """The payload of a change that returned this id, whoever may make it: the caller's scope is in it all the same."""
    subgraph = asking.subgraph
    deadline = time.monotonic() + SECONDS
    asked = Asked(store=subgraph._store, principal=CUSTOMER_A, deadline=deadline, policy=AlarmPolicy())
    name = next(each for each in _PAYLOADS if f" {each}(" in question.text)
    field = _SECOND[name][0] if name in _SECOND and f"{{ {_SECOND[name][0]} {{" in question.text else _PAYLOADS[name][0]
    asked.outcomes[name] = {field: str(question.variables["id"])}
    made = operation(asking.schema, question.text)
    payloads = subgraph._payloads(made, question.variables, CUSTOMER_A)
    answer = await subgraph._filled({name: {field: None}}, payloads, made, question.variables, asked)
    assert "errors" not in answer, answer
    return orjson.dumps(answer)


STORED = "of a stored slice"


@pytest.fixture(scope="module")
async def answers(store: Store) -> dict[tuple[bool, str], list[bytes]]:
    """What A is told with and without others in the graph: by the compiler as it is, and by each broken one.

    By the compiler as it is, once of slices that are walked (""), and once of those that are stored (STORED). What is broken
    is the compiler's, and that it is noticed is shown on one database: the other would plan for minutes.
    """
    found: dict[tuple[bool, str], list[bytes]] = {}
    breakages = BREAKAGES if store.product is Product.ARCADEDB else ()
    compiler, broken = caller(store), {each.name: caller(store) for each in breakages}
    for seed, world in enumerate((WHOLE, ALONE)):
        await load(store, world, seed=seed)
        for stored in (False, True):
            if stored:
                await build_missing(store, many=0, deadline=time.monotonic() + SECONDS)
            found[world is WHOLE, STORED if stored else ""] = [await told(compiler, each) for each in QUESTIONS]
            for each in breakages:
                if each.stored is stored:
                    with each.made():
                        found[world is WHOLE, each.name] = [await told(broken[each.name], one) for one in some(each)]
    return found


@pytest.mark.parametrize("about", ABOUT)
@pytest.mark.parametrize("kept", ["", STORED], ids=["walked", "stored"])
def test_a_customer_is_told_the_same_with_and_without_others(
    answers: dict[tuple[bool, str], list[bytes]], kept: str, about: str
) -> None:
    told_apart = [
        (str(question), with_others, without)
        for question, with_others, without in zip(QUESTIONS, answers[True, kept], answers[False, kept], strict=True)
        if question.about == about and with_others != without
    ]
    assert not told_apart, told_apart[0]


def test_a_customer_is_told_the_same_whether_its_slice_is_stored_or_walked(
    answers: dict[tuple[bool, str], list[bytes]],
) -> None:
    rows = zip(QUESTIONS, answers[True, ""], answers[True, STORED], strict=True)
    assert not [(str(question), walked, stored) for question, walked, stored in rows if walked != stored]


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda each: each.name)
def test_a_broken_predicate_is_noticed(answers: dict[tuple[bool, str], list[bytes]], breakage: Breakage) -> None:
    if (True, breakage.name) not in answers:
        pytest.skip("shown on the embedded database")
    assert answers[True, breakage.name] != answers[False, breakage.name]


def test_the_questions_are_answered(answers: dict[tuple[bool, str], list[bytes]]) -> None:
    """What is refused, or always null, would be equal for the wrong reason."""
    refused = {q.about for q, each in zip(QUESTIONS, answers[True, ""], strict=True) if b'"errors"' in each}
    assert refused == {"PathField", "ImpactField"}, "an impact of what A does not see"
    impacts = [each for q, each in zip(QUESTIONS, answers[True, ""], strict=True) if q.about == "ImpactField"]
    assert any(b'"totalServices":0' not in each for each in impacts if b'"errors"' not in each)
    for about in set(ABOUT) - {"PathField"}:
        of_kind = {each for q, each in zip(QUESTIONS, answers[True, ""], strict=True) if q.about == about}
        assert len(of_kind) > 1 or about == "other", about


def test_every_kind_of_field_that_reaches_nodes_is_broken_once() -> None:
    reach_none = {Stored, OfCaller, Fixed, Grouped, EndOf, ImpactList, PathNodes}
    reach_none |= {
        Happening,
        KeptRows,
        KeptNode,
        KeptNodes,
    }  # of subscriptions alone: test_subscribing.py has two tenants
    assert {each.kind for each in BREAKAGES} == set(get_args(FieldMapping)) - reach_none


def test_every_field_is_asked_for() -> None:
    asked: set[tuple[str, str]] = set()
    info = TypeInfo(KNOWN.graphql)

    class Seen(Visitor):
        def enter_field(self, node: FieldNode, *_more: object) -> None:
            parent = info.get_parent_type()
            assert parent
            asked.add((parent.name, node.name.value))

    for text in {each.text for each in ALL}:
        visit(parse(text), TypeInfoVisitor(info, Seen()))
    types = [each for each in KNOWN.graphql.type_map.values() if isinstance(each, GraphQLObjectType)]
    fields = {(each.name, name) for each in types if not each.name.startswith("__") for name in each.fields}
    events = {
        "Subscription",
        "Alert",
        "AlertService",
        "ServiceEvent",
        "BoostEvent",
        "TopologyChange",
        "DeliveryEvent",
        "OrderEvent",
    }
    events |= {"ServiceEventService", "ServiceEventTicket"}
    others = {
        "Mutation",
        "_Service",
        "UserError",
        "MovedCounts",
        *events,
    }  # what is told of events is in test_subscribing.py
    missing = {each for each in fields - asked if each[0] not in others}
    payloads = {f"{name[0].upper()}{name[1:]}Payload" for name in (*_PAYLOADS, "removeExternalName")}
    counted = {("MergeCustomersPayload", "moved"), ("UndoMergeCustomersPayload", "moved")}
    assert missing == {("Query", "_service"), *counted, *((each, "userErrors") for each in payloads)}


# One answer for what is not there and for what is not one's own -----------------------------------------------------


@pytest.mark.parametrize("stored", [False, True], ids=["walked", "stored"])
async def test_unknown_and_forbidden_are_one_answer_by_one_statement(store: Store, *, stored: bool) -> None:
    await load(store, WHOLE)
    if stored:
        await build(store, A, deadline=time.monotonic() + SECONDS)
    for label in (name for name, each in LABELS.items() if not each.internal):
        forbidden = next(each for each in WHOLE.ids(label) if each not in SEEN)
        first, second = [await _told_of(store, label, each) for each in (forbidden, f"{label.lower()}-zip")]
        assert first == second, label
        assert first[0] == {"data": {"node": None}}, label


async def _told_of(store: Store, label: str, node_id: str) -> tuple[dict[str, Any], str]:
    """What A is told of a node, and by which statement."""
    counting = Counting(store)
    text = f"query($id: ID!) {{ node(id: $id) {{ __typename ... on {label} {{ id }} }} }}"
    answer = await caller(counting).response(text, {"id": node_id}, CUSTOMER_A)
    (statement,) = counting.texts
    return answer, statement


MINE = replace(CUSTOMER_A, changes=CLAIMABLE)


async def _changed(
    store: Store, monkeypatch: pytest.MonkeyPatch, ways: str, thing: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """What A is answered who asks for a change of a thing, and the statements that were run for it."""
    asking = caller(store)
    with recorded(monkeypatch) as seen:
        made = await asking.response(f"mutation($id: ID!) {{ {ways} }}", {"id": thing}, MINE)
    return [made], [text for each in seen.runs.values() for text, _ in each]


@pytest.mark.parametrize(
    ("ways", "label"),
    [
        (
            'a: reportProblem(serviceId: $id, description: "d", idempotencyKey: "KEY") { ticket { id } userErrors { code message } }',
            "Service",
        ),
        (
            'a: commentTicket(ticketId: $id, comment: "c", idempotencyKey: "KEY") { ticket { id } userErrors { code message } }',
            "Ticket",
        ),
        (
            'a: reopenTicket(ticketId: $id, idempotencyKey: "KEY") { ticket { id } userErrors { code message } }',
            "Ticket",
        ),
        (
            'a: closeTicket(ticketId: $id, idempotencyKey: "KEY") { ticket { id } userErrors { code message } }',
            "Ticket",
        ),
        (
            'a: changeOrder(orderId: $id, priority: "2", idempotencyKey: "KEY") { order { id } userErrors { code message } }',
            "Order",
        ),
        (
            'a: cancelOrder(orderId: $id, idempotencyKey: "KEY") { order { id } userErrors { code message } }',
            "Order",
        ),
    ],
    ids=["report", "comment", "reopen", "close", "change order", "cancel order"],
)
async def test_a_change_of_what_is_anothers_is_one_of_what_is_not_there(
    store: Store, monkeypatch: pytest.MonkeyPatch, ways: str, label: str
) -> None:
    await load(store, WHOLE)
    forbidden = next(each for each in WHOLE.ids(label) if each not in SEEN)
    made = [
        await _changed(store, monkeypatch, ways.replace("KEY", str(number)), each)
        for number, each in enumerate((forbidden, f"{label.lower()}-zip"))
    ]
    assert made[0] == made[1], "the same answer by the same statements"
    assert made[0][0][0]["data"]["a"]["userErrors"][0]["code"] == f"{label.upper()}_NOT_FOUND"


# The fixture --------------------------------------------------------------------------------------------------------


def test_the_tenants_have_every_label_and_relationship() -> None:
    assert {each.label for each in WHOLE.nodes.values()} == {k for k, each in LABELS.items() if not each.internal}
    assert {each.type for each in WHOLE.edges} == set(RELATIONSHIPS)
    ends = {(e.type, WHOLE.nodes[e.start].label, WHOLE.nodes[e.end].label) for e in WHOLE.edges}
    assert ends == {(each.type, s, e) for each in RELATIONSHIPS.values() for s in each.starts for e in each.ends}


_STORED_AS = {Kind.INTEGER: int, Kind.LARGE: int, Kind.TIME: int, Kind.BOOLEAN: bool}


def test_the_tenants_are_what_the_model_says() -> None:
    for node in WHOLE.nodes.values():
        known = {each.name: each for each in LABELS[node.label].properties if not each.internal}
        assert set(node.values) == set(known), node.id
        for name, value in node.values.items():
            _agrees(known[name], value, node.id)
    for edge in WHOLE.edges:
        for each in RELATIONSHIPS[edge.type].properties:
            _agrees(each, edge.values.get(each.name), f"{edge.type} of {edge.start}")


def _agrees(known: Property, value: Any, where: str) -> None:
    assert value is not None or not known.required, f"{known.name} of {where}"
    assert value is None or not known.words or value in known.words, f"{known.name} of {where}"
    wanted = (int, float) if known.kind is Kind.FLOAT else _STORED_AS.get(known.kind, str)
    assert value is None or isinstance(value, wanted), f"{known.name} of {where}"


def test_no_node_has_two_of_what_the_model_says_is_one() -> None:
    for edge_type, known in RELATIONSHIPS.items():
        edges = [each for each in WHOLE.edges if each.type == edge_type]
        assert not known.one_end or _once([each.start for each in edges]), edge_type
        assert not known.one_start or _once([each.end for each in edges]), edge_type


def _once(items: Sequence[str]) -> bool:
    return len(items) == len(set(items))


def test_the_two_share_what_customers_of_one_network_share() -> None:
    shared = SEEN & slice_of(Graph(world=WHOLE), [B])
    labels = {WHOLE.nodes[each].label for each in shared}
    assert labels >= {"Site", "NetworkElement", "Card", "Port", "Trunk", "Alarm", "Sla", "Event"}
    assert frozenset(ALONE.nodes) >= SEEN, "something of A's is missing in the graph without others"
