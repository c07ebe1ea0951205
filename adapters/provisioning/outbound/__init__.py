"""The dialects of provisioning that we speak: the rate of a service is set, and read back.

In: a `RateRequest`. Out: a `RateConfirmed`, or an `adapters.errors.AdapterError`.

Files: `tmf640.py` (service activation by TMF640, with monitors and without) · `netconf.py` (devices by NETCONF).

Invariant: no dialect knows another, and none tries twice.

Example: `await Tmf640(transport, layout, confirm_seconds=300).set_rate(request, again=False, delivery_id="d", deadline=soon)`.
"""
