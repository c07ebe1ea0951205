"""The area in the product's schema: who may do what, and that everything is described."""

from __future__ import annotations

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, build_schema

from gateway.areas import product_sdl
from gateway.operations.schema import read_schema
from graph.model.scope import CLAIMABLE
from resolvers.bandwidth.schema import bandwidth_schema


def test_customers_may_do_what_their_tokens_can_name_and_nothing_else() -> None:
    allowed = read_schema(product_sdl()).allowed
    names = {each.claim or name.partition(".")[2] for name, each in allowed.items() if each.by_claim}
    assert names == set(CLAIMABLE)
    boosts = {name.partition(".")[2] for name, each in allowed.items() if each.claim == "boostBandwidth"}
    assert boosts == {"boostBandwidth", "extendBoost", "changeBoost", "cancelBoost"}


def test_every_type_field_argument_and_value_is_described() -> None:
    schema = build_schema(bandwidth_schema().as_str(), assume_valid_sdl=True)
    missing = []
    for name, each in schema.type_map.items():
        if name.startswith("_") or name in {"ID", "Int", "Float", "String", "Boolean", "Query", "Mutation"}:
            continue
        missing += [name] if not each.description else []
        if isinstance(each, GraphQLEnumType):
            missing += [f"{name}.{value}" for value, one in each.values.items() if not one.description]
        if isinstance(each, GraphQLInputObjectType):
            missing += [f"{name}.{field}" for field, one in each.fields.items() if not one.description]
    for name, each in schema.type_map.items():
        if isinstance(each, GraphQLObjectType) and not name.startswith("_"):
            for field, one in each.fields.items():
                missing += (
                    [f"{name}.{field}"] if not one.description and field not in {"id", "_entities", "_service"} else []
                )
                missing += [f"{name}.{field}({arg}:)" for arg, given in one.args.items() if not given.description]
    assert [each for each in missing if "_entities" not in each] == []
