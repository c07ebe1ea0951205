"""Stand-ins: every surrounding system as one small real server, for the demonstration and for the tests.

A mock agrees with whoever wrote it. These are servers of their own on a real port: they keep what they are told, check
it by the published API, can be asked and changed by a person through that same API, forget nothing when they are given
a file, and misbehave to order. They know nothing of us: not our graph, not our client of them.

In: HTTP. Out: HTTP, events to whoever asked for them, and a journal with a line for each change that was received, for
a checker to read after everything else was killed.

Files, in order of flow: `__main__.py` (a stand-in as a process) · `ticketing/` (TMF621, Request Tracker) ·
`fault_management/` (who tells us of alarms, and who is told) · `billing/` (TMF635, TMF656, TMF678, documents) · `customers/` (TMF629) · `inventory/`
(TMF639 and MTOSI) · `performance/` (TMF628) · `sales/` (leads) · `provisioning/` (TMF640) · `api.py` (a server of one resource of TM Forum's) · `front.py` (what all of these do with a request) ·
`manners.py` (how one answers, where real systems differ) · `published.py` (what bodies must be) · `hub.py` (whom a stand-in tells) · `faults.py` (misbehaving) ·
`journal.py` (lines in a file) · `serving.py` (a server in the running loop, whose connections can be cut).

Invariants
1. Two POSTs are two tickets, or alarms, whatever their external ids and idempotency keys: nothing is deduplicated here but
   what the real system does.
2. A change that was acted upon has its line in the journal before its answer begins.
3. They listen on loopback unless told otherwise.

Example, a ticketing system that acts on the next POST and answers nothing:

    async with serving(journal=path) as ticketing:
        ticketing.faults.order(Rule(kind=Kind.SILENT, times=1, method="POST"))
        ticketing.address          # "http://127.0.0.1:40123/tmf-api/troubleTicket/v4"
"""
