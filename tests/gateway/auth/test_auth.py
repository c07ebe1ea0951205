from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from gateway.auth import keys
from gateway.auth.keys import KeyAddress, KeyFile, KeyRing, KeysUnavailable
from gateway.auth.tokens import Tokens
from gateway.errors import Refused
from gateway.settings.settings import Issuer, Settings
from tests.gateway.conftest import AUDIENCE, ISSUER, Mint, serving

WHO = {"query": "{ whoami }"}


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def claims(**more: Any) -> dict[str, Any]:
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "s", "exp": int(time.time()) + 300, "roles": "operator", **more}


async def ask(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/graphql", json=WHO, headers={"Authorization": f"Bearer {token}"})


def assert_unauthenticated(answer: httpx.Response) -> None:
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="trunkline"')
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert error["extensions"]["hint"]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic dXNlcjpwYXNz", "Bearer a.b", "Bearer a.b.c.d"])
async def test_no_token_is_no_answer(client: httpx.AsyncClient, header: str | None) -> None:
    assert_unauthenticated(
        await client.post("/graphql", json=WHO, headers={} if header is None else {"Authorization": header})
    )


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"exp": 1}, id="expired"),
        pytest.param({"exp": None}, id="without an end"),
        pytest.param({"exp": "tomorrow"}, id="an end that is no time"),
        pytest.param({"exp": float("inf")}, id="an end that never comes"),
        pytest.param({"exp": True}, id="an end that is true"),
        pytest.param({"nbf": 99_999_999_999}, id="not yet"),
        pytest.param({"aud": "another"}, id="for another audience"),
        pytest.param({"aud": ["another", "trunklin"]}, id="for other audiences"),
        pytest.param({"aud": None}, id="for no audience"),
        pytest.param({"iss": "https://issuer.test/"}, id="an issuer that is nearly ours"),
        pytest.param({"iss": None}, id="no issuer"),
        pytest.param({"iss": ["https://issuer.test"]}, id="an issuer in a list"),
        pytest.param({"sub": None}, id="nobody"),
        pytest.param({"sub": 7}, id="a number"),
    ],
)
async def test_a_token_whose_claims_do_not_hold(client: httpx.AsyncClient, mint: Mint, changed: dict[str, Any]) -> None:
    assert_unauthenticated(await ask(client, mint.token(**changed)))


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"jku": "https://evil.test/keys"}, id="jku"),
        pytest.param({"x5u": "https://evil.test/cert"}, id="x5u"),
        pytest.param({"jwk": {"kty": "EC"}}, id="jwk"),
        pytest.param({"x5c": ["MII"]}, id="x5c"),
        pytest.param({"kid": "unknown"}, id="a key that nobody published"),
        pytest.param({"typ": "secevent+jwt"}, id="another kind of token"),
        pytest.param({"typ": ""}, id="no kind of token"),
    ],
)
async def test_a_token_whose_header_does_not_hold(
    client: httpx.AsyncClient, mint: Mint, header: dict[str, Any]
) -> None:
    assert_unauthenticated(await ask(client, mint.token(header=header)))


async def test_a_key_in_the_header_is_not_believed(client: httpx.AsyncClient) -> None:
    key = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "kid": "first", "jwk": key.as_dict(private=False)}
    assert_unauthenticated(await ask(client, jwt.encode(header, claims(), key)))


async def test_a_foreign_key_with_our_name_is_not_believed(client: httpx.AsyncClient) -> None:
    token = jwt.encode({"alg": "ES256", "kid": "first"}, claims(), ECKey.generate_key("P-256"))
    assert_unauthenticated(await ask(client, token))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
async def test_a_token_without_a_signature_is_not_believed(client: httpx.AsyncClient, algorithm: str) -> None:
    header = {"alg": algorithm, "typ": "JWT", "kid": "first"}
    assert_unauthenticated(await ask(client, f"{encoded(header)}.{encoded(claims())}."))


async def test_the_public_key_is_no_shared_secret(client: httpx.AsyncClient, mint: Mint) -> None:
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': 'first'})}.{encoded(claims())}"
    for secret in (mint.key.as_pem(private=False), json.dumps(mint.key.as_dict(private=False)).encode()):
        signature = hmac.new(secret, signed.encode(), "sha256").digest()
        assert_unauthenticated(await ask(client, f"{signed}.{encoded(signature)}"))


async def test_an_algorithm_that_the_issuer_does_not_use_is_not_believed(client: httpx.AsyncClient) -> None:
    token = jwt.encode({"alg": "RS256", "kid": "first"}, claims(), RSAKey.generate_key(2048))
    assert_unauthenticated(await ask(client, token))


async def test_a_changed_token_is_not_believed(client: httpx.AsyncClient, mint: Mint) -> None:
    header, _, signature = mint.token("customer", customers=["customer-1"]).split(".")
    assert_unauthenticated(await ask(client, f"{header}.{encoded(claims())}.{signature}"))


@pytest.mark.parametrize("token", ["é.é.é", "....", f"{encoded(b'[]')}.{encoded(b'[]')}.x", "a" * 9_000])
async def test_what_is_no_token_is_not_believed(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.post("/graphql", json=WHO, headers={b"Authorization": b"Bearer " + token.encode()})
    assert_unauthenticated(answer)


async def test_a_minute_of_leeway_is_given(client: httpx.AsyncClient, mint: Mint) -> None:
    now = int(time.time())
    assert (await ask(client, mint.token(exp=now - 30, nbf=now + 30, iat=now + 30))).status_code == 200


async def test_a_remembered_token_still_expires(mint: Mint) -> None:
    tokens = Tokens((mint.settings(),), {ISSUER: KeyRing(KeyFile(mint.file))}, {})
    token = mint.token(exp=int(time.time()) - 59).encode()
    await tokens.verify(token)
    assert tokens.remembered(token)
    await asyncio.sleep(2.1)
    assert tokens.remembered(token) is None
    with pytest.raises(Refused, match="expired"):
        await tokens.verify(token)


@pytest.mark.parametrize(
    ("roles", "more", "expected"),
    [
        pytest.param("operator", {}, "operator", id="operator"),
        pytest.param(["analyst"], {}, "analyst", id="analyst"),
        pytest.param(
            ["offline_access", "customer"], {"customers": ["b", "a"]}, "customer a b", id="customers are sorted"
        ),
        pytest.param("customer", {"customers": "a"}, "customer a", id="one customer"),
        pytest.param("system:faults", {}, "system", id="system"),
        pytest.param([], {}, None, id="no role"),
        pytest.param(None, {}, None, id="no claim"),
        pytest.param(7, {}, None, id="a number"),
        pytest.param(["admin"], {}, None, id="an unknown role"),
        pytest.param(["operator", "customer"], {"customers": ["a"]}, None, id="two roles"),
        pytest.param("system", {}, None, id="a system without a name"),
        pytest.param("system:", {}, None, id="a system with an empty name"),
        pytest.param("operator:x", {}, None, id="an operator with a name"),
        pytest.param("customer", {}, None, id="a customer of no customer"),
        pytest.param("customer", {"customers": []}, None, id="an empty list of customers"),
        pytest.param("customer", {"customers": [""]}, None, id="an empty customer"),
        pytest.param("customer", {"customers": [1]}, None, id="a number for a customer"),
        pytest.param("customer", {"customers": {"a": 1}}, None, id="an object of customers"),
        pytest.param("customer", {"customers": [str(each) for each in range(1_001)]}, None, id="too many customers"),
    ],
)
async def test_roles_are_read_from_the_claims(
    client: httpx.AsyncClient, mint: Mint, roles: Any, more: dict[str, Any], expected: str | None
) -> None:
    answer = await ask(client, mint.token(roles, **more))
    if expected is None:
        assert answer.status_code == 403
        assert "www-authenticate" in answer.headers
    else:
        assert answer.json() == {"data": {"whoami": expected}}


class TestChanges:
    """What a customer's token may change, by its claim."""

    async def ask(
        self, client: httpx.AsyncClient, mint: Mint, role: str, mutation: str = "report", **claims: Any
    ) -> httpx.Response:
        headers = mint.bearer(role, **claims)
        return await client.post("/graphql", json={"query": f"mutation {{ {mutation} }}"}, headers=headers)

    @pytest.mark.parametrize("changes", ["report", ["report"], ["later", "report", "report"]])
    async def test_what_it_names_it_may(self, client: httpx.AsyncClient, mint: Mint, changes: Any) -> None:
        answer = await self.ask(client, mint, "customer", customers=["a"], changes=changes)
        assert answer.json() == {"data": {"report": "reported"}}

    async def test_one_name_may_stand_for_several_mutations(self, client: httpx.AsyncClient, mint: Mint) -> None:
        answer = await self.ask(client, mint, "customer", "correct", customers=["a"], changes=["report"])
        assert answer.json() == {"data": {"correct": "corrected"}}
        refused = await self.ask(client, mint, "customer", "correct", customers=["a"], changes=["correct"])
        [error] = refused.json()["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN"
        assert "names report" in error["extensions"]["hint"]

    @pytest.mark.parametrize(
        ("role", "mutation", "changes"),
        [
            pytest.param("customer", "report", None, id="no claim"),
            pytest.param("customer", "report", [], id="nothing"),
            pytest.param("customer", "report", ["reports", "*", "Mutation.report"], id="unknown mutations"),
            pytest.param("customer", 'acknowledge(id: "1")', ["acknowledge"], id="a mutation that no claim gives"),
            pytest.param("customer", "forgotten", ["forgotten"], id="a mutation for nobody"),
            pytest.param("analyst", "report", ["report"], id="a role that no claim gives it"),
            pytest.param("system:nms", "report", ["report"], id="a system"),
        ],
    )
    async def test_what_it_does_not_name_or_nobody_may_is_refused(
        self, client: httpx.AsyncClient, mint: Mint, role: str, mutation: str, changes: Any
    ) -> None:
        answer = await self.ask(client, mint, role, mutation, customers=["a"], changes=changes)
        [error] = answer.json()["errors"]
        assert (error["extensions"]["code"], "data" in answer.json()) == ("FORBIDDEN", False)
        assert ("changes" in error["extensions"]["hint"]) == (role == "customer" and mutation == "report")

    @pytest.mark.parametrize("changes", [7, {"report": True}, [7], [""], [["report"]]])
    async def test_a_claim_that_is_no_list_of_names_is_refused(
        self, client: httpx.AsyncClient, mint: Mint, changes: Any
    ) -> None:
        answer = await self.ask(client, mint, "customer", customers=["a"], changes=changes)
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["extensions"]["code"] == "INSUFFICIENT_SCOPE"

    async def test_an_operator_needs_no_claim_and_a_router_has_its_users(
        self, client: httpx.AsyncClient, mint: Mint
    ) -> None:
        assert (await self.ask(client, mint, "operator")).json() == {"data": {"report": "reported"}}
        for changes, told in ((["report"], {"report": "reported"}), ([], None)):
            user = mint.token("customer", customers=["a"], changes=changes)
            headers = {**mint.bearer("router", changes=["report"]), "X-Acts-For": f"Bearer {user}"}
            answer = await client.post("/graphql", json={"query": "mutation { report }"}, headers=headers)
            assert answer.json().get("data") == told


class TestRouter:
    async def ask(self, client: httpx.AsyncClient, query: str, token: str, user: str | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} | ({"X-Acts-For": f"Bearer {user}"} if user else {})
        return await client.post("/graphql", json={"query": query}, headers=headers)

    async def test_it_reads_the_sdl(self, client: httpx.AsyncClient, mint: Mint) -> None:
        answer = await self.ask(client, "{ _service { sdl } }", mint.token("router"), None)
        assert "@key" in answer.json()["data"]["_service"]["sdl"]

    @pytest.mark.parametrize(
        "query",
        ["{ hello }", "{ _service { sdl } hello }", '{ _entities(representations: [{a: "b"}]) { __typename } }'],
    )
    async def test_without_a_user_it_reads_nothing_else(
        self, client: httpx.AsyncClient, mint: Mint, query: str
    ) -> None:
        answer = await self.ask(client, query, mint.token("router"), None)
        assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert "data" not in answer.json()

    async def test_it_asks_in_the_scope_of_its_user(self, client: httpx.AsyncClient, mint: Mint) -> None:
        query = '{ whoami _entities(representations: [{__typename: "Customer"}]) { ... on Customer { name } } }'
        user = mint.token("customer", customers=["a"])
        answer = await self.ask(client, query, mint.token("router"), user)
        assert answer.json() == {"data": {"whoami": "customer a", "_entities": [{"name": "Ada"}]}}

    async def test_it_may_ask_no_more_than_its_user(self, client: httpx.AsyncClient, mint: Mint) -> None:
        user = mint.token("customer", customers=["a"])
        answer = await self.ask(client, "{ customers { margin } }", mint.token("router"), user)
        assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"

    @pytest.mark.parametrize(
        ("role", "user"), [("operator", "operator"), ("router", "router"), ("analyst", "operator")]
    )
    async def test_nobody_else_acts_for_another(
        self, client: httpx.AsyncClient, mint: Mint, role: str, user: str
    ) -> None:
        answer = await self.ask(client, "{ hello }", mint.token(role), mint.token(user))
        assert answer.status_code == 403

    async def test_the_users_token_is_verified_too(self, client: httpx.AsyncClient, mint: Mint) -> None:
        assert_unauthenticated(await self.ask(client, "{ hello }", mint.token("router"), mint.token(exp=1)))


class IssuerServer:
    """An issuer's key server, with faults to order."""

    def __init__(self, *keys: ECKey) -> None:
        self.keys = keys
        self.reads = 0
        self.fault: Response | None = None

    async def answer(self, _: Request) -> Response:
        self.reads += 1
        if self.fault is not None:
            return self.fault
        return JSONResponse({"keys": [each.as_dict(private=False) for each in self.keys]})


def key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid})


class TestKeys:
    async def test_an_unknown_key_makes_the_set_be_read_again_but_not_all_the_time(self, settings: Settings) -> None:
        issuer = IssuerServer(key("a"))
        async with serving(Starlette(routes=[Route("/keys", issuer.answer)]), settings) as client:
            ring = KeyRing(KeyAddress(f"{client.base_url}/keys"))
            assert await ring.key("a")
            for _ in range(5):
                assert await ring.key("b") is None
            assert issuer.reads == 1
            issuer.keys = (key("b"),)
            ring._tried_at -= keys.PAUSE
            assert await ring.key("b")
            assert await ring.key("a") is None, "a key that was taken back is gone"
            assert issuer.reads == 2

    @pytest.mark.parametrize(
        "fault",
        [
            pytest.param(Response("no", 500), id="500"),
            pytest.param(Response("{}"), id="no keys"),
            pytest.param(Response("nothing"), id="no JSON"),
            pytest.param(Response('{"keys": 7}'), id="keys that are a number"),
            pytest.param(Response('{"keys": [7]}'), id="a key that is a number"),
            pytest.param(Response(b" " * 300_000), id="too much"),
            pytest.param(RedirectResponse("/other"), id="somewhere else"),
        ],
    )
    async def test_the_last_good_set_stays(self, settings: Settings, fault: Response) -> None:
        issuer = IssuerServer(key("a"))
        routes = [Route("/keys", issuer.answer), Route("/other", IssuerServer(key("b")).answer)]
        async with serving(Starlette(routes=routes), settings) as client:
            ring = KeyRing(KeyAddress(f"{client.base_url}/keys"))
            assert await ring.key("a")
            issuer.fault = fault
            ring._tried_at -= keys.PAUSE
            assert await ring.key("b") is None
            assert await ring.key("a")
            with pytest.raises(KeysUnavailable):
                await ring.check()

    async def test_only_keys_that_verify_signatures_count(self, tmp_path: Path) -> None:
        file = tmp_path / "keys.json"
        given = [
            {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
            {"kty": "EC", "kid": "broken", "crv": "P-256"},
            key("enc").as_dict(private=False, use="enc"),
            key("good").as_dict(private=False),
        ]
        file.write_text(json.dumps({"keys": given}))
        ring = KeyRing(KeyFile(file))
        assert await ring.check() == 1
        assert await ring.key("good")
        assert await ring.key(None), "the only one is meant where none is named"

    async def test_an_issuer_that_was_never_there_is_503(self, mint: Mint, tmp_path: Path) -> None:
        issuer = Issuer(issuer=ISSUER, audience=AUDIENCE, jwks_file=tmp_path / "not there")
        tokens = Tokens((issuer,), {ISSUER: KeyRing(KeyFile(tmp_path / "not there"))}, {})
        with pytest.raises(Refused) as refused:
            await tokens.verify(mint.token().encode())
        assert refused.value.problems[0].code == "ISSUER_UNAVAILABLE"
        assert refused.value.retry_after


async def test_a_system_speaks_for_its_own_name_or_for_the_sources_that_settings_give_it(mint: Mint) -> None:
    rings = {ISSUER: KeyRing(KeyFile(mint.file))}
    tokens = Tokens((mint.settings(),), rings, {"faults": ("ems-2", "ems-1")})
    assert (await tokens.verify(mint.token("system:faults").encode())).principal.sources == ("ems-1", "ems-2")
    assert (await tokens.verify(mint.token("system:probe").encode())).principal.sources == ("probe",)
    assert (await tokens.verify(mint.token("operator").encode())).principal.sources == ()
