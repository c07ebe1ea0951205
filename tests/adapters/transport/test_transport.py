from __future__ import annotations

import asyncio
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pydantic import SecretStr

from adapters.errors import AdapterError, Busy, Conflict, Nonsense, NotAdmitted, Rejected, TimedOut, Unreachable
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.ticketing.ticketing import TicketingSystem, serving
from adapters.transport.credentials import Basic, Client, ClientCredentials, Credential, Token, fixed
from adapters.transport.retry_after import LONGEST, retry_after
from adapters.transport.transport import Call, System, Transport, opened
from tests.adapters.conftest import JSON, asking, http, saying, soon

GET = Call(method="GET", path=("troubleTicket",))
SECRET = "a body that says too much"


def credentials(secret: str) -> list[Credential]:
    known = fixed(SecretStr(secret))
    client = Client(token_url="http://as/token", client_id="us", client_secret=known)
    return [Token(secret=known), Basic(user="us", password=known), ClientCredentials("ticketing", client)]


async def failure(
    said: bytes | None, call: Call = GET, *, seconds: float = 5.0, most_bytes: int = 1_000
) -> AdapterError:
    async with saying(said) as server, asking(server.address, most_bytes=most_bytes) as transport:
        with pytest.raises(AdapterError) as caught:
            (await transport.exchange(call, deadline=soon(seconds))).json()
        return caught.value


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


async def test_an_answer_is_given_as_it_came() -> None:
    async with saying(http("200 OK", b'{"id": "1"}', JSON, "X-Total-Count: 7")) as server, asking(server.address) as it:
        answer = await it.exchange(GET, deadline=soon())
    assert (answer.status, answer.json(), answer.headers["x-total-count"]) == (200, {"id": "1"}, "7")


async def test_a_path_and_a_query_are_quoted() -> None:
    call = Call(method="GET", path=("troubleTicket", "a/b c?"), query=(("externalId", "alarm:1#2&x=\u00e4"),))
    async with saying(http("200 OK", b"[]", JSON)) as server, asking(server.address + "/base/") as transport:
        await transport.exchange(call, deadline=soon())
        [head] = server.heard
    assert head.startswith(b"GET /base/troubleTicket/a%2Fb%20c%3F?externalId=alarm%3A1%232%26x%3D%C3%A4 HTTP/1.1\r\n")


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_a_path_does_not_lead_elsewhere(segment: str) -> None:
    with pytest.raises(ValueError, match="elsewhere"):
        Call(method="GET", path=("troubleTicket", segment))


@pytest.mark.parametrize("address", ["", "ftp://x", "http://", "localhost:80", "http://h/?a=b", "http://h/#x"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address of ticketing"):
        System(name="ticketing", address=address)


def test_a_secret_is_not_printed() -> None:
    for each in credentials("hush"):
        assert "hush" not in repr(System(name="ticketing", address="http://h", credential=each))
    with pytest.raises(ValueError, match="credential") as caught:
        System(name="ticketing", address="http://user:hush@h")
    assert "hush" not in str(caught.value)


async def test_the_credential_is_brought() -> None:
    async with serving(bearer=SecretStr("let me in")) as system:
        token = Token(secret=fixed(SecretStr("let me in")))
        async with opened(System(name="ticketing", address=system.address, credential=token)) as known:
            assert (await known.exchange(GET, deadline=soon())).json() == []
        async with asking(system.address) as stranger:
            with pytest.raises(NotAdmitted) as caught:
                await stranger.exchange(GET, deadline=soon())
    assert caught.value.status == 401


class TestFailures:
    """Each way to fail, over real connections."""

    async def test_nobody_listens(self) -> None:
        async with asking(f"http://127.0.0.1:{unused_port()}") as transport:
            with pytest.raises(Unreachable) as caught:
                await transport.exchange(GET, deadline=soon())
        assert not caught.value.may_have_happened
        assert caught.value.hint

    async def test_tls_where_there_is_none(self) -> None:
        async with saying(b"no TLS here") as server, asking(server.address.replace("http", "https")) as transport:
            with pytest.raises(Unreachable) as caught:
                await transport.exchange(GET, deadline=soon())
        assert not caught.value.may_have_happened

    async def test_it_hangs_up_without_a_word(self) -> None:
        error = await failure(b"", Call(method="POST", path=(), body={}))
        assert isinstance(error, Unreachable)
        assert error.may_have_happened

    async def test_half_an_answer(self) -> None:
        error = await failure(http("200 OK", b'{"id": ', JSON, length=100))
        assert isinstance(error, Unreachable)
        assert error.may_have_happened

    async def test_half_an_answer_in_chunks(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert isinstance(await failure(head + b'7\r\n{"id": '), Unreachable)

    @pytest.mark.parametrize("rubbish", [b"zz\r\n{}\r\n", b"-1\r\n{}\r\n"])
    async def test_chunks_that_are_none(self, rubbish: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert isinstance(await failure(head + rubbish), Unreachable | Nonsense)

    @pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 50])
    async def test_it_does_not_speak_http(self, said: bytes) -> None:
        error = await failure(said)
        assert isinstance(error, Nonsense)
        assert error.where == "head"

    async def test_a_head_without_an_end(self) -> None:
        assert isinstance(await failure(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000), Nonsense)

    async def test_no_answer_in_time(self) -> None:
        began = time.monotonic()
        error = await failure(None, seconds=0.2)
        assert isinstance(error, TimedOut)
        assert error.may_have_happened
        assert time.monotonic() - began < 2

    async def test_no_time_at_all(self) -> None:
        async with saying(http("200 OK")) as server, asking(server.address) as transport:
            with pytest.raises(TimedOut) as caught:
                await transport.exchange(GET, deadline=time.monotonic())
            assert server.heard == []
        assert not caught.value.may_have_happened

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 599])
    async def test_it_does_not_want_to_now(self, status: int) -> None:
        error = await failure(http(f"{status} Whatever", SECRET.encode(), "Retry-After: 7"))
        assert isinstance(error, Busy)
        assert (error.status, error.retry_after, error.may_have_happened) == (status, 7.0, status >= 500)

    @pytest.mark.parametrize(
        ("status", "kind", "of_a_thing"),
        [
            *((status, Rejected, Rejected) for status in (400, 415, 422, 451)),
            *((status, NotAdmitted, Rejected) for status in (404, 405, 410)),
            *((status, NotAdmitted, NotAdmitted) for status in (401, 403, 407)),
            *((status, Conflict, Conflict) for status in (409, 412)),
        ],
    )
    async def test_it_does_not_want_to_at_all(
        self, status: int, kind: type[AdapterError], of_a_thing: type[AdapterError]
    ) -> None:
        said = http(f"{status} Whatever", SECRET.encode(), JSON)
        error = await failure(said)
        assert (type(error), error.may_have_happened) == (kind, False)
        assert isinstance(error, Rejected | NotAdmitted)
        assert error.status == status
        thing = Call(method="GET", path=("troubleTicket", "7"), names_thing=True)
        assert type(await failure(said, thing)) is of_a_thing

    @pytest.mark.parametrize("status", [301, 302, 304, 307, 308])
    async def test_a_redirect_is_not_followed(self, status: int) -> None:
        async with saying(http("200 OK", b"{}", JSON)) as other:
            error = await failure(http(f"{status} Elsewhere", b"", f"Location: {other.address}/"))
            assert other.heard == []
        assert isinstance(error, NotAdmitted)
        assert (error.status, error.may_have_happened) == (status, False)

    @pytest.mark.parametrize(
        ("said", "where"),
        [
            pytest.param(http("200 OK", b"<html>Log in</html>", "Content-Type: text/html"), "content-type", id="HTML"),
            pytest.param(http("200 OK", b"{}"), "content-type", id="JSON that does not say so"),
            pytest.param(http("200 OK", b"{'id': 1}", JSON), "body", id="almost JSON"),
            pytest.param(http("200 OK", b"", JSON), "body", id="nothing"),
            pytest.param(http("200 OK", b"\xff\xfe", JSON), "body", id="no UTF-8"),
            pytest.param(http("200 OK", b"[" * 900_000, JSON), "body", id="nested beyond measure"),
            pytest.param(http("200 OK", b"\x1f\x8b", JSON, "Content-Encoding: gzip"), "body", id="compressed unasked"),
            pytest.param(http("200 OK", b" " * 1_000_001, JSON), "body", id="too much"),
        ],
    )
    async def test_what_makes_no_sense(self, said: bytes, where: str) -> None:
        error = await failure(said, most_bytes=1_000_000)
        assert isinstance(error, Nonsense)
        assert error.where == where
        assert error.may_have_happened

    async def test_a_flood_is_not_read_to_its_end(self) -> None:
        endless = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b" " * 3_000_000
        error = await failure(endless, most_bytes=1_000)
        assert "1000 bytes" in error.message

    @pytest.mark.parametrize("status", ["200 OK", "400 Bad", "500 Broken", "302 Found"])
    async def test_nothing_of_a_body_is_repeated(self, status: str) -> None:
        error = await failure(http(status, SECRET.encode(), JSON, f"Location: /{SECRET}"))
        assert SECRET not in f"{error!s} {error!r}"


class TestRetryAfter:
    """Seconds or a date."""

    NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            (None, None),
            ("", None),
            ("0", 0.0),
            (" 12 ", 12.0),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("\u0663", None),
            ("9" * 5_000, LONGEST),
            ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
            ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
            ("Sun, 01 Mar 2099 11:00:00 GMT", LONGEST),
            ("Sun, 99 Mar 2026 11:00:00 GMT", None),
        ],
    )
    def test_it_is_read(self, value: str | None, seconds: float | None) -> None:
        assert retry_after(value, now=self.NOW) == seconds

    async def test_a_date_on_the_wire_is_seconds_from_now(self) -> None:
        later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
        error = await failure(http("503 Later", b"", f"Retry-After: {later}"))
        assert isinstance(error, Busy)
        assert error.retry_after == pytest.approx(60, abs=3)


class TestBreaker:
    """As it is used."""

    async def refused(self, transport: Transport) -> AdapterError:
        with pytest.raises(AdapterError) as caught:
            await transport.exchange(Call(method="POST", path=("troubleTicket",), body={}), deadline=soon(0.3))
        return caught.value

    @pytest.mark.parametrize("kind", [Kind.DOWN, Kind.SILENT, Kind.ERROR, Kind.UNAVAILABLE, Kind.SLOW])
    async def test_a_system_that_is_away_is_not_asked_again_at_once(self, system: TicketingSystem, kind: Kind) -> None:
        rule = Rule(kind=kind, seconds=0.5)
        system.faults.order(rule)
        async with asking(system.address, failures=2, fair_seconds=0.2) as transport:
            for _ in range(2):
                assert transport.breaker.retry_at is None
                await self.refused(transport)
            system.faults.behave()
            error = await self.refused(transport)
            assert isinstance(error, Unreachable)
            assert error.retry_after is not None
            assert 0 < error.retry_after <= 1
            assert not error.may_have_happened
            assert transport.breaker.closed_at is None

    async def test_one_that_was_asked_with_little_time_left_is_not_away(self, system: TicketingSystem) -> None:
        system.faults.order(Rule(kind=Kind.SLOW, seconds=5))
        async with asking(system.address, failures=1) as transport:
            for _ in range(2):
                assert isinstance(await self.refused(transport), TimedOut)
            assert transport.breaker.retry_at is None

    async def test_one_that_says_no_is_there(self, system: TicketingSystem) -> None:
        async with asking(system.address, failures=2) as transport:
            for _ in range(4):
                assert isinstance(await self.refused(transport), Rejected)
            system.faults.order(Rule(kind=Kind.TOO_MANY, seconds=1))
            for _ in range(4):
                assert isinstance(await self.refused(transport), Busy)
            assert transport.breaker.retry_at is None

    async def test_it_is_asked_again_when_it_is_back(self, system: TicketingSystem) -> None:
        system.faults.order(Rule(kind=Kind.DOWN, times=2))
        async with asking(system.address, failures=2) as transport:
            for _ in range(2):
                await self.refused(transport)
            assert transport.breaker.retry_at is not None
            await asyncio.sleep(transport.breaker.retry_at - time.monotonic() + 0.01)
            assert (await transport.exchange(GET, deadline=soon())).json() == []
            assert transport.breaker.retry_at is None
            assert transport.breaker.closed_at is not None

    async def test_a_caller_who_goes_away_is_no_failure(self, system: TicketingSystem) -> None:
        system.faults.order(Rule(kind=Kind.SLOW, seconds=5))
        async with asking(system.address, failures=1) as transport:
            for _ in range(3):
                asked = asyncio.create_task(transport.exchange(GET, deadline=soon()))
                await asyncio.sleep(0.05)
                asked.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asked
            assert transport.breaker.retry_at is None
