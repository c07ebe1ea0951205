"""Parsing and validating a document costs five times the whole request; almost all requests bring a known one.

`Documents` remembers, by text, what a document turned out to be: its operations, each with everything that can be known
before the variables are, or the refusal that it meets every time. What is remembered weighs in the cache that all share.

What a document weighs was measured with tracemalloc (CPython 3.11, graphql-core 3.3): 138 bytes for each node of its AST without
places in the text, 340 with them, and 3 kB for an operation; a text has at most 4 bytes a character.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from graphql import (
    DocumentNode,
    GraphQLError,
    Node,
    OperationDefinitionNode,
    OperationType,
    OverlappingFieldsCanBeMergedRule,
    SelectionNode,
    ValidationContext,
    parse,
    separate_operations,
    specified_rules,
    validate,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from graphql.validation.rules.max_introspection_depth_rule import MaxIntrospectionDepthRule
from graphql.validation.validate import ValidationAbortedError

from gateway.errors import MOST_ERRORS, Code, Problem, Refused, refuse
from gateway.federation.subgraph import Operation
from gateway.operations.cost import Cost, cost_of
from gateway.operations.introspection import declared_variables, split
from gateway.operations.limits import check_document
from gateway.operations.permissions import Demands, demands_of
from gateway.operations.schema import PublicSchema
from gateway.operations.variables import Variable, problem_of, variables_of
from gateway.preparing.cache import KEY_BYTES, Table
from gateway.preparing.new_work import Work, units_of
from gateway.settings.settings import Limits
from gateway.syntax import conditions_of, definition_of

COMPARISONS: Final = 100_000
"""How far one document may make OverlappingFieldsCanBeMerged go, the one rule that is not linear: half a second. The library's
own budget is five times that. A pair of fields of one name takes 2; documents that people write take some hundreds."""
SHORT: Final = 1_000
"""characters of a document that the event loop reads itself; a longer one is read beside it."""
NODE_BYTES: Final = 160
DOCUMENT_BYTES: Final = 3_000


class OverlappingFields(OverlappingFieldsCanBeMergedRule):
    """The rule of the specification, within a smaller budget."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = COMPARISONS


RULES: Final = (
    *(OverlappingFields if each is OverlappingFieldsCanBeMergedRule else each for each in specified_rules),
    MaxIntrospectionDepthRule,
)
_HINTS: Final = {
    "Connection'.": "The rows of a list are in `edges { node }`, and in `nodes` where it has that field.",
    "cannot represent non-enum value": "Write a word of an enum as the schema has it: in capitals, and without quotes but in variables.",
}
"""What to do about errors that newcomers make, by words of their messages; of all others the code says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One operation and what is known of it before its variables are."""

    name: str
    """empty for an anonymous one."""
    key: str
    """a hash of the document's text, and the name."""
    document: DocumentNode
    """the operation, with its fragments."""
    node: OperationDefinitionNode
    is_query: bool
    is_subscription: bool
    variables: tuple[Variable, ...]
    demands: Demands
    cost: Cost
    operation: Operation | None
    """what the subgraph is asked; None where introspection is all."""
    schema_part: DocumentNode | None
    """what the public schema is asked; None for almost every operation."""
    root: tuple[SelectionNode, ...]
    decisive: tuple[str, ...] = ()
    """the variables that decide @skip and @include, and those that the schema part reads: none of them may be null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A valid document."""

    operations: Mapping[str, Prepared]
    """by name; an anonymous operation is alone, under the empty one."""
    weight: int
    """in bytes, with its text."""

    def choose(self, name: str | None) -> Prepared:
        """Give the operation that a request names, or the only one."""
        if name:
            if name in self.operations:
                return self.operations[name]
            raise refuse(Code.OPERATION_RESOLUTION_FAILURE, "The document has no operation of that name.")
        if len(self.operations) == 1:
            return next(iter(self.operations.values()))
        raise refuse(Code.OPERATION_RESOLUTION_FAILURE, f"The document has {len(self.operations)} operations.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotValid:
    """A document that is refused every time."""

    problems: tuple[Problem, ...]
    weight: int


Known: TypeAlias = Document | NotValid


class Documents:
    """Remember documents by their text."""

    def __init__(self, schema: PublicSchema, limits: Limits, kept: Table[Known]) -> None:
        self._schema = schema
        self._limits = limits
        self._kept = kept

    def known(self, text: str) -> Known | None:
        """Give what is remembered under a text."""
        return self._kept.get(text)

    def learning(self, text: str) -> Work[Known]:
        """Give the work of reading a document that nobody brought before."""

        def keep(known: Known) -> None:
            self._kept[text] = known

        return Work(
            key=(self, text),
            units=units_of(text),
            short=len(text) <= SHORT,
            make=lambda: _read(text, self._schema, self._limits),
            found=lambda: self.known(text),
            keep=keep,
        )


def _read(text: str, schema: PublicSchema, limits: Limits) -> Known:
    try:
        return read_document(text, schema, limits)
    except Refused as refused:  # a new value: this one's context holds the whole document
        return NotValid(problems=refused.problems, weight=KEY_BYTES + DOCUMENT_BYTES + 4 * len(text))


def read_document(text: str, schema: PublicSchema, limits: Limits) -> Document:
    """Parse, limit and validate a text, in this order, and prepare its operations."""
    document = _parsed(text, limits)
    check_document(document, limits)
    errors = validate(schema.served, document, RULES, max_errors=MOST_ERRORS - 1, hide_suggestions=True)
    if errors:
        raise Refused(*map(_problem, errors))
    digest = hashlib.sha256(text.encode()).hexdigest()
    operations = {
        name: _prepared(each, f"{digest}:{name}", schema) for name, each in separate_operations(document).items()
    }
    nodes = _without_places(document)
    return Document(
        operations=operations,
        weight=KEY_BYTES + 4 * len(text) + DOCUMENT_BYTES * (1 + len(operations)) + NODE_BYTES * nodes,
    )


def _problem(error: GraphQLError) -> Problem:
    if isinstance(error, ValidationAbortedError) and "Too many" not in error.message:
        message = "The document merges more fields and fragments of one name than can be compared."
        return Problem(code=Code.LIMIT_EXCEEDED, message=message)
    problem = problem_of(error, Code.GRAPHQL_VALIDATION_FAILED)
    return replace(problem, hint=next((hint for words, hint in _HINTS.items() if words in problem.message), ""))


def _without_places(document: DocumentNode) -> int:
    """Take the places in the text from all nodes, and count the nodes.

    A node holds its place by two tokens, and each token holds its neighbours: together more than the nodes themselves.
    """
    count = 0
    stack: list[Node] = [document]
    while stack:
        node = stack.pop()
        count += 1
        object.__setattr__(node, "loc", None)  # nodes are frozen, but this one was made here and nobody has it yet
        for key in QUERY_DOCUMENT_KEYS.get(node.kind, ()):
            inner = getattr(node, key)
            if isinstance(inner, Node):
                stack.append(inner)
            elif inner:
                stack.extend(inner)
    return count


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
        key=key,
        document=document,
        node=node,
        is_query=node.operation is OperationType.QUERY,
        is_subscription=node.operation is OperationType.SUBSCRIPTION,
        variables=variables_of(node, schema),
        demands=demands_of(document, schema),
        cost=cost_of(document, schema),
        operation=None if parts.rest is None else Operation(key=key, document=parts.rest, name=name),
        schema_part=parts.schema,
        root=parts.root,
        decisive=conditions_of(document) + (declared_variables(parts.schema) if parts.schema else ()),
    )
