"""What a harmless question comes to, and what to look at."""

from __future__ import annotations

import socket

import pytest
from pydantic import SecretStr

from adapters.transport.credentials import Client, ClientCredentials, fixed
from adapters.transport.probing import Expects, Look, Question, Trouble, Well, probe
from adapters.transport.transport import Call
from tests.adapters.conftest import JSON, asking, http, saying, soon

LIST = Question(call=Call(method="GET", path=("troubleTicket",), query=(("limit", "1"),)))
QUEUE = Question(call=Call(method="GET", path=("queue", "Q")), expects=Expects.OBJECT, member="id")
METHODS = Question(call=Call(method="OPTIONS", path=()), expects=Expects.ANYTHING)
HTML = "Content-Type: text/html"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        pytest.param(LIST, http("200 OK", b"[]", JSON), id="a list"),
        pytest.param(LIST, http("206 Partial Content", b"[{}]", JSON), id="a part of one"),
        pytest.param(QUEUE, http("200 OK", b'{"id": 1}', JSON), id="an object with what it must have"),
        pytest.param(METHODS, http("204 No Content"), id="methods"),
        pytest.param(METHODS, http("405 Method Not Allowed"), id="it only takes POST"),
        pytest.param(METHODS, http("501 Not Implemented"), id="it has no such method"),
        pytest.param(METHODS, http("200 OK", b"<wsdl/>", "Content-Type: text/xml"), id="a description"),
    ],
)
async def test_all_is_well(question: Question, said: bytes) -> None:
    async with saying(said) as server, asking(server.address) as transport:
        assert await probe(transport, question, deadline=soon()) == Well()
        [head] = server.heard
    assert head.startswith((b"GET ", b"OPTIONS "))


@pytest.mark.parametrize(
    ("question", "said", "look", "words"),
    [
        (LIST, http("401 Unauthorized"), Look.CREDENTIAL, "does not take the credential"),
        (LIST, http("403 Forbidden"), Look.CREDENTIAL, "is not allowed"),
        (METHODS, http("401 Unauthorized"), Look.CREDENTIAL, "does not take the credential"),
        (LIST, http("404 Not Found"), Look.ADDRESS, "no such path"),
        (METHODS, http("404 Not Found"), Look.ADDRESS, "no such path"),
        (LIST, http("405 Method Not Allowed"), Look.ADDRESS, "no such path"),
        (LIST, http("400 Bad Request"), Look.ADDRESS, "does not understand"),
        (LIST, http("302 Found", b"", "Location: /login"), Look.ADDRESS, "Redirects are not followed"),
        (LIST, http("200 OK", b"<html/>", HTML), Look.ADDRESS, "HTML"),
        (LIST, http("200 OK", b"nonsense", JSON), Look.ADDRESS, "not JSON"),
        (LIST, http("200 OK", b"{}", JSON), Look.ADDRESS, "with JSON that is not a list"),
        (LIST, http("200 OK", b"null", JSON), Look.ADDRESS, "with JSON that is not a list"),
        (QUEUE, http("200 OK", b"[]", JSON), Look.ADDRESS, "with JSON that is not an object with id"),
        (QUEUE, http("200 OK", b"{}", JSON), Look.ADDRESS, "with JSON that is not an object with id"),
        (LIST, http("503 Service Unavailable"), Look.SYSTEM, "does not work now"),
        (METHODS, http("500 Internal Server Error"), Look.SYSTEM, "does not work now"),
        (LIST, http("429 Too Many Requests"), Look.SYSTEM, "does not work now"),
    ],
)
async def test_what_is_wrong_is_told_with_what_to_look_at(
    question: Question, said: bytes, look: Look, words: str
) -> None:
    async with saying(said) as server, asking(server.address) as transport:
        verdict = await probe(transport, question, deadline=soon())
    assert isinstance(verdict, Trouble)
    assert (verdict.look, words in verdict.text) == (look, True), verdict.text
    assert verdict.text.startswith("ticketing ")


async def test_where_nobody_listens_or_answers_it_is_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        free = sock.getsockname()[1]
    async with asking(f"http://127.0.0.1:{free}") as transport:
        verdict = await probe(transport, LIST, deadline=soon())
    assert isinstance(verdict, Trouble)
    assert verdict.look is Look.ADDRESS
    async with saying(None) as server, asking(server.address) as transport:
        verdict = await probe(transport, LIST, deadline=soon(0.2))
    assert isinstance(verdict, Trouble)
    assert verdict.look is Look.ADDRESS


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(http("400 Bad Request"), "answered 400", id="refused"),
        pytest.param(http("404 Not Found"), "answered 404", id="another path"),
        pytest.param(http("302 Found", b"", "Location: /login"), "answered 302", id="a redirect"),
        pytest.param(http("503 Service Unavailable"), "answered 503", id="busy"),
        pytest.param(http("200 OK", b"<html/>", HTML), "answered no token", id="a login page"),
        pytest.param(None, "did not answer", id="silent"),
    ],
)
async def test_an_authorization_server_that_gives_no_token_is_about_the_credential(
    said: bytes | None, words: str
) -> None:
    async with saying(said) as authority, saying(http("200 OK", b"[]", JSON)) as server:
        client = Client(token_url=authority.address, client_id="us", client_secret=fixed(SecretStr("s")))
        async with asking(server.address, credential=ClientCredentials("ticketing", client)) as transport:
            verdict = await probe(transport, LIST, deadline=soon(0.3 if said is None else 5.0))
        assert server.heard == []
    assert isinstance(verdict, Trouble)
    assert (verdict.look, words in verdict.text) == (Look.CREDENTIAL, True), verdict.text
    assert verdict.text.startswith("The authorization server of ticketing")
