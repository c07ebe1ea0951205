"""Changes of alarms: one comes in, is acknowledged, commented and cleared, with all that follows from it in one transaction.

In: an `Alarm` and the source that reports it, or the id of an alarm and what somebody does with it. Out: an `Outcome`.

Files, in order of flow: `alarms.py` (raise, change, clear) · `occurrence.py` (which alarm a report is of) ·
`consequences.py` (effects, downtime, tickets, events, deliveries) · `impacts.py` (what an event keeps of that) ·
`awaiting.py` (what an alarm is about has come) · `reassessment.py` (everything is looked at again) · `acknowledge.py` · `comments.py` · `hearing.py` (what
a central fault management system must be sent).

Invariants
1. A report finds the one alarm that it is of, however often it is repeated.
2. A change and everything that other systems must be sent of it commit together, or not at all.

Example: `raise_alarm(store, source, policy, alarm=..., idempotency_key="k1", deadline=soon)` gives the alarm's id.
"""
