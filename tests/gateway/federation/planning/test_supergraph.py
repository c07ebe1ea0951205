from __future__ import annotations

import pytest

from gateway.federation.supergraph import SupergraphBroken
from gateway.federation.supergraph_sdl import read_supergraph
from tests.gateway.federation.planning.test_cases import FOLDER

GOOD = (FOLDER / "entities.graphql").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("before", "after", "line", "sentence"),
    [
        pytest.param("name: String", "name String", 16, "Expected ':'", id="syntax"),
        pytest.param("join/v0.5", "join/v0.1", 1, "none of v0.2 to v0.5", id="an old join specification"),
        pytest.param("https://specs.apollo.dev/join", "https://example.test/join", 1, "links no join", id="no join"),
        pytest.param(
            "for: EXECUTION)",
            'for: EXECUTION) @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)',
            1,
            "must be understood",
            id="a security specification that is not understood",
        ),
        pytest.param(
            "@join__type(graph: A)",
            "@join__type(graph: X)",
            8,
            "subgraph X, which does not exist",
            id="no such subgraph",
        ),
        pytest.param('name: "b"', 'name: "a"', 4, "two subgraphs named 'a'", id="two of a name"),
        pytest.param(
            'url: "http://127.0.0.1:1/c"', "port: 3", 5, "no @join__graph with a name and a url", id="no address"
        ),
        pytest.param("enum join__Graph", "enum Other", 1, "no enum join__Graph", id="no subgraphs"),
        pytest.param('key: "sku")', 'key: "nope")', 13, "User.nope, which does not exist", id="a key of no field"),
        pytest.param('key: "sku")', 'key: "{")', 13, "is no field set", id="a key that is none"),
        pytest.param("manager: User", "manager: Nobody", 20, "Unknown type 'Nobody'", id="no such type"),
        pytest.param(
            "manager: User",
            'manager: User @join__field(graph: A, contextArguments: [{name: "x"}])',
            20,
            "Arguments from a context",
            id="arguments from a context",
        ),
        pytest.param("manager: User", "manager: [User", 20, "Expected", id="an open bracket"),
        pytest.param("type Order", "type Order implements Nothing", 22, "Nothing", id="no such interface"),
    ],
)
def test_a_fault_has_its_line_and_a_sentence(before: str, after: str, line: int, sentence: str) -> None:
    assert before in GOOD
    text = GOOD.replace(before, after, 1)
    with pytest.raises(SupergraphBroken) as caught:
        read_supergraph(text)
    found = [(each.line, each.text) for each in caught.value.faults]
    assert any(number == line and sentence in told for number, told in found), found


def test_all_faults_are_told_at_once() -> None:
    text = GOOD.replace('key: "sku"', 'key: "nope"').replace("graph: C)", "graph: X)")
    with pytest.raises(SupergraphBroken) as caught:
        read_supergraph(text)
    assert len(caught.value.faults) > 2
    assert [each.line for each in caught.value.faults] == sorted(each.line for each in caught.value.faults)


def test_clients_see_neither_machinery_nor_what_is_inaccessible() -> None:
    public = read_supergraph((FOLDER / "hidden.graphql").read_text(encoding="utf-8")).public
    assert "join__" not in public.sdl
    assert "inaccessible" not in public.sdl
    assert public.schema is not None
    assert list(public.schema.type_map["Order"].fields) == ["state", "note", "old", "moved"]  # type: ignore[attr-defined]
    assert list(public.schema.type_map["State"].values) == ["OPEN"]  # type: ignore[attr-defined]


def test_before_version_three_every_subgraph_has_the_whole_union() -> None:
    text = (FOLDER / "unions.graphql").read_text(encoding="utf-8").replace("v0.5", "v0.2")
    lines = [
        each.partition("@join__unionMember")[0] + " @join__type(graph: A) @join__type(graph: B) = Book | Song | Film"
        if each.startswith("union")
        else each
        for each in text.splitlines()
    ]
    found = read_supergraph("\n".join(lines))
    assert {there.members for there in found.types["Media"].graphs.values()} == {("Book", "Song", "Film")}
