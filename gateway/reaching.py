"""How a surrounding system is reached, as its section of the settings says: its address, and who asks.

In: a section with credentials, a name and an address. Out: an `adapters.transport.transport.System`.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from adapters.transport.credentials import Basic, Client, ClientCredentials, Credential, Secret, Token, fixed, in_file
from adapters.transport.tls import TlsFiles
from adapters.transport.transport import System
from gateway.settings.system import Credited


def system_of(
    chosen: Credited, name: str, address: str, *, header: str = "Authorization", scheme: str = "Bearer"
) -> System:
    """Describe how a system is reached; `header` and `scheme` are those of its tokens."""
    tls = chosen.tls
    return System(
        name=name,
        address=address,
        credential=_credential(chosen, name, header, scheme),
        tls=TlsFiles(certificate=tls.certificate_file, key=tls.key_file, authority=tls.authority_file) if tls else None,
    )


def _credential(chosen: Credited, name: str, header: str, scheme: str) -> Credential | None:
    if (oauth := chosen.oauth) is not None:
        client = Client(
            token_url=oauth.token_url,
            client_id=oauth.client_id,
            client_secret=_secret(oauth.client_secret, oauth.client_secret_file),
            scope=oauth.scope,
            audience=oauth.audience,
            sent_as=oauth.sent_as,
        )
        return ClientCredentials(name, client)
    if (basic := chosen.basic) is not None:
        return Basic(user=basic.user, password=_secret(basic.password, basic.password_file))
    if chosen.bearer_file is None and not chosen.bearer.get_secret_value():
        return None
    return Token(secret=_secret(chosen.bearer, chosen.bearer_file), header=header, scheme=scheme)


def _secret(value: SecretStr, file: Path | None) -> Secret:
    return fixed(value) if file is None else in_file(file)
