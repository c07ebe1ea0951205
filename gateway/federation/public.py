"""A supergraph tells clients' business and the gateway's in one text; clients must see theirs alone.

What is for the gateway (the join and link machinery, the directives that only planning reads) and whatever is marked
`@inaccessible` is taken out; what remains is the schema that documents are validated against and introspection shows.
Prices, list lengths and who may ask stay: the gates of the pipeline read them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    FieldDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    build_ast_schema,
    parse,
    validate_schema,
)
from graphql.language import print_ast
from graphql.validation.validate import validate_sdl

KEPT: Final = frozenset({"deprecated", "specifiedBy", "oneOf", "cost", "listSize", "operatorOnly", "allowedRoles"})


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


def public_part(document: DocumentNode) -> PublicPart:
    """Take from a supergraph what clients see."""
    kept = [_cleaned(each) for each in document.definitions if _is_public(each)]
    cleaned = DocumentNode(definitions=tuple(kept))
    whole = DocumentNode(definitions=(*kept, *(each for each in document.definitions if _is_price(each))))
    errors: Iterable[GraphQLError] = validate_sdl(whole)
    schema = None
    if not errors:
        schema = build_ast_schema(cleaned, assume_valid_sdl=True)
        errors = validate_schema(schema)
    faults = tuple((each.locations[0].line if each.locations else 1, each.message) for each in errors)
    return PublicPart(sdl=print_ast(cleaned), schema=None if faults else schema, faults=faults)


def _is_public(node: Node) -> bool:
    if isinstance(node, DirectiveDefinitionNode):
        return False
    if isinstance(node, TypeDefinitionNode):
        return "__" not in node.name.value and not _inaccessible(node)
    return isinstance(node, SchemaDefinitionNode)


def _is_price(node: Node) -> bool:
    return isinstance(node, DirectiveDefinitionNode) and node.name.value in KEPT


def _inaccessible(node: Node) -> bool:
    return any(each.name.value.split("__")[-1] == "inaccessible" for each in getattr(node, "directives", None) or ())


def _cleaned(node: Any) -> Any:
    """Copy a definition without what clients must not see."""
    if isinstance(node, tuple | list):
        return tuple(_cleaned(each) for each in node if not _inaccessible(each))
    changed: dict[str, Any] = {}
    for name in ("fields", "values", "arguments"):
        parts = getattr(node, name, None)
        if parts is not None:
            changed[name] = _cleaned(parts)
    if getattr(node, "directives", None) is not None:
        changed["directives"] = tuple(each for each in node.directives if each.name.value in KEPT)
    return replace(node, **changed)
