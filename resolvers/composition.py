"""The areas' own SDL becomes the supergraph: `python -m resolvers.composition` writes supergraph.graphql.

It is a composer for our own areas, which agree with each other: where two say the same type, field or value, they must say it
alike, else composing fails and names it. Types, directives and keys are sorted, fields and values stand as their areas have them,
so the same areas always give the same text.

In: an area's name in the supergraph and its SDL (federation 2). Out: supergraph SDL (Apollo's join specification, version 0.5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    EnumTypeDefinitionNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    Node,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    print_ast,
)

from resolvers.bandwidth.schema import bandwidth_schema
from resolvers.billing.schema import billing_schema
from resolvers.knowledge.schema import knowledge_schema
from resolvers.ledger.schema import ledger_schema
from resolvers.performance.schema import performance_schema
from resolvers.supergraph import SUPERGRAPH
from resolvers.ticketing.schema import ticketing_schema

_HEAD: Final = """\
# The areas of this product as one supergraph: what each of them answers, and by what they meet.
# Written by `make schema` from the areas' own SDL: do not change it by hand.
"""
_LINKS: Final = (
    '@link(url: "https://specs.apollo.dev/link/v1.0")',
    '@link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)',
    '@link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@cost", "@listSize"])',
)
_ROOTS: Final = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}
_OF_FEDERATION: Final = frozenset({"_Any", "_Entity", "_Service", "_entities", "_service"})
"""types and root fields that only routers use."""
_TRANSLATED: Final = frozenset({"key", "external", "requires", "shareable"})
"""directives that the join directives stand for."""

_OF_GRAPHQL: Final = frozenset({"deprecated", "specifiedBy", "oneOf"})


class CompositionFailed(Exception):
    """Areas contradict each other, or one says what this composer does not know."""


def areas() -> dict[str, str]:
    """Give the SDL of each area by its name in the supergraph; the first that describes a thing is heard."""
    return {
        "KNOWLEDGE": knowledge_schema().sdl,
        "LEDGER": ledger_schema().as_str(),
        "TICKETING": ticketing_schema().as_str(),
        "BILLING": billing_schema().as_str(),
        "BANDWIDTH": bandwidth_schema().as_str(),
        "PERFORMANCE": performance_schema().as_str(),
    }


def compose(sdl: Mapping[str, str]) -> str:
    """Give the supergraph of areas, each by its name; CompositionFailed where two of them say a thing differently."""
    documents = {graph: parse(text, no_location=True).definitions for graph, text in sdl.items()}
    directives: dict[str, list[DirectiveDefinitionNode]] = {}
    types: dict[str, list[_Said]] = {}
    for graph, definitions in documents.items():
        for each in definitions:
            if isinstance(each, DirectiveDefinitionNode):
                directives.setdefault(each.name.value, []).append(each)
            elif isinstance(each, TypeDefinitionNode) and _is_own(each):
                types.setdefault(each.name.value, []).append(_Said(graph=graph, node=each))
    marks = frozenset(directives) | _OF_GRAPHQL
    parts = [
        _schema(types),
        _graphs(sdl),
        *(_alike(f"@{name}", directives[name]) for name in sorted(directives)),
        *(print_ast(_joined(types[name], marks)) for name in sorted(types)),
    ]
    return _HEAD + "\n" + "\n\n".join(parts) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What one area says of a type, a field or a value."""

    graph: str
    node: Any
    """a definition: graphql-core's nodes share no type that has a name and directives."""

    def given(self, directive: str) -> list[dict[str, Any]]:
        """Give the arguments of each directive of this name."""
        return [_arguments(each) for each in self.node.directives or () if each.name.value == directive]


# Types ---------------------------------------------------------------------------------------------------------------


def _is_own(node: TypeDefinitionNode) -> bool:
    """Whether a type is the area's, and not only what routers use."""
    fields = getattr(node, "fields", None) or ()
    return node.name.value not in _OF_FEDERATION and not (fields and all(_is_of_federation(each) for each in fields))


def _is_of_federation(field: Any) -> bool:
    return field.name.value in _OF_FEDERATION


def _joined(said: Sequence[_Said], marks: frozenset[str]) -> TypeDefinitionNode:
    """Make one definition of what areas say of a type."""
    first = said[0].node
    name: str = first.name.value
    if {each.node.kind for each in said} != {first.kind}:
        raise CompositionFailed(f"{name} is of different kinds: {', '.join(each.graph for each in said)}")
    head: dict[str, Any] = {"name": first.name, "description": _description(said)}
    joins = list(_joins(said))
    match first:
        case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
            interfaces = _by_name(said, "interfaces")
            joins += _named(interfaces, "join__implements", "interface")
            own = tuple(each[0].node for each in interfaces.values())
            return type(first)(
                **head, interfaces=own, directives=_directives(joins, said, marks), fields=_fields(said, marks)
            )
        case InputObjectTypeDefinitionNode():
            return InputObjectTypeDefinitionNode(
                **head, directives=_directives(joins, said, marks), fields=_fields(said, marks)
            )
        case EnumTypeDefinitionNode():
            return EnumTypeDefinitionNode(
                **head, directives=_directives(joins, said, marks), values=_values(said, marks)
            )
        case UnionTypeDefinitionNode():
            members = _by_name(said, "types")
            joins += _named(members, "join__unionMember", "member")
            own = tuple(each[0].node for each in members.values())
            return UnionTypeDefinitionNode(**head, directives=_directives(joins, said, marks), types=own)
        case ScalarTypeDefinitionNode():
            return ScalarTypeDefinitionNode(**head, directives=_directives(joins, said, marks))
        case _:
            raise CompositionFailed(f"{name} is of a kind that areas do not have: {first.kind}")


def _joins(said: Sequence[_Said]) -> Iterator[str]:
    """Give a `@join__type` for each key of each area, or one without a key."""
    for each in said:
        for key in sorted(each.given("key"), key=lambda given: str(given["fields"])) or [{}]:
            fields = f', key: "{key["fields"]}"' if key else ""
            resolvable = ", resolvable: false" if key.get("resolvable") is False else ""
            yield f"@join__type(graph: {each.graph}{fields}{resolvable})"


def _by_name(said: Sequence[_Said], attribute: str) -> dict[str, list[_Said]]:
    """Give what areas say of the parts of a type, by the part's name, in the order in which they are first said."""
    found: dict[str, list[_Said]] = {}
    for each in said:
        for part in getattr(each.node, attribute) or ():
            if part.name.value not in _OF_FEDERATION:
                found.setdefault(part.name.value, []).append(_Said(graph=each.graph, node=part))
    return found


def _named(parts: Mapping[str, Sequence[_Said]], directive: str, argument: str) -> Iterator[str]:
    for name, said in parts.items():
        for each in said:
            yield f'@{directive}(graph: {each.graph}, {argument}: "{name}")'


# Fields and values ---------------------------------------------------------------------------------------------------


def _fields(said: Sequence[_Said], marks: frozenset[str]) -> tuple[Any, ...]:
    owner = said[0].node.name.value
    return tuple(_field(f"{owner}.{name}", each, len(said), marks) for name, each in _by_name(said, "fields").items())


def _field(name: str, said: Sequence[_Said], areas: int, marks: frozenset[str]) -> Any:
    """Make one field of what areas say of it; `areas` is how many have its type."""
    resolving = [each for each in said if not each.given("external")]
    if not resolving:
        raise CompositionFailed(f"{name} is external in every area that has it")
    first = resolving[0].node
    _alike(name, [_bare(each.node) for each in said if isinstance(each.node, InputValueDefinitionNode)])
    _alike(name, [_bare(each.node) for each in resolving])
    directives = _directives(list(_field_joins(said, areas)), resolving, marks)
    head = {"name": first.name, "description": _description(resolving), "type": first.type, "directives": directives}
    if isinstance(first, InputValueDefinitionNode):
        return InputValueDefinitionNode(**head, default_value=first.default_value)
    return FieldDefinitionNode(**head, arguments=first.arguments)


def _field_joins(said: Sequence[_Said], areas: int) -> Iterator[str]:
    """Give a `@join__field` for each area that has the field; none where all that have the type resolve it without more."""
    special = [each for each in said if each.given("external") or each.given("requires")]
    if len(said) == areas and not special:
        return
    for each in said:
        requires = "".join(f', requires: "{given["fields"]}"' for given in each.given("requires"))
        external = ", external: true" if each.given("external") else ""
        yield f"@join__field(graph: {each.graph}{requires}{external})"


def _values(said: Sequence[_Said], marks: frozenset[str]) -> tuple[EnumValueDefinitionNode, ...]:
    _alike(said[0].node.name.value, [" ".join(one.name.value for one in each.node.values) for each in said])
    return tuple(
        EnumValueDefinitionNode(
            name=each[0].node.name,
            description=_description(each),
            directives=_directives([f"@join__enumValue(graph: {one.graph})" for one in each], each, marks),
        )
        for each in _by_name(said, "values").values()
    )


# What all of them have -----------------------------------------------------------------------------------------------


def _directives(joins: Sequence[str], said: Sequence[_Said], marks: frozenset[str]) -> tuple[ConstDirectiveNode, ...]:
    """Give the join directives, then what areas mark a thing with, each mark once."""
    marked: dict[str, None] = {}
    for each in said:
        for one in each.node.directives or ():
            if one.name.value in _TRANSLATED:
                continue
            if one.name.value not in marks:
                raise CompositionFailed(
                    f"{each.graph} marks {each.node.name.value} with {print_ast(one)}: unknown here"
                )
            marked[print_ast(one)] = None
    return tuple(_directive(each) for each in (*joins, *marked))


def _directive(text: str) -> ConstDirectiveNode:
    (definition,) = parse(f"scalar X {text}", no_location=True).definitions
    assert isinstance(definition, ScalarTypeDefinitionNode)
    (directive,) = definition.directives or ()
    return directive


def _arguments(directive: ConstDirectiveNode) -> dict[str, Any]:
    return {each.name.value: getattr(each.value, "value", None) for each in directive.arguments or ()}


def _description(said: Sequence[_Said]) -> Any:
    return next((each.node.description for each in said if each.node.description), None)


def _bare(node: Any) -> str:
    """Print a field without what areas may say differently: descriptions and directives."""
    given = ", ".join(_bare(each) for each in getattr(node, "arguments", None) or ())
    default = getattr(node, "default_value", None)
    return f"{node.name.value}({given}): {print_ast(node.type)}{f' = {print_ast(default)}' if default else ''}"


def _alike(name: str, said: Sequence[Node | str]) -> str:
    """Give what all say; CompositionFailed where they differ."""
    texts = dict.fromkeys(each if isinstance(each, str) else print_ast(each) for each in said)
    if len(texts) > 1:
        raise CompositionFailed(f"{name} differs: {' | '.join(texts)}")
    return next(iter(texts), "")


def _schema(types: Mapping[str, object]) -> str:
    roots = [f"  {operation}: {name}" for operation, name in _ROOTS.items() if name in types]
    return "\n".join(["schema", *(f"  {each}" for each in _LINKS), "{", *roots, "}"])


def _graphs(names: Mapping[str, object]) -> str:
    values = [f'  {each} @join__graph(name: "{each.lower()}", url: "")' for each in names]
    return "\n".join(["enum join__Graph {", *values, "}"])


if __name__ == "__main__":
    SUPERGRAPH.write_text(compose(areas()), encoding="utf-8")
