"""The key of cursors, where settings give none: made once, kept with the store, read by every replica."""

from __future__ import annotations

import base64
import secrets
from typing import Final, LiteralString

from graph.compiler.cursor import KEY_BYTES
from graph.store.store import Store, Transaction

KEEP: Final[LiteralString] = (
    "MERGE (k:StoreKey {id: 'storekey-cursor'}) ON CREATE SET k.text = $text RETURN k.text AS text"
)


async def load_cursor_key(store: Store, *, deadline: float) -> bytes:
    """Give the key that is kept with the store; the first replica to ask makes it."""
    fresh = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()

    async def keep(transaction: Transaction) -> str:
        rows = await transaction.run(KEEP, {"text": fresh})
        return str(rows[0][0])

    return base64.b64decode(await store.write(keep, deadline=deadline))
