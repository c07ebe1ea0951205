"""The client is tried against the gateway's own server, with the issuer of its tests."""

from tests.gateway.conftest import mint, settings

__all__ = ["mint", "settings"]
