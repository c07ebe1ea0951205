"""Directives and types are known by the specification that is linked, whatever a supergraph calls them."""

from __future__ import annotations

import pytest
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType, parse

from gateway.federation.links import COST, INACCESSIBLE, JOIN, Element, links_of
from gateway.federation.supergraph import Supergraph, SupergraphBroken
from gateway.federation.supergraph_sdl import read_supergraph
from gateway.operations.schema import ListSize, read_schema

SPECS = "https://specs.apollo.dev"
LINK = f'@link(url: "{SPECS}/link/v1.0")'
JOINED = f'@link(url: "{SPECS}/join/v0.5", for: EXECUTION)'
HIDING = f'@link(url: "{SPECS}/inaccessible/v0.2", for: SECURITY)'
GRAPHS = 'enum join__Graph { A @join__graph(name: "a", url: "http://127.0.0.1:1/a") }\n'


def schema(*links: str) -> str:
    return f"schema {' '.join((LINK, JOINED, *links))} {{ query: Query }}\n{GRAPHS}"


def supergraph(types: str, *links: str) -> Supergraph:
    return read_supergraph(schema(*links) + types)


def faults(text: str) -> list[str]:
    with pytest.raises(SupergraphBroken) as caught:
        read_supergraph(text)
    return [each.text for each in caught.value.faults]


def fields(found: Supergraph, type_: str) -> list[str]:
    assert found.public.schema is not None
    named = found.public.schema.type_map[type_]
    assert isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType)
    return list(named.fields)


RENAMED = [
    pytest.param(f'@link(url: "{SPECS}/inaccessible/v0.1", as: "hidden", for: SECURITY)', "@hidden", id="as"),
    pytest.param(
        f'@link(url: "{SPECS}/inaccessible/v0.2", import: [{{name: "@inaccessible", as: "@hidden"}}], for: SECURITY)',
        "@hidden",
        id="imported under another name",
    ),
    pytest.param(
        f'@link(url: "{SPECS}/inaccessible/v0.2/?a=b#c", import: ["@inaccessible"])', "@inaccessible", id="imported"
    ),
    pytest.param(f'@link(url: "{SPECS}/inaccessible/v0.2", as: "x")', "@x__inaccessible", id="by a prefix"),
    pytest.param(f'@link(url: "{SPECS}/federation/v2.9")', "@federation__inaccessible", id="of federation"),
    pytest.param(
        f'@link(url: "{SPECS}/federation/v2.9", import: [{{name: "@inaccessible", as: "@away"}}])',
        "@away",
        id="of federation, renamed",
    ),
    pytest.param("", "@inaccessible", id="that nobody links"),
]


@pytest.mark.parametrize(("link", "mark"), RENAMED)
def test_what_is_inaccessible_is_hidden_whatever_the_directive_is_called(link: str, mark: str) -> None:
    found = supergraph(
        f"""
        type Query @join__type(graph: A) {{ user(a: In, b: Int {mark}): User  no: No {mark} }}
        type User @join__type(graph: A) {{ name: String  password: String {mark}  state: State }}
        type No @join__type(graph: A) {mark} {{ a: Int }}
        input In @join__type(graph: A) {{ a: Int  b: Int {mark} }}
        enum State @join__type(graph: A) {{ OPEN @join__enumValue(graph: A)  SECRET @join__enumValue(graph: A) {mark} }}
        """,
        link,
    )
    assert found.public.schema is not None
    assert fields(found, "User") == ["name", "state"]
    assert fields(found, "Query") == ["user"]
    assert fields(found, "In") == ["a"]
    assert list(found.public.schema.type_map["Query"].fields["user"].args) == ["a"]  # type: ignore[attr-defined]
    assert list(found.public.schema.type_map["State"].values) == ["OPEN"]  # type: ignore[attr-defined]
    assert "No" not in found.public.schema.type_map
    assert mark not in found.public.sdl


def test_a_directive_that_another_specification_calls_so_hides_nothing() -> None:
    link = '@link(url: "https://example.test/ui/v1.0", import: ["@inaccessible"])'
    found = supergraph("type Query @join__type(graph: A) { a: Int @inaccessible }", link)
    assert fields(found, "Query") == ["a"]


def test_the_join_specification_may_have_another_name() -> None:
    text = f"""
    schema @linked(url: "{SPECS}/link/v1.0", as: "linked")
      @linked(url: "{SPECS}/join/v0.5", as: "j", import: [{{name: "@type", as: "@of"}}, "Graph"], for: EXECUTION)
      @linked(url: "{SPECS}/inaccessible/v0.2", as: "hidden", for: SECURITY) {{ query: Query }}
    enum Graph {{ A @j__graph(name: "a", url: "http://127.0.0.1:1/a") B @j__graph(name: "b", url: "http://127.0.0.1:1/b") }}
    scalar j__FieldSet
    scalar linked__Import
    type Query @of(graph: A) @of(graph: B) {{ item: Item @j__field(graph: A) }}
    type Item @of(graph: A, key: "id") @j__type(graph: B, key: "id") {{ id: ID! @hidden  note: String @j__field(graph: B) }}
    """
    found = read_supergraph(text)
    assert {each.name for each in found.endpoints.values()} == {"a", "b"}
    assert set(found.types) == {"Query", "Item", "ID", "String", "Int", "Float", "Boolean"}
    assert set(found.types["Item"].fields["note"].graphs) == {"B"}
    assert fields(found, "Item") == ["note"]
    assert "linked" not in found.public.sdl


def test_core_names_its_features_by_another_argument() -> None:
    text = f"""
    schema @core(feature: "{SPECS}/core/v0.2") @core(feature: "{SPECS}/join/v0.2", for: EXECUTION)
      @core(feature: "{SPECS}/inaccessible/v0.1", as: "hidden", for: SECURITY) {{ query: Query }}
    {GRAPHS}
    enum core__Purpose {{ EXECUTION SECURITY }}
    type Query @join__type(graph: A) {{ a: Int  b: Int @hidden }}
    """
    found = read_supergraph(text)
    assert fields(found, "Query") == ["a"]
    assert "core__Purpose" not in found.public.sdl


@pytest.mark.parametrize(
    ("link", "cost", "size"),
    [
        pytest.param(f'@link(url: "{SPECS}/cost/v0.1")', "@cost", "@cost__listSize", id="prefixed"),
        pytest.param(f'@link(url: "{SPECS}/cost/v0.1", as: "price")', "@price", "@price__listSize", id="as"),
        pytest.param(
            f'@link(url: "{SPECS}/cost/v0.1", import: [{{name: "@cost", as: "@weighs"}}, "@listSize"])',
            "@weighs",
            "@listSize",
            id="imported",
        ),
        pytest.param(
            f'@link(url: "{SPECS}/federation/v2.9", import: ["@cost", "@listSize"])',
            "@cost",
            "@listSize",
            id="federation",
        ),
    ],
)
def test_prices_are_read_whatever_their_directives_are_called(link: str, cost: str, size: str) -> None:
    found = supergraph(
        f"""
        directive {cost}(weight: Int!) on FIELD_DEFINITION
        directive {size}(assumedSize: Int, slicingArguments: [String!]) on FIELD_DEFINITION
        type Query @join__type(graph: A) {{ a: Int {cost}(weight: 7)  many(first: Int): [Int] {size}(assumedSize: 9, slicingArguments: ["first"]) }}
        """,
        link,
    )
    read = read_schema(found.public.sdl)
    assert read.weights["Query.a"] == 7
    assert read.list_sizes["Query.many"] == ListSize(assumed=9, slicing=("first",))


def test_a_directive_of_ones_own_that_is_called_cost_is_no_price() -> None:
    found = supergraph(
        "directive @cost(amount: Float) on FIELD_DEFINITION\n"
        "type Query @join__type(graph: A) { a: Int @cost(amount: 1.5) }"
    )
    assert "Query.a" not in read_schema(found.public.sdl).weights


@pytest.mark.parametrize("mark", ["@cost", '@cost(weight: "much")', "@cost(weight: 1.5)"])
def test_a_price_that_is_no_number_is_a_fault(mark: str) -> None:
    types = f"directive @cost(weight: String) on FIELD_DEFINITION\ntype Query @join__type(graph: A) {{ a: Int {mark} }}"
    assert any("@cost" in each for each in faults(schema(f'@link(url: "{SPECS}/cost/v0.1")') + types))


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        pytest.param(
            '@link(url: "https://example.test/vault/v1.0", for: SECURITY)',
            "vault/v1.0 must be understood",
            id="security",
        ),
        pytest.param(
            '@link(url: "https://example.test/plan/v1.0", for: EXECUTION)', "must be understood", id="execution"
        ),
        pytest.param(
            '@link(url: "https://example.test/inaccessible/v0.2", for: SECURITY)',
            "must be understood",
            id="of that name",
        ),
        pytest.param(
            f'@link(url: "{SPECS}/inaccessible/v9.0", for: SECURITY)', "must be understood", id="a later version"
        ),
        pytest.param("@link", "has no url", id="no address"),
        pytest.param(f'@link(url: "{SPECS}/tag/v0.3", import: [3])', "imports 3", id="an import that is none"),
        pytest.param(
            f'@link(url: "{SPECS}/tag/v0.3", import: [{{name: "@tag", as: "Tag"}}])',
            "one is a directive",
            id="another kind",
        ),
        pytest.param(f'@link(url: "{SPECS}/tag/v0.3", as: "a__b")', "as a prefix", id="a prefix that is none"),
        pytest.param(f'@link(url: "{SPECS}/tag/v0.3", as: "join")', "@join is claimed by", id="a prefix twice"),
        pytest.param(
            f'{HIDING} @link(url: "{SPECS}/tag/v0.3", import: [{{name: "@tag", as: "@inaccessible"}}])',
            "@inaccessible is claimed by",
            id="a name twice",
        ),
        pytest.param(
            f'@link(url: "{SPECS}/tag/v0.3", import: [{{name: "@tag", as: "@join__field"}}])',
            "@join__field is claimed by",
            id="a name with another's prefix",
        ),
    ],
)
def test_a_link_that_cannot_be_served_is_a_fault(link: str, sentence: str) -> None:
    found = faults(schema(link) + "type Query @join__type(graph: A) { a: Int }")
    assert any(sentence in each for each in found), found


@pytest.mark.parametrize("name", ["authenticated", "requiresScopes", "policy"])
@pytest.mark.parametrize("link", ["", "own", "federation", "renamed"])
def test_what_keeps_fields_from_callers_is_refused_whatever_it_is_called(link: str, name: str) -> None:
    links = {
        "": "",
        "own": f'@link(url: "{SPECS}/{name}/v0.1")',
        "federation": f'@link(url: "{SPECS}/federation/v2.5", import: ["@{name}"])',
        "renamed": f'@link(url: "{SPECS}/federation/v2.5", import: [{{name: "@{name}", as: "@gate"}}])',
    }
    mark = "@gate" if link == "renamed" else f"@{name}"
    found = faults(schema(links[link]) + f"type Query @join__type(graph: A) {{ a: Int {mark} }}")
    assert any(f"{mark} must be understood" in each for each in found), found


def test_extensions_are_no_part_of_a_supergraph() -> None:
    extension = f'extend schema @link(url: "{SPECS}/inaccessible/v0.2", as: "hidden", for: SECURITY)'
    text = f"{schema()}type Query @join__type(graph: A) {{ a: Int @hidden }}\n{extension}"
    assert faults(text) == ["A supergraph has no extensions."]


def test_names_are_known_by_import_by_prefix_and_by_the_specification_itself() -> None:
    links = links_of(parse(schema(HIDING, f'@link(url: "{SPECS}/cost/v0.1", import: ["@listSize"])')))
    assert links.directive("join__field") == Element(JOIN, "@field")
    assert links.type("join__Graph") == Element(JOIN, "Graph")
    assert links.directive("inaccessible") == Element(INACCESSIBLE, "@inaccessible")
    assert links.type("inaccessible") == Element("", "inaccessible")
    assert links.directive("listSize") == Element(COST, "@listSize")
    assert links.directive("other__thing") == Element("", "@other__thing")


def test_members_and_interfaces_that_are_inaccessible_are_taken_out_of_what_clients_see() -> None:
    found = supergraph(
        """
        type Query @join__type(graph: A) { u: U  x: X  seen: Seen }
        interface Hidden @join__type(graph: A) @inaccessible { a: String }
        interface Seen implements Hidden @join__type(graph: A) @join__implements(graph: A, interface: "Hidden") { a: String }
        type X implements Hidden & Seen @join__type(graph: A) @join__implements(graph: A, interface: "Hidden")
          @join__implements(graph: A, interface: "Seen") { a: String }
        type Y @join__type(graph: A) @inaccessible { a: String }
        union U @join__type(graph: A) @join__unionMember(graph: A, member: "X") @join__unionMember(graph: A, member: "Y") = X | Y
        """,
        HIDING,
    )
    shown = found.public.schema
    assert shown is not None
    assert {"Hidden", "Y"} & set(shown.type_map) == set()
    union, x = shown.type_map["U"], shown.type_map["X"]
    assert isinstance(union, GraphQLUnionType)
    assert [each.name for each in union.types] == ["X"]
    assert isinstance(x, GraphQLObjectType)
    assert [each.name for each in x.interfaces] == ["Seen"]
    assert found.types["U"].graphs  # planning knows both
    assert {each for there in found.types["U"].graphs.values() for each in there.members} == {"X", "Y"}


def test_a_union_of_which_nothing_is_left_is_a_fault() -> None:
    text = """
    type Query @join__type(graph: A) { u: U }
    type Y @join__type(graph: A) @inaccessible { a: String }
    union U @join__type(graph: A) @join__unionMember(graph: A, member: "Y") = Y
    """
    assert any("Union type U must define one or more member types" in each for each in faults(schema(HIDING) + text))


def test_only_names_that_begin_with_two_underscores_are_reserved() -> None:
    found = supergraph(
        """
        type Query @join__type(graph: A) { x(in: My__Input): My__Type  link: link__Node  geo__kind: Geo__Kind  when: My__Time }
        type My__Type @join__type(graph: A) { Owner__r: String }
        input My__Input @join__type(graph: A) { a__b: Int }
        enum Geo__Kind @join__type(graph: A) { A__B @join__enumValue(graph: A) }
        scalar My__Time @join__type(graph: A)
        type link__Node @join__type(graph: A) { a: Int }
        scalar link__Import
        enum link__Purpose { SECURITY EXECUTION }
        scalar join__FieldSet
        """
    )
    assert found.public.schema is not None
    own = {"My__Type", "My__Input", "Geo__Kind", "My__Time", "link__Node"}
    assert own <= set(found.types)
    assert own <= set(found.public.schema.type_map)
    assert {"link__Import", "link__Purpose", "join__FieldSet", "join__Graph"} & set(
        found.public.schema.type_map
    ) == set()
    reserved = schema() + "type Query @join__type(graph: A) { x: __Mine }\ntype __Mine @join__type(graph: A) { a: Int }"
    assert any("__Mine" in each and "reserved" in each for each in faults(reserved))


def test_directives_for_operations_are_shown_and_others_are_not() -> None:
    found = supergraph(
        """
        directive @tone(of: Tone!, secret: Int @inaccessible) repeatable on FIELD | FIELD_DEFINITION
        directive @trace on QUERY | MUTATION
        directive @inner on FIELD_DEFINITION
        directive @defer(if: Boolean) on FRAGMENT_SPREAD | INLINE_FRAGMENT
        directive @stream on FIELD
        directive @join__field(graph: join__Graph) repeatable on FIELD_DEFINITION
        enum Tone @join__type(graph: A) { LOUD @join__enumValue(graph: A) }
        type Query @join__type(graph: A) { a: Int @tone(of: LOUD) @inner }
        """,
        HIDING,
    )
    shown = found.public.schema
    assert shown is not None
    usual = {"include", "skip", "deprecated", "specifiedBy", "oneOf"}
    assert {each.name for each in shown.directives} - usual == {"tone", "trace"}
    tone = shown.get_directive("tone")
    assert tone is not None
    assert tone.is_repeatable
    assert list(tone.args) == ["of"]
    assert [each.name for each in tone.locations] == ["FIELD"]
