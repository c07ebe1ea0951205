"""Directives of the SDL that the gateway obeys; the graph's own mapping never shows."""

from __future__ import annotations

import strawberry
from strawberry.schema_directive import Location


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.INPUT_FIELD_DEFINITION, Location.ENUM_VALUE],
    name="operatorOnly",
    description="Asked for, filtered by and sorted by only with a role that reads everything.",
)
class OperatorOnly:
    """Marks what would tell a customer of others."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="allowedRoles",
    description=(
        "A mutation is refused to every other role; one without this directive is refused to all. A role of byClaim needs a token "
        "whose claim `changes` names the mutation, or what `claim` says in its place."
    ),
)
class AllowedRoles:
    """Marks who may run a mutation."""

    roles: list[str]
    by_claim: list[str] | None = strawberry.UNSET
    claim: str | None = strawberry.UNSET


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description="How long a list is, for the cost of an operation (federation 2.9).",
)
class ListSize:
    """Marks the bound of a list."""

    assumed_size: int | None = strawberry.UNSET
    slicing_arguments: list[str] | None = strawberry.UNSET


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.ARGUMENT_DEFINITION],
    name="cost",
    description="What a field costs instead of 1, or an argument for each of its values (federation 2.9).",
)
class Cost:
    """Marks what walks more than its answer shows."""

    weight: int
