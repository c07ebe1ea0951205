"""The answer for a record that breaks a promise of the schema: what graphql-core's executor makes of it.

A database may hold what the model forbids (written by hand, or by a newer version). The specification says what becomes
of it: an error with a path, and null at the nearest place that may be null. That is rare and it need not be fast, so it
is not written a second time here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import ExecutionResult, GraphQLResolveInfo, GraphQLSchema, execute

from graph.compiler.query import Operation
from graph.compiler.shape import TYPE_KEY

MESSAGE = "The graph holds a value here that the schema does not allow."
CODE = "INCONSISTENT_DATA"


def answer(
    schema: GraphQLSchema, operation: Operation, variables: Mapping[str, Any], lenient: dict[str, Any]
) -> dict[str, Any]:
    """Give data and errors for a leniently shaped record."""
    result = execute(
        schema,
        operation.document,
        root_value=lenient,
        variable_values=dict(variables),
        operation_name=operation.name,
        field_resolver=_by_key,
        type_resolver=_by_tag,
    )
    assert isinstance(result, ExecutionResult)  # no resolver here is asynchronous
    errors = [{"message": MESSAGE, "path": each.path, "extensions": {"code": CODE}} for each in result.errors or ()]
    return {"data": result.data, "errors": errors} if errors else {"data": result.data}


def _by_key(source: Mapping[str, Any], info: GraphQLResolveInfo[Any], **_arguments: Any) -> Any:
    return source[str(info.path.key)]


def _by_tag(value: Mapping[str, Any], _info: GraphQLResolveInfo[Any], _type: Any) -> str:
    return str(value[TYPE_KEY])
