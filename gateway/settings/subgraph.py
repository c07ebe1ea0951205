"""Subgraphs belong to others: where they are, what they are told and what of theirs is passed on is for operators to say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

HEADER: Final = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"

HeaderName = Annotated[str, Field(pattern=HEADER, max_length=100)]
Count = Annotated[int, Field(gt=0)]


Names = tuple[HeaderName, ...]
Seconds = Annotated[float, Field(gt=0, le=300)]


def _http(name: str, url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        raise ValueError(f"has no http or https address{name}.")
    return url


class SubgraphSettings(BaseModel):
    """How one remote subgraph is asked; what is not said here is as for all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = ""
    """where it is, if not where the supergraph says."""
    timeout_seconds: Seconds | None = None
    """of one request to it."""
    connections: Count | None = None
    """at a time."""
    headers: Mapping[HeaderName, SecretStr] = {}
    """sent to it with every request."""
    forward_headers: Names | None = None
    """of a client's request, that go on to it; these only, whatever is set for all."""
    show_messages: bool = False
    """let clients read its error messages."""

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return _http("", value)


class FederationSettings(BaseModel):
    """How subgraphs are asked, and how far planning may go."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    supergraph: Path | None = None
    """the file."""
    urls: Mapping[str, str] = {}
    """by subgraph name, as typed on the command line: where it is."""
    forward_headers: Names = ()
    """of a client's request, that go on to every subgraph without a rule of its own,"""
    return_headers: Names = ()
    """and of a subgraph's answer, that go back to the client; answers are then not shared."""
    show_subgraphs: bool = False
    """name the subgraph in errors."""
    share: bool = True
    """ask once what several clients ask at the same time with the same headers."""
    tries: Annotated[int, Field(ge=1, le=5)] = 3
    """of a read that a subgraph could not answer, the first included."""
    response_bytes: Count = 20_000_000
    timeout_seconds: Seconds | None = None
    """of one request to a subgraph; as long as the client's request without it."""
    connections: Count = 100
    """to each subgraph at a time."""
    plan_steps: Count = 200_000
    plan_fields: Count = 20_000
    """in all requests of a plan together."""

    @field_validator("urls")
    @classmethod
    def _addresses(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        return {name: _http(f" for {name}", url) for name, url in value.items()}
