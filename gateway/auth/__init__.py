"""Who is calling: a bearer token becomes a `Principal`, or a refusal that says what is wrong with the token.

In: the headers of a request. Out: a `graph.model.scope.Principal` and until when it is believed, or `gateway.errors.Refused`. Nothing of HTTP answers is
known here.

Files, in order of flow: `principals.py` (headers to principal; a router acts for a user) · `tokens.py` (JWS verification
and claims) · `keys.py` (the issuers' keys, JWKS) · `minting.py` (a local issuer, to try things out).

Invariants
1. There is no anonymous caller.
2. A key is used only with the algorithms that it is published for.

Example: `await caller_of(tokens, {b"authorization": b"Bearer ey..."})` gives `Principal(subject="...", role=Role.OPERATOR)` and
the time at which the token ends.
"""
