"""A store's address is text in settings; a mistake in it should be found when it is read, not when it is first used."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from graph.errors import StoreMisconfigured

_SCHEMES: Final = frozenset({"bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc"})
_HINT: Final = "Write embedded:DIRECTORY, bolt://HOST:7687 or neo4j+s://HOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedAddress:
    """The embedded database that keeps its files in `directory`."""

    directory: Path

    def __str__(self) -> str:
        return f"embedded:{self.directory}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """A Neo4j server."""

    uri: str

    def __str__(self) -> str:
        return self.uri


Address = EmbeddedAddress | ServerAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """How to log in to a Neo4j server: a bearer token, or a user and a password, or nothing."""

    user: str = ""
    password: str = field(default="", repr=False)
    bearer: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.bearer and self.user:
            raise StoreMisconfigured("Both a user and a bearer token are given", hint="Give one of them")
        if bool(self.user) != bool(self.password):
            raise StoreMisconfigured("A user needs a password, and a password a user", hint="Give both or neither")


def parse_address(text: str) -> Address:
    """Read an address.

    >>> str(parse_address("bolt://localhost:7687"))
    'bolt://localhost:7687'
    """
    if text.startswith("embedded:"):
        return _embedded(text.removeprefix("embedded:"))
    try:
        parts = urlsplit(text)
        known = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise StoreMisconfigured("The address of the store cannot be read", hint=_HINT)
    if parts.username or parts.password:
        # Addresses are logged and shown; credentials must not travel in them.
        raise StoreMisconfigured("The address of the store holds a user or a password", hint="Give them apart from it")
    return ServerAddress(uri=text)


def _embedded(directory: str) -> EmbeddedAddress:
    if not directory:
        raise StoreMisconfigured("The embedded store has no directory", hint=_HINT)
    return EmbeddedAddress(directory=Path(directory).expanduser().absolute())
