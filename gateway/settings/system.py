"""A surrounding system is described by an operator, and what is wrong with that must be said before it is called.

What the sections of the settings for such systems share is here: what an address may be, what says who asks and where that is
read. Like all settings, they leave as values or as sentences.

A secret in a file is read once here, so that a wrong one is said at the start; the file is read again whenever it changes.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator


class BasicSettings(BaseModel):
    """A name and a password (RFC 7617)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: Annotated[str, Field(min_length=1, pattern="^[^:]+$")]
    password: SecretStr = SecretStr("")
    password_file: Path | None = None


class OAuthSettings(BaseModel):
    """Where tokens are asked for: OAuth2's client credentials (RFC 6749, section 4.4)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token_url: Annotated[str, Field(pattern="^https?://[^/@]+")]
    """the token endpoint."""
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: SecretStr = SecretStr("")
    client_secret_file: Path | None = None
    scope: str = ""
    """several are parted by blanks."""
    audience: str = ""
    """a parameter that some servers want."""
    sent_as: Literal["basic", "form"] = "basic"
    """where the client's secret is put: in a header, or in the form."""


class TlsSettings(BaseModel):
    """PEM files for the connection itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    certificate_file: Path | None = None
    """ours, for a system that wants one (mTLS);"""
    key_file: Path | None = None
    """its key, if it is not in the same file."""
    authority_file: Path | None = None
    """whose signatures are believed, instead of those that the machine believes."""

    @model_validator(mode="after")
    def _is_something(self) -> Self:
        if self.certificate_file is None and (self.key_file is not None or self.authority_file is None):
            raise ValueError("needs a certificate_file, or an authority_file.")
        return self


class Credited(BaseModel):
    """A section that says who asks: by a token, a name and a password, or a token of an authorization server."""

    bearer: SecretStr = SecretStr("")
    bearer_file: Path | None = None
    basic: BasicSettings | None = None
    oauth: OAuthSettings | None = None
    tls: TlsSettings | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if misfits := list(self._misfits()):
            raise ValueError("; ".join(misfits))
        return self

    def _misfits(self) -> Iterator[str]:
        """Give what does not fit together in the section, all of it: each setting by itself was right."""
        bearer = self.bearer_file is not None or bool(self.bearer.get_secret_value())
        if bearer + (self.basic is not None) + (self.oauth is not None) > 1:
            yield "has more than one of bearer, basic and oauth"


T = TypeVar("T", bound=Credited)


def checked_address(address: str) -> str:
    """Give an address of a system, or none; raises ValueError for what is none."""
    try:
        parts = urlsplit(address)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if address and (not is_one or parts.query or parts.fragment):
        raise ValueError("is not http(s)://HOST[:PORT][/PATH].")
    if address and (parts.username or parts.password):
        raise ValueError("has a credential in it: give it as bearer_file.")
    return address


Address = Annotated[str, AfterValidator(checked_address)]
"""Where a system is, or where it reaches us; empty where there is none."""


def with_credential(section: str, system: T | None) -> tuple[T | None, list[str]]:
    """Read the credential of a surrounding system, where a file has it."""
    if system is None:
        return system, []
    bearer, problems = secret_of(f"{section}.bearer", system.bearer, system.bearer_file, needed=False)
    if (basic := system.basic) is not None:
        problems += secret_of(f"{section}.basic.password", basic.password, basic.password_file)[1]
    if (oauth := system.oauth) is not None:
        problems += secret_of(f"{section}.oauth.client_secret", oauth.client_secret, oauth.client_secret_file)[1]
    problems += _tls_problems(section, system)
    return system.model_copy(update={"bearer": bearer}), problems


def secret_of(name: str, value: SecretStr, file: Path | None, *, needed: bool = True) -> tuple[SecretStr, list[str]]:
    """Give a secret that is in the settings or in a file, or what is wrong with it."""
    given = bool(value.get_secret_value())
    if file is None:
        return value, [
            f"{name}: it is missing; give it, or {name.rpartition('.')[2]}_file."
        ] if needed and not given else []
    if given:
        return value, [f"{name}_file: give either it or {name.rpartition('.')[2]}, not both."]
    try:
        secret = SecretStr(file.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        return value, [f"{name}_file: {file} cannot be read: {reason}."]
    return secret, [] if secret.get_secret_value() else [f"{name}_file: {file} is empty."]


def _tls_problems(section: str, system: Credited) -> list[str]:
    if system.tls is None:
        return []
    if str(getattr(system, "address", "")).startswith("http://"):
        return [f"{section}.tls: its address is not https://."]
    return unusable_files(section, system.tls)


def unusable_files(section: str, tls: TlsSettings) -> list[str]:
    """Give what is wrong with the files for a connection."""
    try:
        context = ssl.create_default_context(cafile=tls.authority_file)
        if tls.certificate_file is not None:
            context.load_cert_chain(tls.certificate_file, tls.key_file, password=lambda: "")
    except OSError as error:
        reason = (
            error.strerror if not isinstance(error, ssl.SSLError) and error.strerror else "they do not fit together"
        )
        return [f"{section}.tls: its files cannot be used: {reason}."]
    return []
