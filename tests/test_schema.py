"""schema.graphql is what the code makes, and a breaking change cannot go unseen."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import GraphQLEnumType, GraphQLInterfaceType, GraphQLObjectType, build_schema
from graphql.utilities import find_breaking_changes

from gateway.areas import product_sdl
from graph.model.mapping import NodeType
from graph.model.model import LABELS
from resolvers.knowledge.schema import KnowledgeSchema, knowledge_schema

COMMITTED = Path(__file__).parent.parent / "schema.graphql"


@pytest.fixture(scope="module")
def made() -> KnowledgeSchema:
    return knowledge_schema()


def breaking(old: str, new: str) -> list[str]:
    before, after = (build_schema(each, assume_valid_sdl=True) for each in (old, new))
    return [f"{each.type.name}: {each.description}" for each in find_breaking_changes(before, after)]


def test_no_client_is_broken_by_this_change() -> None:
    assert breaking(COMMITTED.read_text(encoding="utf-8"), product_sdl()) == []


def test_the_committed_schema_is_current() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == product_sdl() + "\n", "run `make schema`"


def test_a_breaking_change_is_named() -> None:
    removed = product_sdl().replace("  segment: String!\n", "")
    assert breaking(product_sdl(), removed) == ["FIELD_REMOVED: Field Customer.segment was removed."]


def test_every_field_of_a_graph_type_has_a_mapping(made: KnowledgeSchema) -> None:
    mapped = [name for name, each in made.mappings.types.items() if isinstance(each, NodeType)]
    missing = [
        f"{name}.{field}"
        for name in mapped
        if isinstance(type_ := made.graphql.type_map[name], GraphQLObjectType)
        for field in type_.fields
        if (name, field) not in made.mappings.fields
    ]
    assert missing == []


def test_every_label_that_is_not_internal_is_a_type_and_an_entity(made: KnowledgeSchema) -> None:
    for label in LABELS.values():
        assert (f"type {label.name} implements" in made.sdl) is not label.internal, label.name
    entity = made.graphql.type_map["_Entity"]
    members = {each.name for each in made.graphql.get_possible_types(entity)}  # type: ignore[arg-type]  # a union
    assert members == {label.name for label in LABELS.values() if not label.internal}


def test_what_is_operator_only_in_the_model_is_so_in_the_schema(made: KnowledgeSchema) -> None:
    for label in LABELS.values():
        type_ = made.graphql.type_map.get(label.name)
        if not isinstance(type_, GraphQLObjectType):
            continue
        for known in label.properties:
            field = type_.fields.get(known.name)
            directives = {d.name.value for d in field.ast_node.directives or ()} if field and field.ast_node else set()
            if field is not None:
                assert ("operatorOnly" in directives) is known.operator_only, f"{label.name}.{known.name}"
            filtered = made.graphql.type_map.get(f"{label.name}Filter")
            given = getattr(filtered, "fields", {}).get(known.name)
            if given is not None:
                named = {d.name.value for d in given.ast_node.directives or ()}
                assert ("operatorOnly" in named) is known.operator_only, f"{label.name}Filter.{known.name}"


def test_the_mapping_does_not_show_in_the_sdl(made: KnowledgeSchema) -> None:
    assert "SUBSCRIBES_TO" not in made.sdl
    assert "trunkline" not in made.sdl


def test_enums_are_upper_case(made: KnowledgeSchema) -> None:
    enums = [
        each for each in made.graphql.type_map.values() if isinstance(each, GraphQLEnumType) and each.name[:2] != "__"
    ]
    assert all(value == value.upper() for each in enums for value in each.values)
    assert isinstance(made.graphql.type_map["Node"], GraphQLInterfaceType)
