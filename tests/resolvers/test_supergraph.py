"""supergraph.graphql is written by hand, so whatever an area says otherwise must be named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import DirectiveDefinitionNode, SchemaDefinitionNode, TypeDefinitionNode, parse
from graphql.language import print_ast

from gateway.federation.supergraph_sdl import read_supergraph
from resolvers.billing.schema import billing_schema
from resolvers.knowledge.schema import knowledge_schema
from resolvers.ledger.schema import ledger_schema
from resolvers.supergraph import SUPERGRAPH
from resolvers.ticketing.schema import ticketing_schema

AREAS = {
    "KNOWLEDGE": knowledge_schema().sdl,
    "LEDGER": ledger_schema().as_str(),
    "TICKETING": ticketing_schema().as_str(),
    "BILLING": billing_schema().as_str(),
}
OF_FEDERATION = {"_Any", "_Entity", "_Service", "_entities", "_service"}
MARKS = {"operatorOnly", "allowedRoles", "listSize", "cost"}
SUPER = SUPERGRAPH.read_text(encoding="utf-8")


def said_by_area(sdl: str) -> set[str]:
    """All that an area says, a line for each thing."""
    return {
        line
        for each in parse(sdl, no_location=True).definitions
        if isinstance(each, TypeDefinitionNode) and each.name.value not in OF_FEDERATION
        for line in of_area(each)
    }


def of_area(each: Any) -> Iterator[str]:
    fields = [one for one in getattr(each, "fields", None) or () if one.name.value not in OF_FEDERATION]
    if getattr(each, "fields", None) and not fields:
        return  # a root type of which nothing is the area's own
    name = each.name.value
    yield f"{name}: {each.kind}"
    yield from (f"{name} key {one['fields']}" for one in arguments(each, "key"))
    yield from (f"{name} implements {one.name.value}" for one in getattr(each, "interfaces", None) or ())
    yield from (f"{name} has {one.name.value}" for one in getattr(each, "types", None) or ())
    yield from (f"{name}.{one.name.value} {marks(one)}" for one in getattr(each, "values", None) or ())
    for one in fields:
        external = bool(arguments(one, "external"))
        requires = [given["fields"] for given in arguments(one, "requires")]
        yield line(name, one, external=external, requires=requires)


def said_by_supergraph(sdl: str, graph: str) -> set[str]:
    """The same of one area, as the supergraph has it."""
    return {
        line
        for each in parse(sdl, no_location=True).definitions
        if isinstance(each, TypeDefinitionNode) and "__" not in each.name.value
        for line in of_supergraph(each, graph)
    }


def of_supergraph(each: Any, graph: str) -> Iterator[str]:
    joined = [one for one in arguments(each, "join__type") if one["graph"] == graph]
    if not joined:
        return
    name = each.name.value
    yield f"{name}: {each.kind}"
    yield from (f"{name} key {one['key']}" for one in joined if "key" in one)
    told = {"join__implements": ("implements", "interface"), "join__unionMember": ("has", "member")}
    for directive, (verb, what) in told.items():
        yield from (f"{name} {verb} {one[what]}" for one in arguments(each, directive) if one["graph"] == graph)
    for value in getattr(each, "values", None) or ():
        if any(one["graph"] == graph for one in arguments(value, "join__enumValue")):
            yield f"{name}.{value.name.value} {marks(value)}"
    for field in getattr(each, "fields", None) or ():
        yield from of_field(name, field, graph)


def of_field(owner: str, field: Any, graph: str) -> Iterator[str]:
    for one in arguments(field, "join__field") or [{"graph": graph}]:
        if one["graph"] == graph:
            requires = [one["requires"]] if "requires" in one else []
            yield line(owner, field, external="external" in one, requires=requires)


def line(owner: str, field: Any, *, external: bool, requires: list[str]) -> str:
    given = ", ".join(print_ast(each) for each in getattr(field, "arguments", None) or ())
    default = getattr(field, "default_value", None)
    return (
        f"{owner}.{field.name.value}({given}): {print_ast(field.type)}{f' = {print_ast(default)}' if default else ''} "
        # What only stands for a key or a requirement bears no marks of its own: its owner's count.
        f"{'external' if external else marks(field)} requires {requires}"
    )


def marks(node: Any) -> list[str]:
    # How long a list is says the supergraph alone where an area's library cannot.
    return sorted(print_ast(each) for each in node.directives or () if each.name.value in MARKS - {"listSize"})


def sizes(sdl: str) -> dict[str, list[str]]:
    return {
        f"{each.name.value}.{field.name.value}": [
            print_ast(one) for one in field.directives or () if one.name.value == "listSize"
        ]
        for each in parse(sdl, no_location=True).definitions
        for field in getattr(each, "fields", None) or ()
        if isinstance(each, TypeDefinitionNode)
    }


def arguments(node: Any, name: str) -> list[dict[str, Any]]:
    return [
        {one.name.value: getattr(one.value, "value", None) for one in each.arguments or ()}
        for each in node.directives or ()
        if each.name.value == name
    ]


def descriptions(sdl: str) -> dict[str, str]:
    found = {}
    for each in parse(sdl, no_location=True).definitions:
        if isinstance(each, SchemaDefinitionNode) or not getattr(each, "name", None):
            continue
        name = f"@{each.name.value}" if isinstance(each, DirectiveDefinitionNode) else each.name.value  # type: ignore[attr-defined]  # it has a name
        parts = [*(getattr(each, "fields", None) or ()), *(getattr(each, "values", None) or ())]
        for coordinate, node in [(name, each), *((f"{name}.{one.name.value}", one) for one in parts)]:
            text = getattr(node, "description", None)
            found[coordinate] = text.value if text else ""
    return found


@pytest.mark.parametrize("graph", AREAS)
def test_the_supergraph_says_of_each_area_what_the_area_says(graph: str) -> None:
    assert said_by_supergraph(SUPER, graph) ^ said_by_area(AREAS[graph]) == set()


def test_lists_are_as_long_as_the_graph_says() -> None:
    here = sizes(SUPER)
    assert {name: here[name] for name, each in sizes(AREAS["KNOWLEDGE"]).items() if each} == {
        name: each for name, each in sizes(AREAS["KNOWLEDGE"]).items() if each
    }


def test_it_is_described_in_the_words_of_an_area() -> None:
    areas = [descriptions(each) for each in AREAS.values()]
    own = {name: text for name, text in descriptions(SUPER).items() if "__" not in name}
    assert [name for name, text in own.items() if text not in [each[name] for each in areas if name in each]] == []


def test_it_is_a_supergraph() -> None:
    found = read_supergraph(SUPER)
    assert {str(graph): each.name for graph, each in found.endpoints.items()} == {
        "KNOWLEDGE": "knowledge",
        "LEDGER": "ledger",
        "TICKETING": "ticketing",
        "BILLING": "billing",
    }


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        pytest.param(
            "  status: TicketStatus! @join__field(graph: KNOWLEDGE)\n", "", "Ticket.status(", id="a field is missing"
        ),
        pytest.param('requires: "system externalId', 'requires: "system', "Ticket.notes(", id="a requirement differs"),
        pytest.param("external: true) @operatorOnly", "external: true)", "Ticket.orderKey(", id="a mark is missing"),
        pytest.param('@join__type(graph: TICKETING, key: "id")', "", "Ticket key id", id="a key is missing"),
        pytest.param(
            "  HELD @join__enumValue(graph: KNOWLEDGE)", "  HELD", "TicketStatus.HELD", id="a word is missing"
        ),
        pytest.param(
            '@join__implements(graph: KNOWLEDGE, interface: "Node")',
            "",
            "implements Node",
            id="an interface is missing",
        ),
    ],
)
def test_what_differs_is_named(before: str, after: str, named: str) -> None:
    assert before in SUPER
    broken = SUPER.replace(before, after)
    differing = {line for graph, sdl in AREAS.items() for line in said_by_supergraph(broken, graph) ^ said_by_area(sdl)}
    assert any(named in each for each in differing), differing
