"""The subscribers of the benchmark hear what a server pushes, and say how late it came."""

from __future__ import annotations

from pathlib import Path

import httpx

from benchmarks.stream_client import Subscribers
from benchmarks.stream_floor import Floor
from gateway.http.serving import bound, bounds_of, listening
from gateway.settings.settings import Settings
from tests.gateway.conftest import Mint


async def test_subscribers_hear_what_is_pushed_to_some_and_to_all(tmp_path: Path) -> None:
    settings = Settings(listen="127.0.0.1:0", issuers=(Mint(tmp_path).settings(),))
    sock = bound(settings)
    port = sock.getsockname()[1]
    subscribers = Subscribers()
    async with listening(Floor(), sock, bounds_of(settings)), httpx.AsyncClient() as http:
        asked = {"port": port, "address": "127.0.0.2", "query": "subscription { alerts { at } }"}
        assert await subscribers.open({**asked, "tokens": ["a", "b"], "each": 3}) == {"open": 6}
        for expected, query in ((2, "?most=2"), (6, "")):
            await http.post(f"http://127.0.0.1:{port}/push{query}")
            heard = await subscribers.take({"expected": expected, "seconds": 20})
            assert (len(heard["latencies"]), heard["lost"], heard["wrong"]) == (expected, 0, [])
            assert all(0 <= each < 20_000 for each in heard["latencies"])
        await subscribers.close({})
