"""What is kept of a refusal is short, on one line, and holds no credential."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.errors import Busy, Rejected
from adapters.transport.answers import MOST_CHARACTERS, kept
from adapters.transport.credentials import Token, fixed
from adapters.transport.transport import Call
from tests.adapters.conftest import JSON, asking, http, saying, soon

POST = Call(method="POST", path=("troubleTicket",), body={})
SECRET = "s3cr3t-of-ours"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"code": "22", "reason": "ticketType is missing"}', '{"code": "22", "reason": "ticketType is missing"}'),
        ("two\r\nlines\x00 and\ta tab", "two lines and a tab"),
        (f"the token {SECRET} is over", "the token [hidden] is over"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: [hidden] [hidden]"),
        ("sent Bearer eyJhbGciOi.abc.def, no", "sent Bearer [hidden], no"),
        ('{"client_secret":"x y","n":1}', '{"client_secret":[hidden],"n":1}'),
        ("password=hunter2&user=ann", "password=[hidden]&user=ann"),
        ("X-API-Key: abcdef12", "X-API-Key: [hidden]"),
        ("", ""),
    ],
)
def test_what_is_kept(body: str, said: str) -> None:
    assert kept(body.encode(), [SECRET]) == said


@given(st.binary(max_size=20_000))
def test_whatever_comes_is_a_short_line_of_text(body: bytes) -> None:
    said = kept(body + SECRET.encode(), [SECRET])
    assert len(said) <= MOST_CHARACTERS
    assert SECRET not in said
    assert said.isprintable() or all(each == " " or ord(each) > 0x9F or each.isprintable() for each in said)


async def test_a_refusal_brings_the_start_of_its_body_and_its_message_does_not() -> None:
    body = b'{"reason": "no such customer"}' + b" " * 20_000
    said = http("422 Unprocessable Content", body, JSON)
    async with (
        saying(said) as server,
        asking(server.address, credential=Token(secret=fixed(SecretStr(SECRET)))) as transport,
    ):
        with pytest.raises(Rejected) as caught:
            await transport.exchange(POST, deadline=soon())
    assert caught.value.answer == '{"reason": "no such customer"}'
    assert "customer" not in str(caught.value)


async def test_so_does_a_system_that_does_not_want_to_now() -> None:
    said = http("503 Service Unavailable", b"maintenance until noon")
    async with saying(said) as server, asking(server.address) as transport:
        with pytest.raises(Busy) as caught:
            await transport.exchange(POST, deadline=soon())
    assert caught.value.answer == "maintenance until noon"


async def test_a_refusal_whose_body_never_comes_is_a_refusal() -> None:
    said = http("409 Conflict", b"half", length=100)
    async with saying(said) as server, asking(server.address) as transport:
        with pytest.raises(Rejected) as caught:
            await transport.exchange(POST, deadline=soon())
    assert (caught.value.status, caught.value.answer) == (409, "half")
