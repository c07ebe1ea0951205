"""What programs of others import: `trunkline.client/`, and nothing of the gateway with it.

In: nothing. Out: nothing; the client's door is `client/`.

Invariant: nothing here imports `gateway`, `resolvers`, `adapters` or `graph`, and none of these imports it.

Example: `from trunkline.client import Client`.
"""
