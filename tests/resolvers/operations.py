"""Random operations from the schema: nesting, fragments, aliases, variables, conditions, every kind of argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    parse,
    validate,
)
from hypothesis import assume
from hypothesis import strategies as st

from graph.compiler.cursor import CursorKey
from graph.model.mapping import Entities, PathField
from graph.model.scope import Principal
from resolvers.knowledge.schema import KnowledgeSchema
from tests.resolvers.arguments import Arguments, literal
from tests.resolvers.caller import OPERATOR, ROUTER_FOR_A
from tests.resolvers.world import World

_UNASKED = {("Query", "_service")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An operation with its variables, and what it needs of the caller."""

    text: str
    variables: Mapping[str, Any]
    entities: bool
    """for routers only."""
    whole: bool
    """for those who see the whole network only."""

    def __repr__(self) -> str:
        return f"Asked(text={self.text!r}, variables={self.variables!r}, entities={self.entities}, whole={self.whole})"


def allowed(asked: Asked, principal: Principal) -> Principal:
    """The principal, or one who may ask this in its place."""
    if asked.whole:
        return OPERATOR
    return ROUTER_FOR_A if asked.entities else principal


def operations(known: KnowledgeSchema, world: World, key: CursorKey, *, without_arguments: bool = False) -> Any:
    """Valid operations over a world."""

    @st.composite
    def made(draw: Callable[[Any], Any]) -> Asked:
        arguments = Arguments(draw=draw, schema=known.graphql, mappings=known.mappings, world=world, key=key)
        asked = _Writer(arguments=arguments, plain=without_arguments).operation()
        assume(not validate(known.graphql, parse(asked.text)))
        return asked

    return made()


@dataclass(slots=True, kw_only=True)
class _Writer:
    """Writes one operation."""

    arguments: Arguments
    plain: bool
    declared: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    budget: int = 24
    count: int = 0
    entities: bool = False
    whole: bool = False

    def operation(self) -> Asked:
        """Write the operation and everything that it uses."""
        root = self.arguments.schema.query_type
        assert root is not None
        body = self.selection(root, self.arguments.draw(st.integers(1, 4)))
        declared = f"({', '.join(self.declared)})" if self.declared else ""
        text = " ".join([f"query Q{declared} {body}", *self.fragments])
        return Asked(text=text, variables=self.variables, entities=self.entities, whole=self.whole)

    def selection(self, type_: Any, depth: int) -> str:
        """Write what is asked of a type."""
        parts = ["__typename"] if self.arguments.chance(2) else []
        if isinstance(type_, (GraphQLInterfaceType, GraphQLUnionType)):
            parts += self._abstract(type_, depth)
        else:
            parts += self._fields(type_, depth, tag="")
        return "{ " + " ".join(parts or ["__typename"]) + " }"

    def _abstract(self, type_: Any, depth: int) -> list[str]:
        parts = self._fields(type_, depth, tag="") if isinstance(type_, GraphQLInterfaceType) else []
        possible = sorted(self.arguments.schema.get_possible_types(type_), key=lambda each: each.name)
        for each in dict.fromkeys(self.arguments.one(possible) for _ in range(self.arguments.draw(st.integers(1, 3)))):
            parts.append(self._fragment(each, self._fields(each, depth, tag=each.name.lower())))
        if type_.name == "Node" and self.arguments.chance(3):
            parts.append("... on Resource { operationalState name }")
        return parts

    def _fields(self, type_: GraphQLObjectType | GraphQLInterfaceType, depth: int, *, tag: str) -> list[str]:
        names = [n for n in type_.fields if (type_.name, n) not in _UNASKED and (depth or self._is_leaf(type_, n))]
        if not names:
            return ["__typename"]
        if depth:
            composite = [each for each in names if not self._is_leaf(type_, each)]
            names += composite * 2
        parts = []
        for name in dict.fromkeys(self.arguments.one(names) for _ in range(self.arguments.draw(st.integers(1, 4)))):
            parts += self._field(type_, name, depth, tag=tag)
        if self.arguments.chance(2):
            return [self._fragment(type_, parts)]
        return parts

    def _is_leaf(self, type_: Any, name: str) -> bool:
        return not is_composite_type(get_named_type(type_.fields[name].type))

    def _fragment(self, type_: Any, parts: list[str]) -> str:
        body = "{ " + " ".join(parts) + " }"
        if self.arguments.chance(3):
            self.count += 1
            self.fragments.append(f"fragment F{self.count} on {type_.name} {body}")
            return f"...F{self.count}{self._condition()}"
        return f"... on {type_.name}{self._condition()} {body}"

    def _field(self, owner: Any, name: str, depth: int, *, tag: str) -> list[str]:
        self.budget -= 1
        if self.budget < 0:
            return ["__typename"]
        definition: GraphQLField = owner.fields[name]
        self.count += 1
        alias = f"{tag}k{self.count}: " if tag or self.arguments.chance(3) else ""
        head = f"{alias}{name}{self._given(owner.name, name, definition)}{self._condition()}"
        if self._is_leaf(owner, name):
            return [head]
        inner = get_named_type(definition.type)
        again = [f"{head} {self.selection(inner, max(0, depth - 1))}"] if self.arguments.chance(1) else []
        deeper = depth if inner.name.endswith(("Connection", "Edge")) else depth - 1
        return [f"{head} {self.selection(inner, max(0, deeper))}", *again]

    def _condition(self) -> str:
        if not self.arguments.chance(1):
            return ""
        decided = self.arguments.one((True, False))
        given = self._variable(decided, "Boolean!") if self.arguments.chance(5) else str(decided).lower()
        return f" @{self.arguments.one(('skip', 'include'))}(if: {given})"

    # Arguments -----------------------------------------------------------------------------------------------------

    def _given(self, owner: str, name: str, definition: GraphQLField) -> str:
        mapping = self.arguments.mappings.fields.get((owner, name))
        self.entities |= isinstance(mapping, Entities)
        self.whole |= isinstance(mapping, PathField)
        values = self.arguments.of(mapping, definition, (owner, name))
        if self.plain:
            values = {each: value for each, value in values.items() if not self._is_optional(definition, each)}
        parts = [f"{each}: {self.written(value, definition.args[each].type)}" for each, value in values.items()]
        parts += [
            f"{each}: {self._unset(argument.type)}"
            for each, argument in definition.args.items()
            if each not in values and self._is_optional(definition, each) and self.arguments.chance(1)
        ]
        return f"({', '.join(parts)})" if parts else ""

    def _is_optional(self, definition: GraphQLField, name: str) -> bool:
        return not isinstance(definition.args[name].type, GraphQLNonNull)

    def _unset(self, type_: Any) -> str:
        """Null in one of its three spellings: the word, a variable that is null, one that is absent."""
        match self.arguments.draw(st.integers(0, 2)):
            case 0:
                return "null"
            case 1:
                return self._variable(None, str(type_))
            case _:
                self.count += 1
                self.declared.append(f"$v{self.count}: {type_}")
                return f"$v{self.count}"

    def _variable(self, value: Any, type_: str, default: str = "") -> str:
        self.count += 1
        name = f"v{self.count}"
        self.declared.append(f"${name}: {type_}{default}")
        if not default:
            self.variables[name] = value
        return f"${name}"

    def written(self, value: Any, type_: Any) -> str:
        """Write a value, any part of which may be a variable, given or by its default."""
        if type_ is not None and self.arguments.chance(2):
            by_default = value is not None and self.arguments.chance(3)
            declared = str(type_.of_type if isinstance(type_, GraphQLNonNull) and by_default else type_)
            return self._variable(value, declared, f" = {literal(value, type_)}" if by_default else "")
        bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(value, list) and isinstance(bare, GraphQLList) and get_named_type(bare).name != "_Any":
            return f"[{', '.join(self.written(each, bare.of_type) for each in value)}]"
        if isinstance(value, dict) and isinstance(bare, GraphQLInputObjectType):
            members = (f"{each}: {self.written(part, bare.fields[each].type)}" for each, part in value.items())
            return "{" + ", ".join(members) + "}"
        return literal(value, type_)
