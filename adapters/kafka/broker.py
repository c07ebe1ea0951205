"""How a broker is reached, as an operator describes it; what is made of that is in the client library's words.

In: the settings. Out: the options of a client. aiokafka is not needed to say so.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from adapters.errors import NotAdmitted
from adapters.transport.credentials import Secret
from adapters.transport.tls import TlsFiles

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
Compression = Literal["none", "gzip"]
_SHARE: Final = 0.8
"""of the time for a round that the library has for each of its requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sasl:
    """Who we are, by SASL."""

    mechanism: Mechanism
    user: str
    password: Secret = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """How a broker is reached."""

    servers: tuple[str, ...]
    """HOST:PORT of some of its servers."""
    tls: TlsFiles | None = None
    """None: the connection is not encrypted."""
    sasl: Sasl | None = None
    request_seconds: float = 10.0

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"Kafka at {', '.join(self.servers)}"

    def options(self) -> dict[str, Any]:
        """Give what each kind of client is made with; files are read anew, since they may have changed."""
        encrypted, sasl = self.tls is not None, self.sasl
        protocol = ("SASL_SSL" if encrypted else "SASL_PLAINTEXT") if sasl else ("SSL" if encrypted else "PLAINTEXT")
        made: dict[str, Any] = {
            "bootstrap_servers": list(self.servers),
            "client_id": "trunkline",
            "security_protocol": protocol,
            # Before we give up ourselves, so that we are told why.
            "request_timeout_ms": int(self.request_seconds * _SHARE * 1_000),
        }
        if self.tls is not None:
            made["ssl_context"] = self._context(self.tls)
        if sasl is not None:
            made |= {
                "sasl_mechanism": sasl.mechanism,
                "sasl_plain_username": sasl.user,
                "sasl_plain_password": sasl.password(),
            }
        return made

    def _context(self, files: TlsFiles) -> ssl.SSLContext:
        try:
            return files.watched().current()
        except OSError as error:
            raise NotAdmitted(f"{self.name}: the files of tls cannot be used", hint=str(error), status=0) from None
