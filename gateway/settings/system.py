"""A surrounding system is described by an operator, and what is wrong with that must be said before it is called.

What the sections of the settings for such systems share is here: what an address may be, how a credential is read from a
file. Like all settings, they leave as values or as sentences.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr


class Credited(BaseModel):
    """A section that has a credential, or a file that has it."""

    bearer: SecretStr = SecretStr("")
    bearer_file: Path | None = None


T = TypeVar("T", bound=Credited)


def check_address(address: str) -> None:
    """Raise ValueError for what is no address of a surrounding system."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("has an address that is not http(s)://HOST[:PORT][/PATH].")
    if parts.username or parts.password:
        raise ValueError("has an address with a credential in it: give it as bearer_file.")


def with_bearer(section: str, system: T | None) -> tuple[T | None, list[str]]:
    """Read the credential of a surrounding system, where a file has it."""
    if system is None or system.bearer_file is None:
        return system, []
    if system.bearer.get_secret_value():
        return system, [f"{section}.bearer_file: give either it or bearer, not both."]
    try:
        bearer = SecretStr(system.bearer_file.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        return system, [f"{section}.bearer_file: {system.bearer_file} cannot be read: {reason}."]
    return system.model_copy(update={"bearer": bearer}), []
