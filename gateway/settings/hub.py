"""The section `hubs` of the settings: where those may be who ask to be told of alarms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

LEAST_SECRET = 32
"""characters."""


class Hubs(BaseModel):
    """Where callbacks may lead; without the section, nowhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: tuple[Annotated[str, Field(pattern=r"^\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")], ...] = ()
    """names of hosts that may be called, in lower case; one that begins with a dot stands for all below it."""
    loopback: bool = False
    """http, and this machine's own addresses, as well: to try things out, never in production."""
    secret: SecretStr = SecretStr("")
    """what is sent is signed with it (HMAC-SHA256), at least 32 characters."""
    secret_file: Path | None = None

    @model_validator(mode="after")
    def _is_signed(self) -> Self:
        if misfits := list(self._misfits()):
            raise ValueError("; ".join(misfits))
        return self

    def _misfits(self) -> Iterator[str]:
        given = self.secret.get_secret_value()
        if not (self.hosts or self.loopback):
            yield "allows no hosts: leave it out, or name some"
        if self.secret_file is not None and given:
            yield "has a secret_file and a secret: give either"
        if self.secret_file is None and len(given) < LEAST_SECRET:
            yield f"has a secret of less than {LEAST_SECRET} characters"


def with_secret(hubs: Hubs | None) -> tuple[Hubs | None, list[str]]:
    """Read the secret, where a file has it."""
    if hubs is None or hubs.secret_file is None:
        return hubs, []
    try:
        secret = hubs.secret_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        return hubs, [f"hubs.secret_file: {hubs.secret_file} cannot be read: {reason}."]
    if len(secret) < LEAST_SECRET:
        return hubs, [f"hubs.secret_file: {hubs.secret_file} has less than {LEAST_SECRET} characters."]
    return hubs.model_copy(update={"secret": SecretStr(secret)}), []
