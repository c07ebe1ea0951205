from __future__ import annotations

from pathlib import Path

import pytest

from graph.errors import StoreMisconfigured
from graph.store.address import Credentials, EmbeddedAddress, ServerAddress, parse_address


@pytest.mark.parametrize(
    "text",
    ["bolt://localhost:7687", "bolt+s://db.example:7687", "neo4j://10.0.0.1", "neo4j+s://db.example", "bolt://[::1]:7"],
)
def test_an_address_of_a_server_is_kept_as_it_is(text: str) -> None:
    assert parse_address(text) == ServerAddress(uri=text)


def test_the_directory_of_the_embedded_store_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_address("embedded:data/graph") == EmbeddedAddress(directory=tmp_path / "data" / "graph")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("embedded:", id="no directory"),
        pytest.param("localhost:7687", id="no scheme"),
        pytest.param("http://localhost:7474", id="another scheme"),
        pytest.param("bolt://", id="no host"),
        pytest.param("bolt://localhost:port", id="a port that is a word"),
        pytest.param("bolt://localhost:99999", id="a port that cannot be"),
        pytest.param("bolt://localhost:0", id="port 0"),
    ],
)
def test_an_address_that_cannot_be_read_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(StoreMisconfigured) as caught:
        parse_address(text)
    assert "embedded:DIRECTORY" in caught.value.hint


def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(StoreMisconfigured) as caught:
        parse_address("bolt://neo4j:sesame@localhost:7687")
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"user": "neo4j"}, id="a user without a password"),
        pytest.param({"password": "sesame"}, id="a password without a user"),
        pytest.param({"user": "neo4j", "password": "sesame", "bearer": "token"}, id="both kinds"),
    ],
)
def test_credentials_that_contradict_themselves_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(StoreMisconfigured):
        Credentials(**given)


def test_credentials_do_not_show_their_secrets() -> None:
    assert "sesame" not in repr(Credentials(user="neo4j", password="sesame"))
    assert "sesame" not in repr(Credentials(bearer="sesame"))
