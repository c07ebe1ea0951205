"""Subgraphs belong to others: where they are, what they are told and what of theirs is passed on is for operators to say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

HEADER: Final = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"

HeaderName = Annotated[str, Field(pattern=HEADER, max_length=100)]
Count = Annotated[int, Field(gt=0)]


class FederationSettings(BaseModel):
    """How subgraphs are asked, and how far planning may go."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    supergraph: Path | None = None
    """the file."""
    urls: Mapping[str, str] = {}
    """by subgraph name, where it is not where the file says."""
    headers: Mapping[str, Mapping[HeaderName, SecretStr]] = {}
    """by subgraph name: what is sent to it with every request."""
    forward_headers: tuple[HeaderName, ...] = ()
    """of a client's request, that go on to every subgraph,"""
    return_headers: tuple[HeaderName, ...] = ()
    """and of a subgraph's answer, that go back to the client."""
    show_messages: tuple[str, ...] = ()
    """names of subgraphs whose error messages clients may read."""
    share: bool = True
    """ask once what several clients ask at the same time with the same headers."""
    tries: Annotated[int, Field(ge=1, le=5)] = 3
    """of a read that a subgraph could not answer, the first included."""
    response_bytes: Count = 20_000_000
    connections: Count = 400
    """to all subgraphs together."""
    plan_steps: Count = 200_000
    plan_fields: Count = 20_000
    """in all requests of a plan together."""

    @field_validator("urls")
    @classmethod
    def _addresses(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for name, url in value.items():
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"has no http or https address for {name}.")
        return value
