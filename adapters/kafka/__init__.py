"""Kafka: the operator's own broker gets the sequence of events, and alarms come from a topic of it.

In: events by their position, from the ledger; records of a topic, from the broker. Out: CloudEvents, one topic for each type of
event; alarms in the graph. Kafka is no system of its own kind: it carries what others say in their own words, so this folder
knows fault management's codec, and no system knows this folder.

Files, in order of flow:
    event_types.py  what each type of event says, as a JSON Schema: the one list of what is published
    cloud_events.py an event becomes a record: topic, key, value, headers
    publishing.py   one leased process publishes from its checkpoint on
    alarms.py       what becomes of a record of the topic of alarms
    consuming.py    a member of the consumer group takes records, and commits what is done
    async_api.py    the AsyncAPI document of all this
    broker.py       how the broker is reached
    wire.py         the only module that knows aiokafka, which is an extra (`trunkline[kafka]`)

Invariants
1. The checkpoint moves after the broker's acknowledgement of everything up to it, and only while the lease is held.
2. Of one topic and key events are published in the order of their positions; a repeat has the position that it had.
3. A record's offset is committed after our transaction, or after the record was put aside; never before.
4. What an event says was kept when it happened. Nothing is looked up when it is published.

Example: `AlarmRaised` of `alarm-1` is published to the topic `trunkline.AlarmRaised` with the key `alarm-1` and the header
`trunkline-position`.
"""
