"""Who asks, over real connections: tokens, passwords, OAuth2's client credentials and certificates, and files that change."""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import structlog.testing
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.errors import AdapterError, Busy, Nonsense, NotAdmitted, Unreachable
from adapters.simulator.serving import listening
from adapters.transport.credentials import Basic, Client, ClientCredentials, Credential, Token, fixed, in_file
from adapters.transport.files import Watched, read_secret
from adapters.transport.tls import TlsFiles
from adapters.transport.transport import Call, System, Transport, opened
from tests.adapters.conftest import soon

GET = Call(method="GET", path=("thing",))


@dataclass
class Guarded:
    """A system that takes some tokens, and the authorization server that gives them."""

    good: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    """what the system was brought."""
    grants: list[tuple[str | None, dict[str, list[str]]]] = field(default_factory=list)
    """what the authorization server was asked: the Authorization, and the form."""
    grant: Callable[[int], Response] = lambda number: JSONResponse(
        {"access_token": f"t{number}", "token_type": "Bearer", "expires_in": 3600}
    )
    pause: float = 0.0

    async def thing(self, request: Request) -> Response:
        brought = request.headers.get("authorization", "")
        self.asked.append(brought)
        return JSONResponse([], 200 if brought in self.good else 401)

    async def token(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        self.grants.append((request.headers.get("authorization"), form))
        await asyncio.sleep(self.pause)
        return self.grant(len(self.grants))


@asynccontextmanager
async def guarded(guard: Guarded) -> AsyncIterator[str]:
    routes = [Route("/thing", guard.thing, methods=["GET"]), Route("/token", guard.token, methods=["POST"])]
    async with listening(Starlette(routes=routes)) as address:
        yield address


@asynccontextmanager
async def asking(address: str, credential: Credential | None, **given: Any) -> AsyncIterator[Transport]:
    async with opened(System(name="ticketing", address=address, credential=credential, **given)) as found:
        yield found


async def status(transport: Transport) -> int:
    try:
        return (await transport.exchange(GET, deadline=soon())).status
    except NotAdmitted as error:
        return error.status


def client(address: str, **given: Any) -> ClientCredentials:
    described = {"client_id": "us", "client_secret": fixed(SecretStr("hush")), **given}
    return ClientCredentials("ticketing", Client(token_url=f"{address}/token", **described))


async def test_a_name_and_a_password_are_brought_as_rfc_7617_says() -> None:
    brought = base64.b64encode("Ada:pass:w\u00f6rd".encode()).decode()
    guard = Guarded(good={f"Basic {brought}"})
    credential = Basic(user="Ada", password=fixed(SecretStr("pass:w\u00f6rd")))
    async with guarded(guard) as address, asking(address, credential) as transport:
        assert await status(transport) == 200


class TestFiles:
    """What a file holds now is what counts."""

    def changed(self, file: Path, text: str) -> None:
        """Write it as another file that takes its place, as whoever renews secrets does."""
        beside = file.with_suffix(".new")
        beside.write_text(text)
        beside.replace(file)

    async def test_a_token_is_read_again_when_its_file_has_changed(self, tmp_path: Path) -> None:
        file, guard = tmp_path / "token", Guarded(good={"Bearer one"})
        file.write_text("one\n")
        async with guarded(guard) as address, asking(address, Token(secret=in_file(file))) as transport:
            assert await status(transport) == 200
            self.changed(file, "two")
            guard.good = {"Bearer two"}
            assert await status(transport) == 200
        assert guard.asked == ["Bearer one", "Bearer two"]

    async def test_one_that_changes_while_a_request_is_under_way_is_brought_in_a_second(self, tmp_path: Path) -> None:
        file, guard = tmp_path / "token", Guarded(good={"Bearer two"})
        file.write_text("one")
        real = guard.thing

        async def thing(request: Request) -> Response:
            answer = await real(request)
            self.changed(file, "two")
            return answer

        guard.thing = thing  # type: ignore[method-assign]  # for this test
        async with guarded(guard) as address, asking(address, Token(secret=in_file(file))) as transport:
            assert await status(transport) == 200
        assert guard.asked == ["Bearer one", "Bearer two"]

    async def test_what_is_refused_and_is_the_same_still_is_not_brought_twice(self) -> None:
        guard = Guarded()
        async with guarded(guard) as address, asking(address, Token(secret=fixed(SecretStr("x")))) as transport:
            assert await status(transport) == 401
        assert guard.asked == ["Bearer x"]

    def test_a_link_that_leads_to_another_file_counts(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            (tmp_path / name).write_text(name)
        link = tmp_path / "link"
        link.symlink_to(tmp_path / "a")
        secret = in_file(link)
        assert secret() == "a"
        link.unlink()
        link.symlink_to(tmp_path / "b")
        assert secret() == "b"

    @pytest.mark.parametrize("then", ["", None])
    def test_one_that_is_being_written_changes_nothing(self, tmp_path: Path, then: str | None) -> None:
        file = tmp_path / "token"
        file.write_text("swordfish")
        watched = Watched([file], lambda: read_secret(file))
        file.unlink() if then is None else self.changed(file, then)
        with structlog.testing.capture_logs() as lines:
            assert [watched.current() for _ in range(3)] == ["swordfish"] * 3
        assert len(lines) == (0 if then is None else 1), "it is said once"
        assert "swordfish" not in str(lines)
        self.changed(file, "two")
        assert watched.current() == "two"

    def test_there_is_one_to_begin_with(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="No such file"):
            in_file(tmp_path / "none")


class TestClientCredentials:
    """RFC 6749, section 4.4."""

    async def test_a_token_is_asked_for_once_and_kept(self) -> None:
        guard = Guarded(good={"Bearer t1"}, pause=0.05)
        async with guarded(guard) as address, asking(address, client(address, scope="a b")) as transport:
            assert await asyncio.gather(*(status(transport) for _ in range(5))) == [200] * 5
        [(authorization, form)] = guard.grants
        assert authorization == f"Basic {base64.b64encode(b'us:hush').decode()}"
        assert form == {"grant_type": ["client_credentials"], "scope": ["a b"]}

    async def test_the_secret_goes_into_the_form_where_that_is_wanted(self) -> None:
        guard = Guarded(good={"Bearer t1"})
        async with guarded(guard) as address, asking(address, client(address, sent_as="form", audience="x")) as it:
            assert await status(it) == 200
        [(authorization, form)] = guard.grants
        assert authorization is None
        assert (form["client_id"], form["client_secret"], form["audience"]) == (["us"], ["hush"], ["x"])

    async def test_a_secret_with_odd_characters_is_quoted_as_section_2_3_1_says(self) -> None:
        guard = Guarded(good={"Bearer t1"})
        odd = fixed(SecretStr("a:b c%\u00e4"))
        async with guarded(guard) as address, asking(address, client(address, client_secret=odd)) as transport:
            assert await status(transport) == 200
        authorization = str(guard.grants[0][0]).removeprefix("Basic ")
        assert base64.b64decode(authorization) == b"us:a%3Ab+c%25%C3%A4"

    async def test_it_is_renewed_before_it_ends(self) -> None:
        guard = Guarded(good={"Bearer t1", "Bearer t2"})
        guard.grant = lambda number: JSONResponse(
            {"access_token": f"t{number}", "expires_in": 0 if number == 1 else 60}
        )
        async with guarded(guard) as address, asking(address, client(address)) as transport:
            assert [await status(transport) for _ in range(3)] == [200] * 3
        assert guard.asked == ["Bearer t1", "Bearer t2", "Bearer t2"]

    async def test_one_that_is_refused_is_renewed_and_the_request_sent_once_more(self) -> None:
        guard = Guarded(good={"Bearer t1"})
        async with guarded(guard) as address, asking(address, client(address)) as transport:
            assert await status(transport) == 200
            guard.good = {"Bearer t2"}
            assert await asyncio.gather(*(status(transport) for _ in range(3))) == [200] * 3
        assert len(guard.grants) == 2, "whoever comes with the old one finds the new one"

    async def test_one_that_is_never_taken_is_asked_for_once_more_and_no_more(self) -> None:
        guard = Guarded()
        async with guarded(guard) as address, asking(address, client(address)) as transport:
            assert await status(transport) == 401
        assert (len(guard.asked), len(guard.grants)) == (2, 2)

    async def test_while_the_server_is_away_the_token_is_good_until_it_ends(self) -> None:
        guard = Guarded(good={"Bearer t1"})
        guard.grant = lambda number: (
            JSONResponse({"access_token": "t1", "expires_in": 2}) if number == 1 else Response(status_code=503)
        )
        async with guarded(guard) as address, asking(address, client(address)) as transport:
            assert await status(transport) == 200
            given = transport._system.credential
            assert isinstance(given, ClientCredentials)
            granted = given._granted
            assert granted is not None
            given._granted = type(granted)(header=granted.header, renew_at=time.monotonic(), ends_at=granted.ends_at)
            assert await status(transport) == 200
            given._granted = type(granted)(header=granted.header, renew_at=0.0, ends_at=0.0)
            with pytest.raises(Busy) as caught:
                await transport.exchange(GET, deadline=soon())
        assert not caught.value.may_have_happened, "the system itself was asked for nothing"

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (JSONResponse({"error": "invalid_client"}, 401), NotAdmitted),
            (JSONResponse({"error": "invalid_scope"}, 400), NotAdmitted),
            (Response(status_code=302, headers={"Location": "/login"}), NotAdmitted),
            (Response(status_code=429), Busy),
            (Response(status_code=502), Busy),
            (Response("<html>"), Nonsense),
            (JSONResponse([]), Nonsense),
            (JSONResponse({"access_token": ""}), Nonsense),
            (JSONResponse({"access_token": "a\r\nb"}), Nonsense),
            (JSONResponse({"access_token": "a", "token_type": "mac"}), Nonsense),
        ],
    )
    async def test_what_goes_wrong_there_was_not_asked_of_the_system(
        self, answer: Response, error: type[AdapterError]
    ) -> None:
        guard = Guarded(grant=lambda _: answer)
        async with guarded(guard) as address, asking(address, client(address)) as transport:
            with pytest.raises(error) as caught:
                await transport.exchange(GET, deadline=soon())
        assert (guard.asked, caught.value.may_have_happened) == ([], False)
        assert "hush" not in f"{caught.value!s} {caught.value!r}"

    async def test_a_server_that_is_not_there_is_unreachable(self) -> None:
        guard = Guarded()
        async with guarded(guard) as address, asking(address, client("http://127.0.0.1:9")) as transport:
            with pytest.raises(Unreachable):
                await transport.exchange(GET, deadline=soon())


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        self.file = directory / "authority.pem"
        certificate = self._signed(self._name, self._key, x509.BasicConstraints(ca=True, path_length=None))
        self.file.write_bytes(certificate)

    def pair(self, name: str) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = Pair(self._directory / f"{name}.pem", self._directory / f"{name}.key")
        names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        made.certificate.write_bytes(self._signed(subject, key, names))
        private = serialization.PrivateFormat.PKCS8
        made.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()))
        return made

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType) -> bytes:
        now = datetime.now(UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(extension, critical=True)
        )
        return built.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class TestTls:
    """Certificates of our own, by an authority of the provider's own."""

    @asynccontextmanager
    async def wanting(self, authority: Authority, callers: list[str]) -> AsyncIterator[str]:
        """Serve over TLS to those who bring a certificate, and remember whose it was."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.file)
        served = authority.pair("server")
        context.load_cert_chain(served.certificate, served.key)
        context.verify_mode = ssl.CERT_REQUIRED

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            shown: Any = writer.get_extra_info("peercert")
            callers.append(shown["subject"][0][0][1])
            await reader.readuntil(b"\r\n\r\n")
            head = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
            )
            writer.write(head + b"[]")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        async with server:
            yield f"https://localhost:{server.sockets[0].getsockname()[1]}"

    async def test_a_certificate_is_brought_and_a_renewed_one_from_then_on(self, tmp_path: Path) -> None:
        authority, callers = Authority(tmp_path), list[str]()
        first, second = authority.pair("first"), authority.pair("second")
        files = Pair(tmp_path / "ours.pem", tmp_path / "ours.key")
        tls = TlsFiles(certificate=files.certificate, key=files.key, authority=authority.file)
        async with self.wanting(authority, callers) as address:
            for each in (first, second):
                files.key.write_bytes(each.key.read_bytes())
                files.certificate.write_bytes(each.certificate.read_bytes())
                if each is first:
                    way = opened(System(name="ticketing", address=address, tls=tls))
                    transport = await way.__aenter__()
                assert (await transport.exchange(GET, deadline=soon())).status == 200
            await way.__aexit__(None, None, None)
        assert callers == ["first", "second"]

    async def test_without_one_or_with_another_authority_there_is_no_connection(self, tmp_path: Path) -> None:
        authority, callers = Authority(tmp_path), list[str]()
        async with self.wanting(authority, callers) as address:
            for tls in (None, TlsFiles(authority=authority.file)):
                async with opened(System(name="ticketing", address=address, tls=tls)) as transport:
                    with pytest.raises(Unreachable):
                        await transport.exchange(GET, deadline=soon())
        assert callers == []
