"""The knowledge subgraph's schema: Strawberry's for mutations and the SDL, and the compiler's view of both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType
from typing import Any, Final

import strawberry
from graphql import GraphQLSchema, build_schema
from strawberry.schema.config import StrawberryConfig

from graph.errors import Refused
from graph.model.mapping import ComputedType, Entities, FieldMapping, Fixed, Grouped, Mappings, TypeMapping
from resolvers.executed import ExecutedSchema
from resolvers.knowledge.fields import MAPPING, mapping_of_type
from resolvers.knowledge.inputs import BIG_INT, BigInt
from resolvers.knowledge.mutations import Mutation
from resolvers.knowledge.root import Query
from resolvers.knowledge.subscription import Subscription
from resolvers.knowledge.types import ExternalName, Lead
from resolvers.moments import Moment, read_moment

MOMENT: Final = read_moment(partial(Refused, code="BAD_USER_INPUT"))
"""A time, as an argument of a mutation too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeSchema:
    """One schema, three ways to see it."""

    strawberry: strawberry.federation.Schema
    sdl: str
    graphql: GraphQLSchema
    """built from the SDL: enums are names and inputs plain dicts, which is what requests hold."""
    mappings: Mappings


@cache
def knowledge_schema() -> KnowledgeSchema:
    """Assemble the schema, once in a process."""
    made = ExecutedSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[ExternalName, Lead],
        config=StrawberryConfig(
            scalar_map={BigInt: BIG_INT, dt.datetime: MOMENT, Moment: MOMENT}, disable_field_suggestions=True
        ),
    )
    sdl = made.as_str()
    return KnowledgeSchema(
        strawberry=made, sdl=sdl, graphql=build_schema(sdl, assume_valid_sdl=True), mappings=_mappings(made, sdl)
    )


def _mappings(made: strawberry.federation.Schema, sdl: str) -> Mappings:
    types: dict[str, TypeMapping] = {}
    fields: dict[tuple[str, str], FieldMapping] = {
        ("Query", "_entities"): Entities(),
        ("Query", "_service"): Grouped(),
        ("_Service", "sdl"): Fixed(value=sdl),
    }
    for name, each in made.schema_converter.type_map.items():
        definition: Any = each.definition
        mapping = mapping_of_type(getattr(definition, "origin", None))
        types[name] = mapping if mapping is not None else ComputedType()
        for field in getattr(definition, "fields", ()):
            found: Mapping[str, Any] = getattr(field, "metadata", {})
            if MAPPING in found:
                fields[name, made.config.name_converter.from_field(field)] = found[MAPPING]
    return Mappings(types=MappingProxyType(types), fields=MappingProxyType(fields))
