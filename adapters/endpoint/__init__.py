"""Northbound: the endpoints of ours that surrounding systems, operators and customers call, in TM Forum's protocols.

A fault manager speaks TMF642 or MTOSI and nothing else, and hears no more of us than that. What it says becomes values and
changes of the graph; what it asks is answered by the compiled reads, in its own scope. An inventory is asked in TMF639's
words, and sends what it has as a document of any length.

In: an HTTP request whose principal is known. Out: the answer of its protocol; on any error TMF's error body, and nothing
written.

Files, in the order in which a request meets them:

    edge.py           the gates that all pass: method, role, deadline, and how a request is refused
    alarms.py         alarms by TMF642
    notifications.py  alarms by MTOSI: what is told in SOAP messages
    tickets.py        the ticketing system tells of its tickets (TMF621 listener)
    usage.py          what services have carried, by TMF635 and in IPDR documents
    resources.py      equipment by TMF639, to be read
    inventory_feeds.py  what an inventory has, or what has changed there
    body.py           a body as it arrives: its type, its size, JSON
    shape.py          what a document may hold, and all that is wrong with one
    alarm_shape.py    the published shape of an alarm, as we take it
    alarm_changes.py  POST and PATCH, as calls of graph.changes
    alarm_events.py   what the fault management system tells of its people (TMF642 listener)
    alarm_hub.py      who asks to be told of alarms, and where (TMF642 hub)
    alarm_telling.py  and is told
    alarm_tasks.py    ackAlarms, unAckAlarms, clearAlarms, commentAlarms
    alarm_query.py    a list's query as the filter of a compiled read
    alarm_reads.py    what is asked of the graph
    alarm_codec.py    a body becomes an Alarm; what the graph holds becomes a TMF642 alarm
    usage_query.py    a list's query of usage as the filter of a compiled read
    usage_reads.py    what is asked of the graph of usage
    usage_codec.py    a TMF635 body becomes Usage; what the graph holds becomes a TMF635 usage
    ipdr_codec.py     a document becomes Usage values, checked by ipdr.xsd
    resource_reads.py what is asked of the graph about equipment
    resource_codec.py what the graph has becomes a TMF639 resource
    inventory_documents.py  resources are taken out of a document as it arrives
    errors.py         whatever went wrong, as one error body

Invariants
1. Nothing is read but by a compiled read in the caller's scope, and nothing changed but by a function of graph.changes or
   graph.inventory.
2. What a caller may not see and what does not exist are one answer, byte for byte.
3. What nobody has changed comes out as it came in: a record is kept whole, and only current values are put over it.
4. Every string, list and level of a body has an end.

Example: `POST /tmf-api/alarmManagement/v4/alarm` by `system:fault-management` with the seven mandatory fields answers 201
with the alarm, `id` and `affectedService`, and its address in `Location`; the same again answers 201 with the same id.
"""
