"""What fault managers, operators and customers call: alarms by TMF642 (version 4) and by MTOSI 2.1 (SOAP).

In: an HTTP request whose principal is known. Out: alarms in the caller's scope, or what a change made of one.

Files, in the order in which a request meets them:

    alarms.py         the endpoint of TMF642
    notifications.py  the endpoint of MTOSI: SOAP messages
    shape.py          the published shape of an alarm, as we take it
    changes.py        POST and PATCH, as calls of graph.changes
    tasks.py          ackAlarms, unAckAlarms, clearAlarms, commentAlarms
    events.py         what the fault management system tells of its people (TMF642 listener)
    hub.py            which events others can ask to be told of (TMF642 hub), by the machinery of adapters/endpoint/
    query.py          a list's query as the filter of a compiled read
    reads.py          what is asked of the graph
    codec.py          a body becomes an Alarm; what the graph holds becomes a TMF642 alarm

Invariants
1. Nothing is read but by a compiled read in the caller's scope, and nothing changed but by a function of graph.changes
   or graph.inventory.
2. What nobody has changed comes out as it came in: a record is kept whole, and only current values are put over it.

Example: `POST /tmf-api/alarmManagement/v4/alarm` by `system:fault-management` with the seven mandatory fields answers 201
with the alarm, `id` and `affectedService`, and its address in `Location`; the same again answers 201 with the same id.
"""
