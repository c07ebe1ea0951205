"""NETCONF (RFC 6241) over SSH (RFC 6242), as far as rates of services are set by it.

In: a `Device`, and operations as XML. Out: what a device answers, or an `adapters.errors.AdapterError`.

Files, in order of flow: `device.py` (how a device is reached) · `service_model.py` (where a service model has the rate of a service: what is asked for, read and written) ·
`endpoint.py` (one device of a service: locked, changed, committed, told to keep it) · `session.py` (one session with one device) · `messages.py` (operations, and what is read of a reply) · `framing.py` (messages in a
stream of bytes).

Invariants
1. All but `session.py` and `endpoint.py` is pure.
2. A session is used by one task, one call after the other; whatever goes wrong ends it, and with it its locks.
3. The library for SSH is an extra (`trunkline[netconf]`): whoever composes imports this folder only where the settings name devices.

Example: `async with opened(device, deadline=soon) as session: await session.call(lock("candidate"), deadline=soon)`.
"""
