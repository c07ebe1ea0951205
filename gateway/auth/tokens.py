"""Who is calling is what a token says, once nothing about the token is left to doubt.

A token is a JWT (RFC 7519). Its issuer, read from it before anything is believed, chooses the rules: those of the
settings, never those of the token. Checked in this order, and refused at the first that does not hold:

1. three parts of JSON; no header that brings a key along or points to one (`jku`, `jwk`, `x5u`, `x5c`), no `crit`
2. a known issuer, exactly; a `typ` and an `alg` that this issuer uses
3. a key of the issuer's, the signature
4. `iss`, `aud`, `sub`; `exp`, `nbf` and `iat` with a minute's leeway
5. exactly one role that we know; customers for a customer, and what it may change

A token that passed is remembered by its hash until it expires, a minute at most: a signature costs a tenth of a request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from cachetools import LRUCache
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwt import JWTClaimsRegistry

from gateway.auth.keys import KeyRing
from gateway.errors import Code, Headers, Refused, refuse
from gateway.settings.settings import Issuer
from graph.model.scope import Principal, Role

LEEWAY: Final = 60
REMEMBERED_SECONDS: Final = 60.0
REMEMBERED_BYTES: Final = 16_000_000
"""of remembered principals; 40 thousand of one customer each."""
MOST_BYTES: Final = 8_192
MOST_CUSTOMERS: Final = 1_000
FORBIDDEN_HEADERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit"})
CHALLENGE: Final[Headers] = ((b"www-authenticate", b'Bearer realm="trunkline"'),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """Who is calling, and for how long that is believed."""

    principal: Principal
    expires: float
    """by time.time(): from then on the token is refused; the leeway is in it."""


class Tokens:
    """The tokens that are believed."""

    def __init__(
        self, issuers: Sequence[Issuer], rings: Mapping[str, KeyRing], sources: Mapping[str, Sequence[str]]
    ) -> None:
        """Take whose tokens are believed, by which keys, and for which sources a system speaks beside its own name."""
        self._sources = sources
        self._issuers = {each.issuer: each for each in issuers}
        self._rings = rings
        self._remembered: LRUCache[bytes, tuple[Believed, float]] = LRUCache(REMEMBERED_BYTES, getsizeof=_weight)

    def remembered(self, token: bytes) -> Believed | None:
        """Give whose token this is, if it was verified lately."""
        found = self._remembered.get(hashlib.sha256(token).digest())
        return found[0] if found is not None and time.monotonic() < found[1] else None

    async def verify(self, token: bytes) -> Believed:
        """Verify a token and say whose it is, or refuse."""
        header, claims = _opened(token)
        issuer = self._issuers.get(str(claims.get("iss")))
        if issuer is None:
            raise invalid("The token's issuer is not one that is believed here.")
        _check_header(header, issuer)
        await self._check_signature(token, header, issuer)
        _check_claims(claims, issuer)
        principal = self._with_sources(principal_of(claims, issuer))
        believed = Believed(principal=principal, expires=claims["exp"] + LEEWAY)
        self._remember(token, believed)
        return believed

    def _with_sources(self, principal: Principal) -> Principal:
        if principal.role is not Role.SYSTEM:
            return principal
        given = self._sources.get(principal.system, (principal.system,))
        return replace(principal, sources=tuple(sorted(set(given))))

    async def _check_signature(self, token: bytes, header: Mapping[str, Any], issuer: Issuer) -> None:
        kid = header.get("kid")
        if not (kid is None or isinstance(kid, str)):
            raise invalid("The token's `kid` is not a string.")
        key = await self._rings[issuer.issuer].key(kid)
        if key is None:
            raise invalid("The token is signed by a key that its issuer does not publish.")
        try:
            jwt.decode(token, key, algorithms=list(issuer.algorithms))
        except (JoseError, ValueError):
            raise invalid("The token's signature does not hold.") from None

    def _remember(self, token: bytes, believed: Believed) -> None:
        until = time.monotonic() + min(REMEMBERED_SECONDS, believed.expires - time.time())
        self._remembered[hashlib.sha256(token).digest()] = (believed, until)


def _weight(remembered: tuple[Believed, float]) -> int:
    """Estimate the bytes of a principal that is remembered: its own, and about 60 and the text for each id."""
    principal = remembered[0].principal
    ids = (*principal.customers, *principal.sources, *principal.changes)
    return 480 + len(principal.subject) + sum(60 + len(each) for each in ids)


def invalid(message: str) -> Refused:
    """Refuse a token."""
    challenge = CHALLENGE[0][1] + b', error="invalid_token", error_description="' + message.encode() + b'"'
    return refuse(Code.UNAUTHENTICATED, message, headers=((b"www-authenticate", challenge),))


def insufficient(message: str, hint: str = "") -> Refused:
    """Refuse a token that is genuine and says too little."""
    challenge = CHALLENGE[0][1] + b', error="insufficient_scope"'
    return refuse(Code.INSUFFICIENT_SCOPE, message, hint, headers=((b"www-authenticate", challenge),))


def _opened(token: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    parts = token.split(b".")
    if len(parts) != 3 or len(token) > MOST_BYTES:
        raise invalid("The token is not a JWT.")
    try:
        header, claims = (orjson.loads(_decoded(part)) for part in parts[:2])
    except (binascii.Error, ValueError):
        raise invalid("The token is not a JWT.") from None
    if not (isinstance(header, dict) and isinstance(claims, dict)):
        raise invalid("The token is not a JWT.")
    return header, claims


def _decoded(part: bytes) -> bytes:
    return base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _check_header(header: Mapping[str, Any], issuer: Issuer) -> None:
    if FORBIDDEN_HEADERS & header.keys():
        raise invalid("The token's header brings a key or a demand of its own.")
    if str(header.get("typ", "")).lower() not in {each.lower() for each in issuer.types}:
        raise invalid("The token's `typ` is not one that its issuer uses.")
    if header.get("alg") not in issuer.algorithms:
        raise invalid("The token's `alg` is not one that its issuer uses.")


def _check_claims(claims: dict[str, Any], issuer: Issuer) -> None:
    registry = JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": issuer.issuer},
        aud={"essential": True, "value": issuer.audience},
        sub={"essential": True},
        exp={"essential": True},
    )
    for name in ("exp", "nbf", "iat"):
        if name in claims and not _is_time(claims[name]):
            raise invalid(f"The token's `{name}` is not a time.")
    try:
        registry.validate(claims)
    except ExpiredTokenError:
        raise invalid("The token has expired.") from None
    except JoseError as error:
        name = getattr(error, "claim", "") or "claims"
        raise invalid(f"The token's `{name}` does not hold.") from None
    if not isinstance(claims["sub"], str):
        raise invalid("The token's `sub` is not a string.")


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def principal_of(claims: Mapping[str, Any], issuer: Issuer) -> Principal:
    """Read the principal from verified claims."""
    given = claims.get(issuer.roles_claim)
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list):
        raise insufficient(f"The token has no `{issuer.roles_claim}`.")
    roles = {each for each in map(_role, names) if each is not None}
    if len(roles) != 1:
        raise insufficient(f"The token's `{issuer.roles_claim}` names {len(roles)} of the known roles, not one.")
    role, system = roles.pop()
    return Principal(
        subject=f"{len(issuer.issuer)}:{issuer.issuer}{len(claims['sub'])}:{claims['sub']}",
        role=role,
        customers=_customers(claims, issuer) if role is Role.CUSTOMER else (),
        changes=_changes(claims, issuer) if role is Role.CUSTOMER else (),
        system=system,
    )


def _role(name: Any) -> tuple[Role, str] | None:
    if not isinstance(name, str):
        return None
    kind, separator, system = name.partition(":")
    if separator:
        return (Role.SYSTEM, system) if kind == Role.SYSTEM.value and system else None
    try:
        role = Role(name)
    except ValueError:
        return None
    return None if role is Role.SYSTEM else (role, "")


def _customers(claims: Mapping[str, Any], issuer: Issuer) -> tuple[str, ...]:
    given = claims.get(issuer.customers_claim)
    names = [given] if isinstance(given, str) else given
    if not (isinstance(names, list) and names and all(isinstance(each, str) and each for each in names)):
        raise insufficient(f"The token's `{issuer.customers_claim}` names no customer.")
    if len(names) > MOST_CUSTOMERS:
        raise insufficient(f"The token's `{issuer.customers_claim}` names more than {MOST_CUSTOMERS} customers.")
    return tuple(sorted(set(names)))


def _changes(claims: Mapping[str, Any], issuer: Issuer) -> tuple[str, ...]:
    """Read what a customer may change; without the claim nothing. A name that is no change of ours grants nothing."""
    given = claims.get(issuer.changes_claim, [])
    names = [given] if isinstance(given, str) else given
    if not (isinstance(names, list) and all(isinstance(each, str) and each for each in names)):
        raise insufficient(f"The token's `{issuer.changes_claim}` is no list of names of changes.")
    return tuple(sorted(set(names)))
