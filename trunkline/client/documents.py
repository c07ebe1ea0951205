r"""A stream that is cut asks the same again after another cursor, so the cursor must be a variable of its document.

In: the text of a subscription. Out: `Resumable`, the same subscription with its root field's `after` in a variable. A document that
has such a variable keeps it; one that has none gets one.

>>> resumable("subscription { alerts { kind } }", {}, None).text
'subscription ($after: String) {\n  alerts(after: $after) {\n    kind\n  }\n}'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from graphql import (
    ArgumentNode,
    DefinitionNode,
    DocumentNode,
    FieldNode,
    GraphQLSyntaxError,
    NamedTypeNode,
    NameNode,
    NullValueNode,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
    VariableDefinitionNode,
    VariableNode,
    parse,
    print_ast,
)

from trunkline.client.errors import InvalidDocument

ALERTS: Final = """
subscription Alerts($after: String, $filter: AlertFilter) {
  alerts(after: $after, filter: $filter) {
    kind at alarmId perceivedSeverity severity totalServices
    services { serviceId service { name } effect severity effectBefore severityBefore }
    tickets { id externalId status severity }
  }
}
"""
SERVICE_EVENTS: Final = """
subscription ServiceEvents($after: String, $filter: ServiceEventFilter) {
  serviceEvents(after: $after, filter: $filter) {
    kind at serviceId services { serviceId } effect from to tickets { ticketId status }
  }
}
"""
TOPOLOGY_CHANGES: Final = """
subscription TopologyChanges($after: String, $filter: TopologyChangeFilter) {
  topologyChanges(after: $after, filter: $filter) { kind at resourceId resourceType }
}
"""
DELIVERIES: Final = """
subscription Deliveries($after: String, $filter: DeliveryEventFilter) {
  deliveries(after: $after, filter: $filter) { kind at deliveryId reason error }
}
"""
_AFTER: Final = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumable:
    """A subscription that can be asked again after any cursor."""

    text: str
    variables: Mapping[str, Any]
    """but for the cursor."""
    variable: str
    """the name of the variable that takes the cursor."""
    after: str | None
    """where it begins; None: now."""

    def variables_after(self, cursor: str | None) -> dict[str, Any]:
        """Give the variables to ask it with."""
        return {**self.variables, **({} if cursor is None else {self.variable: cursor})}


def resumable(text: str, variables: Mapping[str, Any], after: str | None) -> Resumable:
    """Make a subscription resume; raises InvalidDocument where it is not one with a single root field.

    A cursor that is in the document or its variables counts where `after` is None. An empty one is a ValueError: it would begin now,
    and leave out what has happened since the one that was meant.
    """
    after = _cursor(after, None)
    document = _parsed(text)
    operation = _only_operation(document)
    given = _argument(_root(operation))
    match given.value if given else None:
        case VariableNode(name=NameNode(value=name)):
            rest = {key: value for key, value in variables.items() if key != name}
            return Resumable(text=text, variables=rest, variable=name, after=_cursor(after, variables.get(name)))
        case StringValueNode(value=cursor):
            after = _cursor(after, cursor)
        case None | NullValueNode():
            pass
        case _:
            raise InvalidDocument("The argument `after` of the subscription's field is not a text.")
    name = _free_name(operation)
    taking = replace(
        document, definitions=tuple(_taking(each, name) if each is operation else each for each in document.definitions)
    )
    return Resumable(text=print_ast(taking), variables=dict(variables), variable=name, after=after)


def _cursor(given: str | None, otherwise: str | None) -> str | None:
    after = otherwise if given is None else given
    if after == "":
        raise ValueError("The cursor `after` is empty: give one that was kept, or None to begin now.")
    return after


def _parsed(text: str) -> DocumentNode:
    try:
        return parse(text)
    except GraphQLSyntaxError as error:
        raise InvalidDocument(str(error)) from error


def _only_operation(document: DocumentNode) -> OperationDefinitionNode:
    found: list[DefinitionNode] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    match found:
        case [OperationDefinitionNode(operation=OperationType.SUBSCRIPTION) as operation]:
            return operation
        case [_]:
            raise InvalidDocument("The document is no subscription: ask queries and mutations by `execute`.")
        case _:
            raise InvalidDocument(f"The document has {len(found)} operations, and can have one.")


def _root(operation: OperationDefinitionNode) -> FieldNode:
    match operation.selection_set.selections:
        case (FieldNode() as field,):
            return field
        case _:
            raise InvalidDocument("A subscription has one field at its root, and no fragment there.")


def _argument(field: FieldNode) -> ArgumentNode | None:
    return next((each for each in field.arguments or () if each.name.value == _AFTER), None)


def _free_name(operation: OperationDefinitionNode) -> str:
    taken = {each.variable.name.value for each in operation.variable_definitions or ()}
    name = _AFTER
    while name in taken:
        name += "_"
    return name


def _taking(operation: OperationDefinitionNode, name: str) -> OperationDefinitionNode:
    """Give the operation with the root field's `after` in a variable."""
    field = _root(operation)
    variable = VariableNode(name=NameNode(value=name))
    rest = tuple(each for each in field.arguments or () if each.name.value != _AFTER)
    given = replace(field, arguments=(*rest, ArgumentNode(name=NameNode(value=_AFTER), value=variable)))
    declared = VariableDefinitionNode(
        variable=variable, type=NamedTypeNode(name=NameNode(value="String")), directives=()
    )
    return replace(
        operation,
        variable_definitions=(*(operation.variable_definitions or ()), declared),
        selection_set=replace(operation.selection_set, selections=(given,)),
    )
