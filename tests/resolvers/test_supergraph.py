"""supergraph.graphql is composed of what the areas say: it is current, says all of it, and a contradiction is named."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from graphql import DirectiveDefinitionNode, SchemaDefinitionNode, TypeDefinitionNode, parse
from graphql.language import print_ast

from gateway.federation.supergraph_sdl import read_supergraph
from resolvers.composition import CompositionFailed, areas, compose
from resolvers.supergraph import SUPERGRAPH

AREAS = areas()
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
    return {line for each in types_of(sdl) for line in of_supergraph(each, graph)}


@lru_cache(2)
def types_of(sdl: str) -> list[TypeDefinitionNode]:
    found = parse(sdl, no_location=True).definitions
    return [each for each in found if isinstance(each, TypeDefinitionNode) and "__" not in each.name.value]


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
    return sorted(print_ast(each) for each in node.directives or () if each.name.value in MARKS)


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


def test_the_committed_supergraph_is_current() -> None:
    assert compose(AREAS) == SUPER, "run `make schema`"


def test_areas_make_one_text_in_whatever_order_their_types_stand() -> None:
    turned = {
        graph: "\n".join(print_ast(each) for each in reversed(parse(sdl, no_location=True).definitions))
        for graph, sdl in AREAS.items()
    }
    assert compose(turned) == SUPER


@pytest.mark.parametrize("graph", AREAS)
def test_the_supergraph_says_of_each_area_what_the_area_says(graph: str) -> None:
    assert said_by_supergraph(SUPER, graph) ^ said_by_area(AREAS[graph]) == set()


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
        "BANDWIDTH": "bandwidth",
        "PERFORMANCE": "performance",
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


SHOP = """
directive @cost(weight: Int!) on FIELD_DEFINITION
type Query { things: [Thing!]! @cost(weight: 3) }
type Thing @key(fields: "id") @key(fields: "code") { id: ID! code: String! kind: Kind }
enum Kind { SMALL LARGE }
"""


@pytest.mark.parametrize(
    ("other", "says"),
    [
        pytest.param("enum Kind { SMALL }", "Kind differs", id="other values"),
        pytest.param("type Kind { id: ID! }", "Kind is of different kinds: SHOP, STOCK", id="another kind"),
        pytest.param(
            "type Thing { code: ID! }", "Thing.code differs: code(): String! | code(): ID!", id="another type"
        ),
        pytest.param(
            "type Thing { code(of: Int): String! }",
            "Thing.code differs: code(): String! | code(of(): Int)",
            id="arguments",
        ),
        pytest.param("type Box { of: ID! @external }", "Box.of is external in every area", id="nobody resolves it"),
        pytest.param(
            'type Box { of: ID! @provides(fields: "a") }', "STOCK marks of with @provides", id="an unknown directive"
        ),
        pytest.param(
            "directive @cost(weight: Int) on FIELD_DEFINITION", "@cost differs", id="a directive of other arguments"
        ),
    ],
)
def test_areas_that_contradict_each_other_are_refused(other: str, says: str) -> None:
    with pytest.raises(CompositionFailed) as refused:
        compose({"SHOP": SHOP, "STOCK": other})
    assert says in str(refused.value)


def test_keys_requirements_and_shared_fields_become_join_directives() -> None:
    stock = """
    type Query { stock: Int! }
    type Thing @key(fields: "id", resolvable: false) { id: ID! code: String! @external left: Int @requires(fields: "code") }
    enum Kind { SMALL LARGE }
    """
    made = compose({"SHOP": SHOP, "STOCK": stock})
    assert made[made.index("enum Kind") :] == (
        "enum Kind @join__type(graph: SHOP) @join__type(graph: STOCK) {\n"
        "  SMALL @join__enumValue(graph: SHOP) @join__enumValue(graph: STOCK)\n"
        "  LARGE @join__enumValue(graph: SHOP) @join__enumValue(graph: STOCK)\n"
        "}\n\n"
        "type Query @join__type(graph: SHOP) @join__type(graph: STOCK) {\n"
        "  things: [Thing!]! @join__field(graph: SHOP) @cost(weight: 3)\n"
        "  stock: Int! @join__field(graph: STOCK)\n"
        "}\n\n"
        'type Thing @join__type(graph: SHOP, key: "code") @join__type(graph: SHOP, key: "id")'
        ' @join__type(graph: STOCK, key: "id", resolvable: false) {\n'
        "  id: ID!\n"
        "  code: String! @join__field(graph: SHOP) @join__field(graph: STOCK, external: true)\n"
        "  kind: Kind @join__field(graph: SHOP)\n"
        '  left: Int @join__field(graph: STOCK, requires: "code")\n'
        "}\n"
    )
