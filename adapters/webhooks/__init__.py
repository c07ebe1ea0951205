"""Webhooks: events are posted to addresses that others have named, and no such address may lead inside.

In: an address and a body. Out: whether the address took it.

Files: `outward.py`.

Invariants
1. Only https, only hosts that the operator allows, and only addresses of the public Internet, looked at when connecting.
2. No redirect is followed, and every body is signed.

Example: a callback whose name resolves to 169.254.169.254 is refused.
"""
