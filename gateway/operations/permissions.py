"""Some of a public schema is not for everyone, and a caller must hear so before anything runs.

What an operation touches is known from its text: `demands_of` reads it once, with literal arguments. What its variables
hold is known per request, and looked at for those callers only who may not have everything.

1. `_entities` and `_service` are a router's, and for nobody else. A router that acts for no user may ask `_service` only.
2. A mutation is called by the roles that its `@allowedRoles` names, and by nobody where it names none. A role that it names in
   `byClaim` calls it with a token that names the mutation, or the `claim` that stands for it.
3. Whatever is marked `@operatorOnly` is for those who read everything: operators and analysts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    ArgumentNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    ObjectFieldNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    visit,
)

from gateway.errors import Code, refuse
from gateway.operations.schema import FEDERATION_ROOTS, Allowed, PublicSchema
from gateway.operations.variables import Variable, marked_values
from graph.model.scope import Principal, Role

_NOBODY: Final = Allowed(roles=frozenset(), by_claim=frozenset())
READS_EVERYTHING: Final = frozenset({Role.OPERATOR, Role.ANALYST})
ACT_FOR: Final = "Send the user's own token in `X-Acts-For: Bearer <token>`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What an operation needs its caller to be."""

    operator_only: tuple[str, ...]
    """the marked coordinates in its text."""
    mutations: tuple[str, ...]
    """the root fields of a mutation."""
    federation: frozenset[str]
    """those of `_entities` and `_service` that it asks."""
    own: frozenset[str]
    """every other root field, introspection apart: the schema is public."""


def demands_of(document: DocumentNode, schema: PublicSchema) -> Demands:
    """Read what the one operation of a valid document demands."""
    type_info = TypeInfo(schema.served)
    reading = _Reading(type_info, schema)
    visit(document, TypeInfoVisitor(type_info, reading))
    return Demands(
        operator_only=tuple(dict.fromkeys(reading.marked)),
        mutations=tuple(dict.fromkeys(reading.mutations)),
        federation=frozenset(reading.roots & FEDERATION_ROOTS),
        own=frozenset(reading.roots - FEDERATION_ROOTS),
    )


class _Reading(Visitor):
    """Collect coordinates on a walk over a document."""

    def __init__(self, type_info: TypeInfo, schema: PublicSchema) -> None:
        super().__init__()
        self._type_info = type_info
        self._marks = schema.operator_only
        self._query = schema.served.query_type
        self._subscription = schema.served.subscription_type
        self._mutation = schema.served.get_root_type(OperationType.MUTATION)
        self.marked: list[str] = []
        self.mutations: list[str] = []
        self.roots: set[str] = set()

    def _note(self, coordinate: str) -> None:
        if coordinate in self._marks:
            self.marked.append(coordinate)

    def _coordinate(self) -> str:
        parent, field = self._type_info.get_parent_type(), self._field
        return f"{parent.name}.{field}" if parent else field

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self._field = node.name.value
        parent = self._type_info.get_parent_type()
        reads = parent is not None and parent in (self._query, self._subscription)
        if reads and not self._field.startswith("__"):
            self.roots.add(self._field)
        if parent is not None and parent is self._mutation and self._field != "__typename":
            self.mutations.append(self._coordinate())
        self._note(self._coordinate())

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        if self._type_info.get_directive() is None:
            self._note(f"{self._coordinate()}({node.name.value}:)")

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        parent = self._type_info.get_parent_input_type()
        if parent is not None:
            self._note(f"{get_named_type(parent).name}.{node.name.value}")

    def enter_enum_value(self, node: EnumValueNode, *_: Any) -> None:
        named = get_named_type(self._type_info.get_input_type())
        if named is not None:
            self._note(f"{named.name}.{node.value}")


def check_caller(demands: Demands, principal: Principal, allowed: Mapping[str, Allowed]) -> None:
    """Refuse what the text of an operation shows that this caller may not ask."""
    if demands.federation and principal.role is not Role.ROUTER:
        name = min(demands.federation)
        raise refuse(Code.FORBIDDEN, f"`{name}` answers routers only.", "Ask for the objects by their own fields.")
    if (
        principal.role is Role.ROUTER
        and principal.acts_for is None
        and (demands.own or "_entities" in demands.federation)
    ):
        raise refuse(Code.FORBIDDEN, "A router that acts for no user may ask `_service` only.", ACT_FOR)
    for mutation in demands.mutations:
        _check_mutation(mutation, principal, allowed.get(mutation, _NOBODY))
    if demands.operator_only and principal.effective not in READS_EVERYTHING:
        raise _for_operators(demands.operator_only[0])


def _check_mutation(mutation: str, principal: Principal, allowed: Allowed) -> None:
    role, name = principal.effective.value, allowed.claim or mutation.rpartition(".")[2]
    if role in allowed.roles or (role in allowed.by_claim and name in principal.changes):
        return
    hint = f"The claim `changes` of a token that may do so names {name}." if role in allowed.by_claim else ""
    raise refuse(Code.FORBIDDEN, f"The role {role} may not call `{mutation}`{' by itself' if hint else ''}.", hint)


def check_values(
    variables: tuple[Variable, ...], values: Mapping[str, Any], principal: Principal, marks: frozenset[str]
) -> None:
    """Refuse variables that hold what this caller may not filter or sort by."""
    if principal.effective in READS_EVERYTHING:
        return
    for variable in variables:
        if variable.watched and variable.name in values:
            for coordinate in marked_values(values[variable.name], variable.type, marks):
                raise _for_operators(coordinate)


def _for_operators(coordinate: str) -> Exception:
    return refuse(Code.FORBIDDEN, f"`{coordinate}` is for operators and analysts only.", "Leave it out.")
