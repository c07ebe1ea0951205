"""Compiling without a database, a document at a time."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, OperationDefinitionNode, VariableValues, get_variable_values, parse, validate

from graph.compiler.cursor import CursorKey
from graph.compiler.read import Prepared, Reads, explain
from graph.model.scope import Principal
from resolvers.knowledge.schema import KnowledgeSchema, knowledge_schema

KEY = CursorKey(b"k" * 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A document as the compiler takes it."""

    key: str
    document: DocumentNode
    name: str | None = None


@functools.cache
def known() -> KnowledgeSchema:
    """The schema, assembled once."""
    return knowledge_schema()


def reads() -> Reads:
    """A compiler with an empty cache and no bound on new texts."""
    return Reads(schema=known().graphql, mappings=known().mappings, cursor_key=KEY)


def asked(text: str, variables: Mapping[str, Any]) -> tuple[Operation, dict[str, Any]]:
    """Parse, validate and coerce, as the gateway does before."""
    document = parse(text)
    problems = validate(known().graphql, document)
    assert not problems, problems[0].message
    definition = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    values = get_variable_values(known().graphql, definition.variable_definitions or (), dict(variables))
    assert isinstance(values, VariableValues), values
    return Operation(key=text, document=document), values.coerced


def stages(text: str, variables: Mapping[str, Any], principal: Principal) -> dict[str, str]:
    """Every stage of a read, as text."""
    operation, values = asked(text, variables)
    return explain(reads(), operation, values, principal)


def prepared(text: str, variables: Mapping[str, Any], principal: Principal, compiler: Reads | None = None) -> Prepared:
    """What a read is compiled to."""
    operation, values = asked(text, variables)
    return (compiler or reads()).prepared(operation, values, principal)
