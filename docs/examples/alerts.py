"""Follow alerts from Python: GATEWAY=... TOKEN=... python alerts.py. With AFTER it goes on after a cursor that was kept."""

import asyncio
import json
import os

from trunkline.client import Client


async def main() -> None:
    """Print each alert as a line of JSON."""
    client = Client(os.environ["GATEWAY"], token=os.environ["TOKEN"])
    async with client.alerts(after=os.environ.get("AFTER")) as alerts:
        async for alert in alerts:
            services = [each.service_id for each in alert.services]
            shown = {"kind": alert.kind, "alarmId": alert.alarm_id, "services": services, "cursor": alert.cursor}
            print(json.dumps(shown), flush=True)


asyncio.run(main())
