"""Parsing and validating a document costs five times the whole request; almost all requests bring a known one.

`Documents` remembers, by text, what a document turned out to be: its operations, each with everything that can be known
before the variables are, or the refusal that it meets every time. The memory is bounded by count and by bytes of text;
what was used longest ago goes first.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    parse,
    separate_operations,
    specified_rules,
    validate,
)
from graphql.validation.rules.max_introspection_depth_rule import MaxIntrospectionDepthRule

from gateway.errors import MOST_ERRORS, Code, Refused, refuse
from gateway.federation.subgraph import Operation
from gateway.operations.cost import Cost, cost_of
from gateway.operations.introspection import split
from gateway.operations.limits import check_document
from gateway.operations.permissions import Demands, demands_of
from gateway.operations.schema import PublicSchema
from gateway.operations.variables import Variable, problem_of, variables_of
from gateway.settings.settings import Limits
from gateway.syntax import conditions_of, definition_of

RULES: Final = (*specified_rules, MaxIntrospectionDepthRule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One operation and what is known of it before its variables are."""

    name: str
    """empty for an anonymous one."""
    node: OperationDefinitionNode
    is_query: bool
    variables: tuple[Variable, ...]
    demands: Demands
    cost: Cost
    operation: Operation | None
    """what the subgraph is asked; None where introspection is all."""
    schema_part: DocumentNode | None
    """what the public schema is asked; None for almost every operation."""
    root: tuple[SelectionNode, ...]
    conditions: tuple[str, ...] = ()
    """the variables that decide @skip and @include."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A valid document."""

    operations: Mapping[str, Prepared]
    """by name; an anonymous operation is alone, under the empty one."""

    def choose(self, name: str | None) -> Prepared:
        """Give the operation that a request names, or the only one."""
        if name:
            if name in self.operations:
                return self.operations[name]
            raise refuse(Code.OPERATION_RESOLUTION_FAILURE, "The document has no operation of that name.")
        if len(self.operations) == 1:
            return next(iter(self.operations.values()))
        raise refuse(Code.OPERATION_RESOLUTION_FAILURE, f"The document has {len(self.operations)} operations.")


Known: TypeAlias = Document | Refused


class Documents:
    """Remember documents by their text."""

    def __init__(self, schema: PublicSchema, limits: Limits, *, most: int, most_bytes: int) -> None:
        self._schema = schema
        self._limits = limits
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._known: OrderedDict[str, Known] = OrderedDict()

    def known(self, text: str) -> Known | None:
        """Give what is remembered under a text."""
        found = self._known.get(text)
        if found is not None:
            self._known.move_to_end(text)
        return found

    def learn(self, text: str) -> Known:
        """Read a document that nobody brought before, and remember what it is."""
        try:
            found: Known = read_document(text, self._schema, self._limits)
        except Refused as refusal:
            found = refusal.with_traceback(None)
        self._known[text] = found
        self._bytes += len(text)
        while len(self._known) > self._most or self._bytes > self._most_bytes:
            oldest, _ = self._known.popitem(last=False)
            self._bytes -= len(oldest)
        return found


def read_document(text: str, schema: PublicSchema, limits: Limits) -> Document:
    """Parse, limit and validate a text, in this order, and prepare its operations."""
    document = _parsed(text, limits)
    check_document(document, limits)
    errors = validate(schema.served, document, RULES, max_errors=MOST_ERRORS - 1, hide_suggestions=True)
    if errors:
        raise Refused(*(problem_of(each, Code.GRAPHQL_VALIDATION_FAILED) for each in errors))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Document(
        operations={
            name: _prepared(each, f"{digest}:{name}", schema) for name, each in separate_operations(document).items()
        }
    )


def _parsed(text: str, limits: Limits) -> DocumentNode:
    try:
        return parse(text, max_lexical_tokens=limits.tokens, max_comments=limits.tokens)
    except GraphQLError as error:
        over = "more than" in error.message and "Parsing aborted" in error.message
        raise Refused(problem_of(error, Code.LIMIT_EXCEEDED if over else Code.GRAPHQL_PARSE_FAILED)) from None


def _prepared(document: DocumentNode, key: str, schema: PublicSchema) -> Prepared:
    node = definition_of(document)
    name = node.name.value if node.name else None
    parts = split(document)
    return Prepared(
        name=name or "",
        node=node,
        is_query=node.operation is OperationType.QUERY,
        variables=variables_of(node, schema),
        demands=demands_of(document, schema),
        cost=cost_of(document, schema),
        operation=None if parts.rest is None else Operation(key=key, document=parts.rest, name=name),
        schema_part=parts.schema,
        root=parts.root,
        conditions=conditions_of(document),
    )
