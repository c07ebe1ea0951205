"""A supergraph tells clients' business and the gateway's in one text; clients must see theirs alone.

What is for the gateway (what linked specifications define, the directives that only planning reads) and whatever is marked
`@inaccessible` is taken out; what remains is the schema that documents are validated against and introspection shows.
Prices, list lengths and who may ask stay, under their usual names: the gates of the pipeline read them. Directives for
operations stay too: subgraphs understand them. Which directive is which is known by its link (links.py).

`@inaccessible` without a link hides as well: to ignore it would show what must not be shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    FieldDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    NameNode,
    Node,
    NullValueNode,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    StringValueNode,
    TypeDefinitionNode,
    build_ast_schema,
    parse,
    specified_directives,
    validate_schema,
)
from graphql.language import print_ast
from graphql.validation.validate import validate_sdl

from gateway.federation.links import APOLLO, COST, FEDERATION, INACCESSIBLE, JOIN, Element, Links

HIDING: Final = frozenset(Element(spec, "@inaccessible") for spec in (INACCESSIBLE, FEDERATION, ""))
KEPT: Final = {
    **{Element(spec, f"@{name}"): name for spec in (COST, FEDERATION) for name in ("cost", "listSize")},
    **{
        Element("", f"@{name}"): name for name in ("deprecated", "specifiedBy", "oneOf", "operatorOnly", "allowedRoles")
    },
}
"""The directives that stay on definitions, and their usual names; `operatorOnly` and `allowedRoles` are this product's."""
ABSENT: Final = NullValueNode()
READ: Final[Mapping[str, Mapping[str, Any]]] = {
    "cost": {"weight": IntValueNode},
    "listSize": {"assumedSize": IntValueNode | NullValueNode, "slicingArguments": ListValueNode | NullValueNode},
    "allowedRoles": {
        "roles": ListValueNode,
        "byClaim": ListValueNode | NullValueNode,
        "claim": StringValueNode | NullValueNode,
    },
}
"""The arguments of marks that the gates read, and what they are."""
EXECUTABLE: Final = frozenset(
    [
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
    ]
)
"""Where a directive stands that clients write (GraphQL 3.13, ExecutableDirectiveLocation)."""
UNSEEN: Final = frozenset({*(each.name for each in specified_directives), "defer", "stream"})
"""Directives of operations that are no subgraph's: GraphQL's own, and those that deliver an answer in parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPart:
    """What clients see."""

    sdl: str
    schema: GraphQLSchema | None
    """None only where there are faults."""
    faults: tuple[tuple[int, str], ...]
    """line and sentence of what makes it no schema."""

    def with_directive(self, type_: str, directive: str) -> str:
        """Give the SDL with a directive on every field of a type that has none of that name."""
        marked = parse(f"type T {{ f: Int {directive} }}", no_location=True).definitions[0]
        added = marked.fields[0].directives  # type: ignore[attr-defined]  # it is the type in the text above
        definitions = [
            replace(each, fields=tuple(_with(field, added) for field in each.fields or ()))
            if isinstance(each, ObjectTypeDefinitionNode) and each.name.value == type_
            else each
            for each in parse(self.sdl, no_location=True).definitions
        ]
        return print_ast(DocumentNode(definitions=tuple(definitions)))


def _with(field: FieldDefinitionNode, added: Any) -> FieldDefinitionNode:
    if any(each.name.value == added[0].name.value for each in field.directives or ()):
        return field
    return replace(field, directives=(*(field.directives or ()), *added))


def public_part(document: DocumentNode, links: Links) -> PublicPart:
    """Take from a supergraph what clients see."""
    cleaning = _Cleaning(document, links)
    named = [cleaning.cleaned(each) for each in document.definitions if cleaning.is_public(each)]
    prices = [each for each in document.definitions if cleaning.is_price(each)]
    errors: Iterable[GraphQLError] = (*validate_sdl(DocumentNode(definitions=(*named, *prices))), *cleaning.misshapen())
    public = DocumentNode(definitions=tuple(cleaning.renamed(each) for each in named))
    schema = None
    if not errors:
        schema = build_ast_schema(public, assume_valid_sdl=True)
        errors = validate_schema(schema)
    faults = tuple((each.locations[0].line if each.locations else 1, each.message) for each in errors)
    return PublicPart(sdl=print_ast(public), schema=None if faults else schema, faults=faults)


def is_machinery(node: TypeDefinitionNode, links: Links) -> bool:
    """Tell whether a type is a linked specification's own, and none that a subgraph has."""
    joined = any(links.directive(each.name.value) == Element(JOIN, "@type") for each in node.directives or ())
    return bool(links.type(node.name.value).spec) and not joined


class _Cleaning:
    """What is left out of one supergraph."""

    def __init__(self, document: DocumentNode, links: Links) -> None:
        self._document = document
        self._links = links
        types = [each for each in document.definitions if isinstance(each, TypeDefinitionNode)]
        self._hidden_types = {each.name.value for each in types if self._is_hidden(each)}

    def is_public(self, node: Node) -> bool:
        """Tell whether clients see a definition."""
        match node:
            case DirectiveDefinitionNode():
                return bool(_executable(node)) and not self._is_of_apollo(node) and node.name.value not in UNSEEN
            case TypeDefinitionNode():
                return not is_machinery(node, self._links) and node.name.value not in self._hidden_types
            case _:
                return isinstance(node, SchemaDefinitionNode)

    def is_price(self, node: Node) -> bool:
        """Tell whether a definition is needed to check the marks that stay, and not for clients."""
        return (
            isinstance(node, DirectiveDefinitionNode)
            and not self.is_public(node)
            and bool(self._kept_as(node.name.value))
        )

    def misshapen(self) -> Iterator[GraphQLError]:
        """Name the marks that the gates could not read, whatever the supergraph declares of them."""
        for each in self._document.definitions:
            for node in _parts(each):
                for mark in getattr(node, "directives", None) or ():
                    name = self._kept_as(mark.name.value)
                    given = {one.name.value: one.value for one in mark.arguments or ()}
                    if any(not isinstance(given.get(one, ABSENT), kind) for one, kind in READ.get(name, {}).items()):
                        yield GraphQLError(
                            f"@{mark.name.value} has an argument that is missing or of another type.", mark
                        )

    def cleaned(self, node: Any) -> Any:
        """Copy a definition, or a part of one, without what clients must not see."""
        changed: dict[str, Any] = {}
        for name in ("fields", "values", "arguments"):
            if getattr(node, name, None) is not None:
                changed[name] = tuple(self.cleaned(each) for each in getattr(node, name) if not self._is_hidden(each))
        for name in ("types", "interfaces"):
            if getattr(node, name, None) is not None:
                changed[name] = tuple(each for each in getattr(node, name) if each.name.value not in self._hidden_types)
        if isinstance(node, DirectiveDefinitionNode):
            changed["locations"] = _executable(node)
        elif getattr(node, "directives", None) is not None:
            changed["directives"] = tuple(each for each in node.directives if self._kept_as(each.name.value))
        return replace(node, **changed)

    def renamed(self, node: Any) -> Any:
        """Copy a cleaned definition with the marks that stay under their usual names."""
        changed: dict[str, Any] = {}
        for name in ("fields", "values", "arguments"):
            if getattr(node, name, None) is not None:
                changed[name] = tuple(self.renamed(each) for each in getattr(node, name))
        if getattr(node, "directives", None):
            changed["directives"] = tuple(
                replace(each, name=NameNode(value=self._kept_as(each.name.value))) for each in node.directives
            )
        return replace(node, **changed)

    def _is_hidden(self, node: Any) -> bool:
        return any(self._links.directive(each.name.value) in HIDING for each in getattr(node, "directives", None) or ())

    def _is_of_apollo(self, node: DirectiveDefinitionNode) -> bool:
        return self._links.directive(node.name.value).spec.startswith(APOLLO)

    def _kept_as(self, name: str) -> str:
        """Give the usual name of a directive that stays on a definition; empty for one that does not."""
        return KEPT.get(self._links.directive(name), "")


def _executable(node: DirectiveDefinitionNode) -> tuple[NameNode, ...]:
    return tuple(each for each in node.locations if each.value in EXECUTABLE)


def _parts(node: Any) -> Iterator[Any]:
    """Give a definition and everything in it that can have directives."""
    yield node
    for name in ("fields", "values", "arguments"):
        for each in getattr(node, name, None) or ():
            yield from _parts(each)
