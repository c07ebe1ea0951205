"""Documents as large as a schema allows, each valid and no two alike: what a caller may send who wants to use up memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type

Allowed = Callable[[str], bool]
"""Whether a coordinate, `Type.field`, may be asked."""


def large_document(
    schema: GraphQLSchema, number: int, *, tokens: int = 3_300, allowed: Allowed = lambda _: True
) -> str:
    """Ask as much below one service as fits into about so many tokens; `number` makes the text a new one."""
    left = [tokens]
    service = schema.type_map["Service"]
    assert isinstance(service, GraphQLObjectType)
    return f"query q{number}{{services(first:1){{nodes{{{' '.join(_selected(service, 7, left, allowed))}}}}}}}"


def _selected(owner: GraphQLObjectType, depth: int, left: list[int], allowed: Allowed) -> Iterator[str]:
    fields = [(name, field) for name, field in owner.fields.items() if allowed(f"{owner.name}.{name}")]
    for name, field in fields:
        if is_leaf_type(get_named_type(field.type)) and not field.args and left[0] > 0:
            left[0] -= 1
            yield name
    for name, field in fields:
        inner = get_named_type(field.type)
        if depth and isinstance(inner, GraphQLObjectType) and left[0] >= 60 and not _required(field):
            yield from _object(name, inner, depth - 1, left, allowed)


def _object(name: str, inner: GraphQLObjectType, depth: int, left: list[int], allowed: Allowed) -> Iterator[str]:
    if not inner.name.endswith("Connection"):
        left[0] -= 3
        yield f"{name}{{{' '.join(['__typename', *_selected(inner, depth, left, allowed)])}}}"
        return
    node = get_named_type(inner.fields["nodes"].type)
    if isinstance(node, GraphQLObjectType):
        left[0] -= 12
        yield f"{name}(first:1){{nodes{{{' '.join(['__typename', *_selected(node, depth, left, allowed)])}}}}}"


def _required(field: GraphQLField) -> bool:
    return any(str(each.type).endswith("!") for each in field.args.values())
