"""Statements of tests, in a transaction or not."""

from __future__ import annotations

from graph.store.store import Store, Transaction
from tests.graph.changes.network import soon


async def run(store: Store, text: str, **parameters: object) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run(text, parameters)

    await store.write(work, deadline=soon())


async def rows(store: Store, text: str, **parameters: object) -> list[list[object]]:
    return await store.rows(text, parameters, deadline=soon())
