"""The typed decorators that tie Strawberry's types to the graph.

`node` makes a type of a class whose annotations are properties of a label (checked against the model: a name, an
optionality or a vocabulary that the model does not have is an error on import) and whose other fields are made by the
functions below. The mapping is metadata of the field; the SDL does not show it. None of the resolvers here ever runs:
Strawberry needs them to know the arguments, and reads are compiled.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Annotated, Any, Final, Generic, TypeVar, get_args, get_origin

import strawberry
from strawberry.utils.str_converters import to_camel_case

from graph.compiler.bind import PAGE_DEFAULT
from graph.model.mapping import (
    Along,
    ComputedType,
    FieldMapping,
    NodeType,
    OfCaller,
    RelationType,
    Stored,
    TypeMapping,
    hops,
)
from graph.model.model import LABELS, RELATIONSHIPS, Property
from resolvers.directives import Cost, ListSize, OperatorOnly
from resolvers.knowledge.inputs import filter_of, order_of

MAPPING: Final = "trunkline"
TYPE_MAPPING: Final = "__trunkline_type__"

T = TypeVar("T")
C = TypeVar("C", bound=type)


@strawberry.type(description="What there is before and after a page (Relay).")
class PageInfo:
    """Relay's GraphQL Cursor Connections."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="A node, and its place in the list.")
class Edge(Generic[T]):
    """Relay's edge."""

    cursor: str
    node: T


@strawberry.type(description=f"A page of a list: {PAGE_DEFAULT} unless first or last says otherwise, at most 1,000.")
class Connection(Generic[T]):
    """Relay's connection, with `nodes` beside `edges`."""

    edges: list[Edge[T]]
    nodes: list[T]
    page_info: PageInfo
    total_count: int


# Types -------------------------------------------------------------------------------------------------------------


def node(label: str) -> Any:
    """Make a type of the nodes of a label: an entity with the key `id`."""
    known = LABELS[label]

    def made(cls: C) -> C:
        _store(cls, {each.name: each for each in known.properties})
        setattr(cls, TYPE_MAPPING, NodeType(label=label))
        typed: C = strawberry.federation.type(cls, keys=["id"], description=known.about)
        return typed

    return made


def relation(type_: str, description: str) -> Any:
    """Make a type of the relationships of a type."""
    known = RELATIONSHIPS[type_]

    def made(cls: C) -> C:
        _store(cls, {each.name: each for each in known.properties})
        setattr(cls, TYPE_MAPPING, RelationType(type=type_))
        typed: C = strawberry.type(cls, description=description)
        return typed

    return made


def computed(description: str) -> Any:
    """Make a type of objects that exist only in an answer."""

    def made(cls: C) -> C:
        _store(cls, None)
        setattr(cls, TYPE_MAPPING, ComputedType())
        typed: C = strawberry.type(cls, description=description)
        return typed

    return made


def _store(cls: type, properties: Mapping[str, Property] | None) -> None:
    """Make a stored field of every annotation that has no field yet."""
    for attribute, annotation in cls.__annotations__.items():
        if attribute in cls.__dict__:
            continue
        name = to_camel_case(attribute.rstrip("_"))
        operator_only = False
        if properties is not None:
            known = properties[name]
            operator_only = known.operator_only
            if str(annotation).endswith("None") == known.required:
                raise TypeError(f"{cls.__name__}.{attribute} and the model disagree on whether it may be absent")
        setattr(cls, attribute, mapped(Stored(name=name), name=name, operator_only=operator_only))


# Fields ------------------------------------------------------------------------------------------------------------


def mapped(  # noqa: PLR0913 - all that can be said of a field, by name
    mapping: FieldMapping,
    *,
    name: str | None = None,
    operator_only: bool = False,
    size: ListSize | None = None,
    arguments: Mapping[str, Any] | None = None,
    description: str | None = None,
    cost: int | None = None,
) -> Any:
    """Make a field with its mapping; `arguments` are GraphQL name -> type, all optional where the type is.

    `cost` stands for what the field walks, in objects. An argument's type may be `Annotated` with its
    description, and with a `Cost` of its own.
    """
    directives: list[object] = [OperatorOnly()] if operator_only else []
    directives += [size] if size else []
    directives += [] if cost is None else [Cost(weight=cost)]
    metadata = {MAPPING: mapping}
    if arguments is None:
        return strawberry.federation.field(name=name, metadata=metadata, directives=directives, description=description)
    resolver = _declared(arguments)
    return strawberry.federation.field(
        resolver=resolver, name=name, metadata=metadata, directives=directives, description=description
    )


def _declared(arguments: Mapping[str, Any]) -> Any:
    """Make a function whose signature declares arguments."""

    def never_called(**_given: Any) -> Any:
        raise AssertionError("reads are compiled")

    never_called.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # inspect honours it, typeshed has it not
        [
            inspect.Parameter(
                f"{each}_",  # `from` is a word of Python's
                inspect.Parameter.KEYWORD_ONLY,
                annotation=Annotated[
                    _bare(type_),
                    strawberry.argument(name=each, description=_about(type_), directives=_marks(type_)),
                ],
                default=strawberry.UNSET if _optional(_bare(type_)) else inspect.Parameter.empty,
            )
            for each, type_ in arguments.items()
        ]
    )
    return never_called


def _bare(type_: Any) -> Any:
    return get_args(type_)[0] if get_origin(type_) is Annotated else type_


def _marks(type_: Any) -> tuple[object, ...]:
    return tuple(each for each in _notes(type_) if not isinstance(each, str))


def _about(type_: Any) -> str | None:
    return next((each for each in _notes(type_) if isinstance(each, str)), None)


def _notes(type_: Any) -> tuple[object, ...]:
    return get_args(type_)[1:] if get_origin(type_) is Annotated else ()


def _optional(type_: Any) -> bool:
    return type(None) in getattr(type_, "__args__", ())


_PAGING: Final = {"first": int | None, "after": str | None, "last": int | None, "before": str | None}
_PAGED: Final = ListSize(assumed_size=PAGE_DEFAULT, slicing_arguments=["first", "last"])


def page(
    mapping: FieldMapping, label: str | None, *, operator_only: bool = False, description: str | None = None
) -> Any:
    """Make a field that is a page; with filter and orderBy where its rows are nodes of one label."""
    arguments: dict[str, Any] = {}
    if label is not None:
        arguments = {"filter": filter_of(label) | None, "orderBy": list[order_of(label)] | None}  # type: ignore[misc]  # types made from the model
    return mapped(
        mapping, arguments={**arguments, **_PAGING}, size=_PAGED, operator_only=operator_only, description=description
    )


def stored(name: str, description: str) -> Any:
    """Make a field that is a property, with what is to be said of it."""
    return mapped(Stored(name=name), name=name, description=description)


def operators(name: str, description: str) -> Any:
    """Make a field that is a property which only operators and analysts see, with what is to be said of it."""
    return mapped(Stored(name=name), name=name, operator_only=True, description=description)


def along(*drawn: str, operator_only: bool = False, description: str | None = None) -> Any:
    """Make a field that is the one object reached over relationships."""
    return mapped(Along(hops=hops(*drawn)), operator_only=operator_only, description=description)


def pages_along(*drawn: str, operator_only: bool = False, description: str | None = None) -> Any:
    """Make a field that is a page of the nodes reached over relationships."""
    path = hops(*drawn)
    return page(Along(hops=path), path[-1].label, operator_only=operator_only, description=description)


def relations_along(drawn: str, *, description: str | None = None) -> Any:
    """Make a field that is a page of relationships."""
    return page(Along(hops=hops(drawn)), None, description=description)


def list_along(drawn: str, *order: str, assumed: int, description: str) -> Any:
    """Make a field that is a list of relationships, short by nature: it is answered whole, or refused."""
    along_ = Along(hops=hops(drawn), order=order)
    about = f"{description} A list of more than {along_.at_most:,} is refused (LIMIT_EXCEEDED)."
    return mapped(along_, size=ListSize(assumed_size=assumed), description=about)


def of_caller(name: str) -> Any:
    """Make a field that is a property of the caller."""
    return mapped(OfCaller(name=name))


def mapping_of_type(cls: Any) -> TypeMapping | None:
    """Give the mapping of a type, None for what is no type of the graph."""
    found: TypeMapping | None = getattr(cls, TYPE_MAPPING, None)
    return found
