"""The examples are run with tokens of the issuer of the gateway's tests."""

from tests.gateway.conftest import mint

__all__ = ["mint"]
