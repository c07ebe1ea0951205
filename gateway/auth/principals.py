"""Who is calling is in the headers of a request: one token, or a router's and its user's.

A router forwards what its users ask. It sends its own token in `Authorization` and the user's, as the user's client sent
it, in `X-Acts-For: Bearer <token>`; both are verified alike, so that a router can act for those only who have lately
called it. The principal then is the user's in all that decides what is read or written, and the router's in what only a
router may ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gateway.auth.tokens import CHALLENGE, Tokens, insufficient, invalid
from gateway.errors import Code, refuse
from graph.model.scope import Principal, Role

ACTS_FOR: Final = b"x-acts-for"


async def principal_of(tokens: Tokens, headers: Mapping[bytes, bytes]) -> Principal:
    """Give the principal of a request; without a token that is believed, the request is `Refused`."""
    given = headers.get(b"authorization")
    if given is None:
        raise refuse(Code.UNAUTHENTICATED, "The request has no token.", headers=CHALLENGE)
    principal = await _believed(tokens, given)
    user = headers.get(ACTS_FOR)
    return principal if user is None else _acting(principal, await _believed(tokens, user))


async def _believed(tokens: Tokens, header: bytes) -> Principal:
    scheme, _, token = header.partition(b" ")
    token = token.strip()
    if scheme.lower() != b"bearer" or not token:
        raise invalid("The header is not of the form Bearer, space, token.")
    return tokens.remembered(token) or await tokens.verify(token)


def _acting(router: Principal, user: Principal) -> Principal:
    if router.role is not Role.ROUTER or user.role is Role.ROUTER:
        raise insufficient("Only a router acts for a user, and never for a router.", "Leave out `X-Acts-For`.")
    return replace(user, role=Role.ROUTER, acts_for=user.role)
