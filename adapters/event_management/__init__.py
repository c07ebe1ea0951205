"""Event management: TMF688, version 4, as others call it on us: one hub for all that happens, whatever API it is of.

In: an operator's registration, with a filter over kinds of events. Out: TMF688 events, each with the alarm, service, resource or ticket
that it is about.

Files, in the order in which a request meets them:

    inbound.py  the endpoint: `hub`, and the topics that there are
    hub.py      what is told: what the hubs of other APIs tell, and what happens to services and equipment

Invariants
1. What an alarm or a ticket is shown as is what the hub of its own API shows: this room knows none of them, and is given them.
2. Only operators register: what is told here is of everybody, and is narrowed by filters alone.

Example: `POST /tmf-api/event/v4/hub` with `{"callback": "https://noc.example/events", "query": "domain=service,resource"}` has each change of
a service's state and of equipment posted to `https://noc.example/events/listener/eventCreateEvent`.
"""
