"""Arguments: what of a request decides the text of a statement, and what is only a parameter of it.

`variable_shape` is the part of the cache key that depends on the variables: which are absent, null or present, the
structure of input objects, booleans and enum values, the kind of object that an id names; never any other value, and of
a list of leaves not even its length. Two requests of one shape have the same statement, and `ArgumentSource` finds the
values of the second at the places where the compiler saw those of the first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableNode,
    coerce_input_literal,
    get_named_type,
    type_from_ast,
)
from graphql.utilities.coerce_input_value import coerce_default_value

from graph.compiler.bind import big_integer, epoch_milliseconds
from graph.compiler.literals import Filled, filled, has_variable
from graph.errors import Refused
from graph.model.model import label_of

_ABSENT: Final = "absent"
_NOT_GIVEN: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentSource:
    """How one field's arguments come from the variables."""

    path: str
    """the field's response key, for messages."""
    constant: Mapping[str, Any]
    """arguments in which no variable takes part, coerced once."""
    variable: tuple[tuple[str, Filled, Any, bool], ...]
    """of the others: name, what gives the value, the default, and whether null is refused."""

    @classmethod
    def of(cls, definition: GraphQLField, node: FieldNode, *, path: str) -> Self:
        """Split the arguments of a field into those that are known now and those that wait for variables."""
        constant: dict[str, Any] = {}
        variable = []
        given = {each.name.value: each.value for each in node.arguments or ()}
        for name, argument in definition.args.items():
            value = given.get(name)
            if value is None:
                default = coerce_default_value(argument)
                if default is not Undefined:
                    constant[name] = default
            elif has_variable(value):
                _refuse_half_a_representation(value, argument.type)
                variable.append((name, *_waiting(value, argument), isinstance(argument.type, GraphQLNonNull)))
            else:
                constant[name] = coerce_input_literal(value, argument.type)
        return cls(path=path, constant=constant, variable=tuple(variable))

    def values(self, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give the coerced arguments of a request; an argument that is absent is not a key."""
        if not self.variable:
            return self.constant
        found = dict(self.constant)
        for name, fill, default, non_null in self.variable:
            value = fill(variables)
            if value is _NOT_GIVEN:
                if default is Undefined:
                    continue
                value = default
            if value is Undefined or (value is None and non_null):
                raise Refused(
                    f"Argument {name!r} of {self.path!r} has null where it must not.",
                    code="BAD_USER_INPUT",
                    hint="Give it a value, or leave the variable out where it has a default.",
                )
            found[name] = value
        return found


def _waiting(node: ValueNode, argument: GraphQLArgument) -> tuple[Filled, Any]:
    """Prepare an argument that waits for variables; its default counts only where it is a variable that is absent."""
    if isinstance(node, VariableNode):
        name = node.name.value
        return lambda given: given.get(name, _NOT_GIVEN), coerce_default_value(argument)
    return filled(node, argument.type), Undefined


def evaluate(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    """Compute the condition of @skip or @include: a literal, or a variable, whose coercion has happened."""
    if isinstance(node, VariableNode):
        return variables.get(node.name.value, Undefined)
    return getattr(node, "value", None)


def _refuse_half_a_representation(node: ValueNode, type_: Any) -> None:
    """Refuse variables inside a literal of `_Any`: the type that it names decides the text, and no shape would show it."""
    if get_named_type(type_).name == "_Any" and not isinstance(node, VariableNode):
        raise Refused(
            "Representations are literals or one variable, not literals with variables in them.",
            code="BAD_USER_INPUT",
            hint="Declare $representations: [_Any!]! and give all of them in it.",
        )


Shaper = tuple[tuple[str, Any], ...]
"""The names and types of an operation's variables."""


def declared_variables(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Shaper:
    """List an operation's variables with their types, once per document."""
    return tuple(
        (each.variable.name.value, type_from_ast(schema, each.type)) for each in operation.variable_definitions or ()
    )


def variable_shape(declared: Shaper, variables: Mapping[str, Any]) -> Hashable:
    """Tell what of these variables decides the text of the statement."""
    return tuple(_shape(variables[name], type_) if name in variables else _ABSENT for name, type_ in declared)


def _shape(value: Any, type_: Any) -> Hashable:
    bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    match value:
        case None:
            return None
        case bool():
            return value
        case list() if isinstance(bare, GraphQLList) and get_named_type(bare).name == "_Any":
            return tuple(sorted({str(each.get("__typename")) for each in value if isinstance(each, dict)}))
        case list() if isinstance(bare, GraphQLList) and get_named_type(bare).name == "ID":
            return tuple(sorted({label.name if (label := label_of(each)) else "" for each in value}))
        case list() if isinstance(bare, GraphQLList):
            structured = isinstance(get_named_type(bare), GraphQLInputObjectType)
            return tuple(_shape(each, bare.of_type) for each in value) if structured else "list"
        case dict() if isinstance(bare, GraphQLInputObjectType):
            return tuple((name, _shape(each, bare.fields[name].type)) for name, each in sorted(value.items()))
        case str() if isinstance(bare, GraphQLEnumType):
            return value
        case str() if bare.name == "ID":
            label = label_of(value)
            return label.name if label else ""
        case _:
            return "value"


READ: Final[Mapping[str, Callable[[Any], Any]]] = {"BigInt": big_integer, "DateTime": epoch_milliseconds}
"""The scalars that graphql-core does not know, and how their values are read; Refused where they are none (GraphQL 3.5, 6.1.2).

The binding of a parameter refuses these too, but knows only where the compiler has put a value, and not by which variable it came."""


def can_hold(type_: GraphQLInputType, seen: frozenset[str] = frozenset()) -> bool:
    """Tell whether a value of a type can hold such a scalar."""
    named = get_named_type(type_)
    if not isinstance(named, GraphQLInputObjectType):
        return named.name in READ
    if named.name in seen:
        return False
    return any(can_hold(each.type, seen | {named.name}) for each in named.fields.values())


def check_scalars(name: str, value: Any, type_: GraphQLInputType) -> None:
    """Look through a coerced variable; raises Refused with its name, and the place in it, for what is no value of a scalar."""
    _check(value, type_, (name,))


def _check(value: Any, type_: GraphQLInputType, place: tuple[str, ...]) -> None:
    bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if value is None:
        return
    if isinstance(bare, GraphQLList):
        for number, each in enumerate(value):
            _check(each, bare.of_type, (*place, f"{number}"))
    elif isinstance(bare, GraphQLInputObjectType):
        for key, each in value.items():
            _check(each, bare.fields[key].type, (*place, key))
    elif bare.name in READ:
        try:
            READ[bare.name](value)
        except Refused as refused:
            raise _named(refused, place, bare.name) from None


def _named(refused: Refused, place: tuple[str, ...], type_: str) -> Refused:
    where = f" at '{'.'.join(place[1:])}'" if place[1:] else ""
    message = f"Variable '${place[0]}' has{where} what is no {type_}: {refused.message}"
    return Refused(message, code=refused.code, hint=refused.hint)
