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

from gateway.auth.tokens import CHALLENGE, Believed, Tokens, insufficient, invalid
from gateway.errors import Code, refuse
from graph.model.scope import Role

ACTS_FOR: Final = b"x-acts-for"


async def caller_of(tokens: Tokens, headers: Mapping[bytes, bytes]) -> Believed:
    """Say who makes a request, and until when that is believed; without a token that is believed, it is `Refused`."""
    given = headers.get(b"authorization")
    if given is None:
        raise refuse(Code.UNAUTHENTICATED, "The request has no token.", headers=CHALLENGE)
    believed = await _believed(tokens, given)
    user = headers.get(ACTS_FOR)
    return believed if user is None else _acting(believed, await _believed(tokens, user))


async def _believed(tokens: Tokens, header: bytes) -> Believed:
    scheme, _, token = header.partition(b" ")
    token = token.strip()
    if scheme.lower() != b"bearer" or not token:
        raise invalid("The header is not of the form Bearer, space, token.")
    return tokens.remembered(token) or await tokens.verify(token)


def _acting(router: Believed, user: Believed) -> Believed:
    role = user.principal.role
    if router.principal.role is not Role.ROUTER or role is Role.ROUTER:
        raise insufficient("Only a router acts for a user, and never for a router.", "Leave out `X-Acts-For`.")
    principal = replace(user.principal, role=Role.ROUTER, acts_for=role)
    return Believed(principal=principal, expires=min(router.expires, user.expires))
