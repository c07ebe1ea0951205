"""Someone who tries this out has no identity provider yet, and still must not get in without a token.

A local issuer is a key pair in a file that only its owner can read, with the published half beside it as a JWKS; the
setting `issuers` then points to that. It mints whatever its owner asks for: nothing of it belongs in production.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from gateway.errors import CommandFailed
from gateway.settings.settings import Issuer

NAME: Final = "https://demo.trunkline.invalid"
AUDIENCE: Final = "trunkline"
ALGORITHM: Final = "ES256"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalIssuer:
    """An issuer with its private key."""

    name: str
    audience: str
    key: ECKey
    published: Path
    """the JWKS file."""

    def settings(self) -> Issuer:
        """Give the setting that believes its tokens."""
        return Issuer(issuer=self.name, audience=self.audience, jwks_file=self.published)

    def token(
        self,
        *,
        subject: str,
        role: str,
        customers: tuple[str, ...] = (),
        changes: tuple[str, ...] = (),
        seconds: int = 3_600,
    ) -> str:
        """Mint a token."""
        now = int(time.time())
        claims = {
            "iss": self.name,
            "aud": self.audience,
            "sub": subject,
            "iat": now,
            "exp": now + seconds,
            "roles": [role],
            **({"customers": list(customers)} if customers else {}),
            **({"changes": list(changes)} if changes else {}),
        }
        return jwt.encode({"alg": ALGORITHM, "kid": self.key.kid}, claims, self.key)


def local_issuer(path: Path, *, name: str = NAME, audience: str = AUDIENCE) -> LocalIssuer:
    """Read the key pair in a file, or make one there."""
    try:
        key = _read(path) if path.exists() else _made(path)
        published = path.with_name(f"{path.stem}.jwks.json")
        published.write_bytes(orjson.dumps({"keys": [key.as_dict(private=False, use="sig", alg=ALGORITHM)]}))
    except OSError as error:
        raise CommandFailed(f"{path} cannot be used: {error.strerror}.", "Give another file with --key.") from error
    return LocalIssuer(name=name, audience=audience, key=key, published=published)


def _read(path: Path) -> ECKey:
    try:
        key = ECKey.import_key(orjson.loads(path.read_bytes()))
    except (JoseError, ValueError, TypeError, KeyError):
        key = None
    if key is None or not key.is_private or key.curve_name != "P-256":
        raise CommandFailed(f"{path} holds no private P-256 key (JWK).", "Give a file that is not there yet.")
    return key


def _made(path: Path) -> ECKey:
    key = ECKey.generate_key("P-256")
    key.ensure_kid()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(orjson.dumps({**key.as_dict(private=True), "kid": key.kid}))
    return key
