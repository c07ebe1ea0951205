// graph/changes/alarms/acknowledge.py _ACKNOWLEDGE
MATCH (a:Alarm {id: $alarm})
WHERE $everyone OR a.sourceSystemId IN $sources
SET a._lock = true
REMOVE a._lock
WITH a, a.ackState <> $ack AS due, datetime.realtime().epochMillis AS now
SET a.ackState = $ack,
    a.changedAt = CASE WHEN due THEN now ELSE a.changedAt END,
    a._version = coalesce(a._version, 0) + CASE WHEN due THEN 1 ELSE 0 END
RETURN due, a._version, now, COLLECT {
  MATCH (a)-[:AFFECTS]->(:Service)<-[:SUBSCRIBES_TO]-(c:Customer)
  RETURN DISTINCT c.id ORDER BY c.id
}

// graph/changes/alarms/acknowledge.py _NEWS
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id})
WITH a, datetime.realtime().epochMillis AS now
WHERE a.ackState <> $ack AND NOT EXISTS {
  MATCH (d:Delivery {orderKey: a.id})-[:TELLS]->(e:Event)
  WHERE d.system = $system AND e.type IN $events AND (d.state = 'READY' OR d.nextAt > now)
}
RETURN a.id ORDER BY a.id

// graph/changes/alarms/acknowledge.py _IN_STATE
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id})
WHERE a.ackState = $ack
RETURN a.id

// graph/changes/alarms/alarms.py _SAID
SET a.externalAlarmId = $external, a.alarmType = $type, a.probableCause = $cause, a.specificProblem = $problem,
    a.perceivedSeverity = $severity, a.state = $state, a.ackState = $ack, a.changedAt = $now, a.clearedAt = $cleared,
    a.record = $record, a.awaits = $awaits, a._sourceAt = $sourceAt, a._endedAt = $ended, a._version = $version

// graph/changes/alarms/alarms.py _MOVE
MATCH (a:Alarm {id: $id})
SET a.alarmedObjectRef = $object, a.awaits = $awaits
WITH a
OPTIONAL MATCH (a)-[r:RAISED_ON]->()
DELETE r

// graph/changes/alarms/alarms.py _SET
MATCH (a:Alarm {id: $id})
SET a.externalAlarmId = $external, a.alarmType = $type, a.probableCause = $cause, a.specificProblem = $problem,
    a.perceivedSeverity = $severity, a.state = $state, a.ackState = $ack, a.changedAt = $now, a.clearedAt = $cleared,
    a.raisedAt = $raised, a.record = $record, a._sourceAt = $sourceAt, a._endedAt = $ended, a._version = $version

// graph/changes/alarms/comments.py _COMMENT
MATCH (a:Alarm {id: $id})
SET a.record = $record, a.changedAt = $now, a._version = $version

// graph/changes/alarms/consequences.py _COUNT_ON
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id})
SET a._version = coalesce(a._version, 0) + 1
RETURN a.id, a._version

// graph/changes/alarms/hearing.py _READ
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id})
RETURN a.id,
  [a.sourceSystemId, a.externalAlarmId, a.alarmedObjectRef, a.alarmType, a.probableCause, a.specificProblem,
   a.perceivedSeverity, a.state, a.ackState, a.raisedAt, a.changedAt, a.clearedAt],
  a.record, HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id }),
  COUNT { MATCH (a)-[:AFFECTS]->(s:Service) RETURN s },
  COLLECT {
    MATCH (a)-[r:AFFECTS]->(s:Service)<-[:SUBSCRIBES_TO]-(c:Customer)
    RETURN [s.id, s.name, r.effect, r.severity, c.id, c.name] ORDER BY s.id LIMIT 1000
  }

// graph/changes/alarms/occurrence.py _FIND_NAMED
MERGE (k:AlarmIdentity {key: $key})
SET k._locked = coalesce(k._locked, 0) + 1
RETURN datetime.realtime().epochMillis, HEAD(COLLECT {
  MATCH (a:Alarm {externalAlarmId: $external})
  WHERE a.sourceSystemId = $source
  RETURN a.id ORDER BY a.raisedAt DESC, a.id DESC LIMIT 1
}), HEAD(COLLECT {
  MATCH (o:NetworkElement {id: $object}) RETURN o.id
  UNION MATCH (o:Card {id: $object}) RETURN o.id
  UNION MATCH (o:Port {id: $object}) RETURN o.id
  UNION MATCH (o:Trunk {id: $object}) RETURN o.id
}), HEAD(COLLECT {
  MATCH (x:ExternalName {key: $name})-[:NAMES]->(o)
  WHERE o:NetworkElement OR o:Card OR o:Port OR o:Trunk
  RETURN o.id
})

// graph/changes/alarms/occurrence.py _FIND_UNNAMED
MERGE (k:AlarmIdentity {key: $key})
SET k._locked = coalesce(k._locked, 0) + 1
RETURN datetime.realtime().epochMillis, HEAD(COLLECT {
  MATCH (a:Alarm {alarmedObjectRef: $object})
  WHERE a.sourceSystemId = $source AND a.externalAlarmId IS NULL AND a.alarmType = $type
    AND a.probableCause = $cause AND coalesce(a.specificProblem, '') = $problem
  RETURN a.id ORDER BY a.raisedAt DESC, a.id DESC LIMIT 1
}), HEAD(COLLECT {
  MATCH (o:NetworkElement {id: $object}) RETURN o.id
  UNION MATCH (o:Card {id: $object}) RETURN o.id
  UNION MATCH (o:Port {id: $object}) RETURN o.id
  UNION MATCH (o:Trunk {id: $object}) RETURN o.id
}), HEAD(COLLECT {
  MATCH (x:ExternalName {key: $name})-[:NAMES]->(o)
  WHERE o:NetworkElement OR o:Card OR o:Port OR o:Trunk
  RETURN o.id
})

// graph/changes/alarms/occurrence.py _LOCK
MATCH (a:Alarm {id: $alarm})
WHERE $everyone OR a.sourceSystemId IN $sources
SET a._lock = true
REMOVE a._lock
WITH a
RETURN datetime.realtime().epochMillis, a.state, a.ackState, a.clearedAt, coalesce(a._endedAt, a.clearedAt), a._sourceAt, a.record,
  HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id }),
  COLLECT { MATCH (a)-[:AFFECTS]->(s:Service) RETURN s.id ORDER BY s.id }, coalesce(a._version, 0),
  [a.sourceSystemId, a.externalAlarmId, a.alarmedObjectRef, a.alarmType, a.probableCause, a.specificProblem,
   a.perceivedSeverity, a.raisedAt]

// graph/changes/deliveries.py _REPLAY
MATCH (d:Delivery {id: $delivery})
SET d._lock = true
REMOVE d._lock
WITH d, d.state = 'DEAD' AS due, datetime.realtime().epochMillis AS now
SET d.state = CASE WHEN due THEN 'READY' ELSE d.state END,
    d.waiting = CASE WHEN due THEN d.lane ELSE d.waiting END,
    d.parked = CASE WHEN due THEN null ELSE d.parked END,
    d.attempts = CASE WHEN due THEN 1 ELSE d.attempts END,
    d.createdAt = CASE WHEN due THEN now ELSE d.createdAt END,
    d.nextAt = CASE WHEN due THEN now ELSE d.nextAt END,
    d._version = coalesce(d._version, 0) + CASE WHEN due THEN 1 ELSE 0 END
RETURN due, now, d._version

// graph/changes/events.py _APPEND
UNWIND $batch.rows AS row
CREATE (e:Event {
  id: row.id, type: row.type, aggregateId: row.aggregate, aggregateVersion: row.version,
  at: row.at, unplaced: row.at, principal: row.principal, payload: row.payload
})
WITH e, row
UNWIND row.customers AS customer
MATCH (c:Customer {id: customer})
CREATE (e)-[:CONCERNS_CUSTOMER]->(c)

// graph/changes/idempotency.py _CLAIM
MERGE (i:Idempotency {key: $key})
ON CREATE SET i.expiresAt = 0
SET i._lock = true
REMOVE i._lock
WITH i
RETURN i.expiresAt > timestamp(), i.requestHash, i.response

// graph/changes/idempotency.py _KEEP
MATCH (i:Idempotency {key: $key})
SET i.requestHash = $hash, i.response = $response, i.expiresAt = timestamp() + $kept

// graph/changes/idempotency.py _SWEEP
MATCH (i:Idempotency)
WHERE i.expiresAt < timestamp()
WITH i LIMIT $most
SET i._lock = true
REMOVE i._lock
WITH i WHERE i.expiresAt < timestamp()
DETACH DELETE i
RETURN count(*)

// graph/changes/services/affected.py _LOCK
UNWIND $batch.services AS id
MATCH (s:Service {id: id})
SET s._locked = coalesce(s._locked, 0) + 1
WITH s
OPTIONAL MATCH (s)-[:GOVERNED_BY]->(l:Sla)
WITH s, l
OPTIONAL MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s)
RETURN s.id, s.name, s.effect, l.tier, c.id, c.name,
  EXISTS { MATCH (s)-[r:ROUTED_OVER]->(:Trunk) WHERE r.path = 'PROTECTING' },
  COLLECT { MATCH (a:Alarm)-[r:AFFECTS]->(s) RETURN [a.id, r.parts, r.effect, r.severity] ORDER BY a.id },
  [c.accountRef, l.availabilityPercent, coalesce(s._version, 0), s._downtime, s._suffers, s._blamed, coalesce(s._effectAt, 0)]

// graph/changes/services/affected.py _AFFECT
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
MATCH (a:Alarm {id: row.alarm})
MERGE (a)-[r:AFFECTS]->(s)
SET r.effect = row.effect, r.severity = row.severity, r.parts = row.parts, s.effect = row.effect

// graph/changes/services/affected.py _SPARE
UNWIND $batch.rows AS row
MATCH (:Alarm {id: row.alarm})-[r:AFFECTS]->(s:Service {id: row.service})
SET s.effect = row.effect
DELETE r

// graph/changes/services/downtime.py _END
UNWIND $batch.rows AS row
MATCH (d:Downtime {id: row.id})
MATCH (s:Service {id: row.service})
SET d.to = row.to, d.alarms = row.alarms, s._downtime = null, s._suffers = null, s._blamed = null,
  s._effectAt = row.to

// graph/changes/services/downtime.py _BEGIN
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
CREATE (d:Downtime {id: row.id, effect: row.effect, from: row.from, alarms: row.alarms})-[:INTERRUPTS]->(s)
SET d.availabilityPercent = row.target, s._downtime = row.id, s._suffers = row.effect, s._blamed = row.alarms,
  s._effectAt = row.from

// graph/changes/services/downtime.py _BLAME
UNWIND $batch.rows AS row
MATCH (d:Downtime {id: row.id})
MATCH (s:Service {id: row.service})
SET d.alarms = row.alarms, s._blamed = row.alarms

// graph/changes/services/downtime.py _COUNT
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
SET s._version = row.version

// graph/changes/services/hits.py _BY_ELEMENT
RETURN COLLECT {
  MATCH (:NetworkElement {id: $object})-[:HOLDS]->(:Card)-[:HAS_PORT]->(:Port)<-[:ACCESSED_AT]-(s:Service)
  RETURN DISTINCT s.id
}, COLLECT {
  MATCH (:NetworkElement {id: $object})-[:HOLDS]->(:Card)-[:HAS_PORT]->(:Port)<-[:TERMINATES_ON]-(t:Trunk)
  MATCH (t)<-[r:ROUTED_OVER]-(s:Service)
  WITH DISTINCT s.id AS service, r.path AS path
  RETURN [service, path]
}

// graph/changes/services/hits.py _BY_CARD
RETURN COLLECT {
  MATCH (:Card {id: $object})-[:HAS_PORT]->(:Port)<-[:ACCESSED_AT]-(s:Service)
  RETURN DISTINCT s.id
}, COLLECT {
  MATCH (:Card {id: $object})-[:HAS_PORT]->(:Port)<-[:TERMINATES_ON]-(:Trunk)<-[r:ROUTED_OVER]-(s:Service)
  WITH DISTINCT s.id AS service, r.path AS path
  RETURN [service, path]
}

// graph/changes/services/hits.py _BY_PORT
RETURN COLLECT {
  MATCH (:Port {id: $object})<-[:ACCESSED_AT]-(s:Service)
  RETURN DISTINCT s.id
}, COLLECT {
  MATCH (:Port {id: $object})<-[:TERMINATES_ON]-(:Trunk)<-[r:ROUTED_OVER]-(s:Service)
  WITH DISTINCT s.id AS service, r.path AS path
  RETURN [service, path]
}

// graph/changes/services/hits.py _BY_TRUNK
RETURN [], COLLECT {
  MATCH (:Trunk {id: $object})<-[r:ROUTED_OVER]-(s:Service)
  WITH DISTINCT s.id AS service, r.path AS path
  RETURN [service, path]
}

// graph/changes/services/metered.py _LOCK
UNWIND $batch.services AS id
MATCH (s:Service {id: id})
SET s._locked = coalesce(s._locked, 0) + 1
WITH s
OPTIONAL MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s)
RETURN s.id, s.name, coalesce(s._version, 0), datetime.realtime().epochMillis, c.id, c.name, c.accountRef

// graph/changes/tickets/owners.py _BY_ID
UNWIND $batch.names AS name
MATCH (s:Service {id: name.name})<-[:SUBSCRIBES_TO]-(c:Customer)
RETURN name.name, s.id, c.id

// graph/changes/tickets/owners.py _BY_NAME
UNWIND $batch.names AS name
MATCH (:ExternalName {key: name.key})-[:NAMES]->(s:Service)<-[:SUBSCRIBES_TO]-(c:Customer)
RETURN name.name, s.id, c.id

// graph/changes/tickets/reported.py _OURS
UNWIND $batch.rows AS row
WITH row WHERE EXISTS {
  MATCH (k:Ticket {orderKey: row.key}) WHERE k.system = $system
} OR EXISTS {
  MATCH (n:Ticket {externalId: row.theirId}) WHERE n.system = $system AND n.orderKey IS NOT NULL
}
RETURN row.theirId

// graph/changes/tickets/reported.py _LOCK_OR_MAKE
UNWIND $batch.rows AS row
MERGE (t:Ticket {id: row.id})
ON CREATE SET t.system = $system, t.externalId = row.theirId, t.status = row.status, t.severity = row.severity
SET t._lock = true
REMOVE t._lock

// graph/changes/tickets/reported.py _LOCK
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
SET t._lock = true
REMOVE t._lock

// graph/changes/tickets/reported.py _KNOWN
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
RETURN t.id, t.status, t.severity, t.changedAt, t._version, datetime.realtime().epochMillis,
  COLLECT { MATCH (t)-[:OPENED_FOR]->(c:Customer) RETURN c.id ORDER BY c.id },
  COLLECT { MATCH (t)-[:CONCERNS]->(s:Service) RETURN s.id ORDER BY s.id }

// graph/changes/tickets/reported.py _WRITE
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
SET t.status = row.status, t.severity = row.severity, t.changedAt = row.changedAt, t._version = row.version

// graph/changes/tickets/reported.py _UNLINK_CUSTOMER
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})-[r:OPENED_FOR]->(c:Customer)
WHERE NOT c.id IN row.customers
DELETE r

// graph/changes/tickets/reported.py _UNLINK_SERVICES
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})-[r:CONCERNS]->(s:Service)
WHERE NOT s.id IN row.services
DELETE r

// graph/changes/tickets/reported.py _LINK_CUSTOMER
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
UNWIND row.customers AS customer
MATCH (c:Customer {id: customer})
MERGE (t)-[:OPENED_FOR]->(c)

// graph/changes/tickets/reported.py _LINK_SERVICES
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
UNWIND row.services AS service
MATCH (s:Service {id: service})
MERGE (t)-[:CONCERNS]->(s)

// graph/changes/tickets/ticketing.py _THEIR_IDS
UNWIND $batch.keys AS key
MATCH (t:Ticket {orderKey: key})
WHERE t.system = $system AND t.externalId IS NOT NULL
RETURN t.orderKey, t.externalId

// graph/changes/tickets/ticketing.py _OPEN_ONES
MATCH (t:Ticket)
WHERE t.status IN $open AND t.system = $system AND t.externalId > $after
RETURN t.externalId, t.status, t.changedAt, t.orderKey IS NOT NULL ORDER BY t.externalId LIMIT $most

// graph/changes/tickets/ticketing.py _HEAR
UNWIND $batch.rows AS row
MATCH (t:Ticket {orderKey: row.orderKey})
WHERE t.system = $system
SET t._lock = true
REMOVE t._lock
WITH t, row, t.status AS before, EXISTS {
  MATCH (d:Delivery {orderKey: row.orderKey}) WHERE d.system = $system AND d.state = 'READY'
} AS more
WHERE coalesce(row.changedAt, 0) >= coalesce(t.changedAt, 0)
SET t.externalId = row.id,
    t.changedAt = coalesce(row.changedAt, t.changedAt),
    t.status = CASE WHEN more THEN t.status ELSE row.status END
WITH t, before, t.status <> before AS changed
SET t._version = coalesce(t._version, 0) + CASE WHEN changed THEN 1 ELSE 0 END
WITH t, changed WHERE changed
RETURN t.id, t._version, t.status, datetime.realtime().epochMillis,
  COLLECT { MATCH (t)-[:OPENED_FOR]->(c:Customer) RETURN c.id ORDER BY c.id }

// graph/changes/tickets/ticketing.py _LOCK
MATCH (a:Alarm {id: $alarm})
SET a._lock = true
REMOVE a._lock

// graph/changes/tickets/ticketing.py _COUNT_ON
MATCH (a:Alarm {id: $alarm})
SET a._version = coalesce(a._version, 0) + 1
RETURN a._version, datetime.realtime().epochMillis

// graph/changes/tickets/tickets.py _PAIRS
UNWIND $batch.pairs AS pair
MATCH (a:Alarm {id: pair.alarm})
MATCH (c:Customer {id: pair.customer})
RETURN a.id, c.id, c.name, COLLECT {
  MATCH (a)-[r:AFFECTS]->(s:Service)<-[:SUBSCRIBES_TO]-(c)
  RETURN [s.id, s.name, r.effect, r.severity] ORDER BY s.id
}, COLLECT {
  MATCH (a)<-[:REPORTS]-(t:Ticket)-[:OPENED_FOR]->(c) WHERE t.system = $system
  RETURN [t.id, t.orderKey, t.externalId, t.status, t.severity]
}

// graph/changes/tickets/tickets.py _OPEN
UNWIND $batch.rows AS row
MATCH (a:Alarm {id: row.alarm})
MATCH (c:Customer {id: row.customer})
CREATE (t:Ticket {
  id: row.id, system: $system, orderKey: row.orderKey, status: row.status, severity: row.severity
})
CREATE (t)-[:REPORTS]->(a)
CREATE (t)-[:OPENED_FOR]->(c)
WITH t, row
UNWIND row.services AS service
MATCH (s:Service {id: service})
CREATE (t)-[:CONCERNS]->(s)

// graph/changes/tickets/tickets.py _AMEND
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
SET t.status = row.status, t.severity = row.severity, t._locked = coalesce(t._locked, 0) + 1

// graph/changes/tickets/tickets.py _CONCERN
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
UNWIND row.services AS service
MATCH (s:Service {id: service})
MERGE (t)-[:CONCERNS]->(s)

// graph/changes/tickets/tickets.py _CONCERN_NO_MORE
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})-[r:CONCERNS]->(s:Service)
WHERE NOT s.id IN row.services
DELETE r

// graph/changes/usage/usage.py _FIND
UNWIND $batch.rows AS row
MERGE (u:Usage {id: row.id})
SET u._locked = coalesce(u._locked, 0) + 1
RETURN u.id, [u.from, u.to, u.octets, u.mbps, u.kind, u.state, u.serviceRef], HEAD(COLLECT {
  MATCH (s:Service {id: row.service}) RETURN s.id
}), HEAD(COLLECT {
  MATCH (x:ExternalName {key: row.name})-[:NAMES]->(s:Service) RETURN s.id
}), HEAD(COLLECT {
  MATCH (u)-[:USED_BY]->(s:Service) RETURN s.id
})

// graph/changes/usage/usage.py _KEEP
UNWIND $batch.rows AS row
MATCH (u:Usage {id: row.id})
SET u.source = row.source, u.externalId = row.externalId, u.serviceRef = row.service, u.from = row.start, u.to = row.end,
    u.octets = row.octets, u.mbps = row.mbps, u.kind = row.kind, u.state = row.state, u.awaits = row.awaits,
    u.record = row.record, u._by = row.by

// graph/changes/usage/usage.py _JOIN
UNWIND $batch.rows AS row
MATCH (u:Usage {id: row.usage})
MATCH (s:Service {id: row.service})
CREATE (u)-[:USED_BY]->(s)
SET u.awaits = null, s._version = row.version

// graph/changes/usage/usage.py _WAITING
MATCH (u:Usage)
WHERE u.awaits >= $name AND (u.awaits > $name OR u.id > $id)
WITH u ORDER BY u.awaits, u.id LIMIT $most
RETURN u.id, u.awaits, HEAD(COLLECT {
  MATCH (s:Service {id: u.serviceRef}) RETURN s.id
}), HEAD(COLLECT {
  MATCH (x:ExternalName {key: u.awaits})-[:NAMES]->(s:Service) RETURN s.id
})

// graph/changes/usage/usage.py _STILL_WAITING
UNWIND $batch.usage AS id
MATCH (u:Usage {id: id})
SET u._locked = coalesce(u._locked, 0) + 1
WITH u WHERE u.awaits IS NOT NULL
RETURN u.id, u.source, u.externalId, u.serviceRef, u.from, u.to, u.octets, u.mbps, u.kind, u.state, u._by

// graph/changes/usage/usage.py _NOW
RETURN datetime.realtime().epochMillis

// graph/compiler/cursor_key.py KEEP
MERGE (k:StoreKey {id: 'storekey-cursor'}) ON CREATE SET k.text = $text RETURN k.text AS text

// graph/compiler/read.py prepare
RETURN [] AS data

// graph/inventory/alarms.py _ABOVE
UNWIND $ids AS id MATCH (n:NetworkElement {id: id}) RETURN [n.id]

// graph/inventory/alarms.py _ABOVE
UNWIND $ids AS id MATCH (n:Card {id: id})
RETURN [n.id, HEAD(COLLECT { MATCH (n)<-[:HOLDS]-(e:NetworkElement) RETURN e.id })]

// graph/inventory/alarms.py _ABOVE
UNWIND $ids AS id MATCH (n:Port {id: id})
RETURN [n.id, HEAD(COLLECT { MATCH (n)<-[:HAS_PORT]-(k:Card) RETURN k.id }),
  HEAD(COLLECT { MATCH (n)<-[:HAS_PORT]-(:Card)<-[:HOLDS]-(e:NetworkElement) RETURN e.id })]

// graph/inventory/alarms.py _AWAIT
UNWIND $batch.rows AS row MATCH (a:Alarm {id: row.id}) SET a.awaits = row.awaits

// graph/inventory/alarms.py _AWAITING
MATCH (a:Alarm {awaits: $key}) RETURN a.id ORDER BY a.id

// graph/inventory/alarms.py _COUNT
MATCH (a:Alarm {id: $id}) SET a._version = $version, a.changedAt = $now

// graph/inventory/differences.py _NOTE
UNWIND $batch.rows AS row
MERGE (d:InventoryDifference {id: row.id})
SET d._lock = true
REMOVE d._lock
WITH d, row, datetime.realtime().epochMillis AS now
WITH d, row, now, coalesce(d.state IN ['open', 'held'], false) AS again,
  coalesce(d.state = 'told' AND d.settledAt > row.since, false) AS told
SET d.system = row.system, d.feed = row.feed, d.kind = row.kind, d.resourceType = row.resourceType,
    d.resource = row.resource, d.name = row.name, d.property = row.property, d.theirs = row.theirs, d.ours = row.ours,
    d.reason = row.reason, d.record = row.record,
    d.foundAt = CASE WHEN again OR told THEN d.foundAt ELSE now END,
    d.settledAt = CASE WHEN told THEN d.settledAt ELSE null END,
    d.state = CASE WHEN told THEN 'told' ELSE row.state END

// graph/inventory/differences.py _END
UNWIND $ids AS id
MATCH (d:InventoryDifference {id: id})
WHERE d.state = 'open' OR d.state = 'held'
SET d.state = 'gone', d.settledAt = datetime.realtime().epochMillis

// graph/inventory/differences.py _END_UNSEEN
MATCH (d:InventoryDifference {state: $state})
WHERE d.system = $system AND d.feed <> $feed
WITH d LIMIT $most
SET d.state = 'gone', d.settledAt = datetime.realtime().epochMillis
RETURN count(d)

// graph/inventory/differences.py _LISTED
MATCH (d:InventoryDifference {state: $state})
WHERE d.id > $after
RETURN d.id, d.state, d.kind, d.system, d.resourceType, d.name, d.resource, d.property, d.theirs, d.ours, d.reason
ORDER BY d.id LIMIT $most

// graph/inventory/equipment.py _LEAVE
MATCH (n:NetworkElement {id: $id})-[r:LOCATED_AT]->(:Site) DELETE r

// graph/inventory/equipment.py _LEAVE
MATCH (n:Card {id: $id})<-[r:HOLDS]-(:NetworkElement) DELETE r

// graph/inventory/equipment.py _LEAVE
MATCH (n:Port {id: $id})<-[r:HAS_PORT]-(:Card) DELETE r

// graph/inventory/equipment.py _LEAVE
MATCH (n:Trunk {id: $id})-[r:TERMINATES_ON]->(:Port) DELETE r

// graph/inventory/equipment.py _ENTER
MATCH (n:NetworkElement {id: $id}) MATCH (c:Site {id: $holder}) CREATE (n)-[:LOCATED_AT]->(c)

// graph/inventory/equipment.py _ENTER
MATCH (n:Card {id: $id}) MATCH (c:NetworkElement {id: $holder}) CREATE (c)-[:HOLDS]->(n)

// graph/inventory/equipment.py _ENTER
MATCH (n:Port {id: $id}) MATCH (c:Card {id: $holder}) CREATE (c)-[:HAS_PORT]->(n)

// graph/inventory/equipment.py _END
MATCH (n:Trunk {id: $id}) MATCH (a:Port {id: $a}) MATCH (z:Port {id: $z})
CREATE (n)-[:TERMINATES_ON {end: 'A'}]->(a)
CREATE (n)-[:TERMINATES_ON {end: 'Z'}]->(z)

// graph/inventory/equipment.py _HELD_BY
RETURN COUNT { MATCH (:NetworkElement {id: $id})-[:HOLDS]->(:Card) }

// graph/inventory/equipment.py _HELD_BY
RETURN COUNT { MATCH (:Card {id: $id})-[:HAS_PORT]->(:Port) }

// graph/inventory/equipment.py _HELD_BY
RETURN COUNT { MATCH (:Port {id: $id})<-[:TERMINATES_ON]-(:Trunk) }

// graph/inventory/equipment.py _HELD_BY
RETURN 0

// graph/inventory/equipment.py _CONCERNED
UNWIND $services AS id
MATCH (c:Customer)-[:SUBSCRIBES_TO]->(:Service {id: id})
RETURN DISTINCT c.id

// graph/inventory/equipment.py _NOW
RETURN datetime.realtime().epochMillis

// graph/inventory/equipment.py _SITE
MATCH (s:Site) WHERE s.name = $name RETURN s.id LIMIT 2

// graph/inventory/feeds.py _BEGIN
MERGE (f:InventoryFeed {id: $id})
ON CREATE SET f.system = $system, f.name = $name, f.state = 'receiving', f._epoch = 0,
  f.resources = 0, f.notTaken = 0, f.changes = 0, f.differences = 0
SET f._lock = true
REMOVE f._lock
WITH f, f.state = 'receiving' OR f.state = 'failed' AS due, datetime.realtime().epochMillis AS now
SET f.kind = CASE WHEN due THEN $kind ELSE f.kind END,
    f.principal = CASE WHEN due THEN $subject ELSE f.principal END,
    f.startedAt = CASE WHEN due THEN now ELSE f.startedAt END,
    f._epoch = CASE WHEN due THEN f._epoch + 1 ELSE f._epoch END,
    f.state = CASE WHEN due THEN 'receiving' ELSE f.state END,
    f.reason = null
RETURN due, f._epoch, f.state, f.resources, f.notTaken, f.changes, f.differences, f._digest, f.kind

// graph/inventory/feeds.py _LOOK
MATCH (f:InventoryFeed {id: $id})
RETURN false, f._epoch, f.state, f.resources, f.notTaken, f.changes, f.differences, f._digest, f.kind

// graph/inventory/feeds.py _STAGE
MERGE (c:InventoryChunk {id: $id}) SET c.stage = $stage, c.payload = $payload

// graph/inventory/feeds.py _COMPLETE
MATCH (f:InventoryFeed {id: $id})
SET f._lock = true
REMOVE f._lock
WITH f, datetime.realtime().epochMillis AS now
WHERE f.state = 'receiving' AND f._epoch = $epoch
SET f.state = 'received', f.receivedAt = now, f.resources = $resources, f.notTaken = $notTaken, f._digest = $digest, f._chunks = $chunks,
    f._done = 0, f._version = coalesce(f._version, 0) + 1
RETURN now, f._version

// graph/inventory/feeds.py _CHUNK
MATCH (c:InventoryChunk {id: $id}) RETURN c.payload

// graph/inventory/feeds.py _SWEEP
MATCH (c:InventoryChunk {stage: $stage})
WITH c LIMIT $most
DETACH DELETE c
RETURN count(*)

// graph/inventory/feeds.py _STALE
MATCH (f:InventoryFeed {state: 'receiving'})
WHERE f.startedAt < timestamp() - $age
RETURN f.id, f._epoch

// graph/inventory/names.py _OBJECT
MATCH (a:Alarm {id: $alarm})
RETURN a._toldName, HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(n) RETURN n.id }),
  COLLECT { MATCH (a)-[:RAISED_ON]->(n)<-[:NAMES]-(x:ExternalName) RETURN [x.system, x.name] ORDER BY x.system, x.name },
  COLLECT {
    MATCH (a)-[:RAISED_ON]->(:Card)<-[:HOLDS]-(:NetworkElement)<-[:NAMES]-(x:ExternalName) RETURN [x.system, x.name]
    UNION
    MATCH (a)-[:RAISED_ON]->(:Port)<-[:HAS_PORT]-(:Card)<-[:HOLDS]-(:NetworkElement)<-[:NAMES]-(x:ExternalName)
    RETURN [x.system, x.name]
  }, HEAD(COLLECT {
    MATCH (a)-[:RAISED_ON]->(:Card)<-[:HOLDS]-(e:NetworkElement) RETURN e.name
    UNION
    MATCH (a)-[:RAISED_ON]->(:Port)<-[:HAS_PORT]-(:Card)<-[:HOLDS]-(e:NetworkElement) RETURN e.name
  })

// graph/inventory/names.py _KEEP
MATCH (a:Alarm {id: $alarm})
SET a._toldName = coalesce(a._toldName, $name)
RETURN a._toldName

// graph/inventory/naming.py _NAMED
MERGE (x:ExternalName {key: $key})
ON CREATE SET x.id = $id, x.system = $system, x.name = $name
SET x._lock = true
REMOVE x._lock
RETURN HEAD(COLLECT { MATCH (x)-[:NAMES]->(n) RETURN n.id }), x.id

// graph/inventory/naming.py _LOOK
MATCH (x:ExternalName {key: $key})-[:NAMES]->(n) RETURN n.id

// graph/inventory/reconcile.py _TAKE
MATCH (f:InventoryFeed {state: 'received'})
WITH f ORDER BY f.receivedAt, f.id LIMIT 1
SET f._lock = true
REMOVE f._lock
WITH f, datetime.realtime().epochMillis AS now
WHERE f.state = 'received' AND (f._owner = $owner OR coalesce(f._until, 0) < now)
SET f._owner = $owner, f._until = now + $ttl
RETURN f.id, f.system, f.kind, f.principal, f.startedAt, f._epoch, f._chunks, f._done

// graph/inventory/reconcile.py _SEEN
UNWIND $batch.keys AS key MATCH (x:ExternalName {key: key}) SET x._feed = $feed

// graph/inventory/reconcile.py _DONE
MATCH (f:InventoryFeed {id: $feed})
SET f._lock = true
REMOVE f._lock
WITH f WHERE f.state = 'received' AND f._owner = $owner
SET f._until = datetime.realtime().epochMillis + $ttl,
    f._done = coalesce($done, f._done), f.changes = f.changes + $changes
RETURN f.id

// graph/inventory/reconcile.py _COMPARED
MATCH (f:InventoryFeed {id: $feed})
SET f._lock = true
REMOVE f._lock
WITH f, datetime.realtime().epochMillis AS now
WHERE f.state = 'received' AND f._owner = $owner
SET f.state = 'compared', f.comparedAt = now, f._version = f._version + 1,
    f.differences = COUNT { MATCH (d:InventoryDifference {feed: $feed}) WHERE d.state = 'open' OR d.state = 'held' }
RETURN now, f._version, f.changes, f.differences

// graph/inventory/reconcile.py _FAIL
MATCH (f:InventoryFeed {id: $feed})
SET f._lock = true
REMOVE f._lock
WITH f, datetime.realtime().epochMillis AS now
WHERE f.state = 'received' AND f._owner = $owner
SET f.state = 'failed', f.reason = $reason, f._version = f._version + 1
RETURN now, f._version

// graph/inventory/settling.py _LOCK
MATCH (d:InventoryDifference {id: $id})
SET d._lock = true
REMOVE d._lock
WITH d, datetime.realtime().epochMillis AS now
RETURN now, d.state, d.system, d.kind, d.resource, d.property, d.record, coalesce(d._version, 0)

// graph/inventory/settling.py _SETTLE
MATCH (d:InventoryDifference {id: $id})
SET d.state = $state, d.reason = $reason, d.settledAt = $settled, d._version = $version

// graph/ledger/backlog.py _LANES
MATCH (l:Lane)
RETURN l.id, l.owner, l.until, datetime.realtime().epochMillis,
  COUNT { MATCH (d:Delivery {waiting: l.id}) },
  COLLECT {
    MATCH (d:Delivery {waiting: l.id})
    RETURN [d.createdAt, d.attempts, d.lastError] ORDER BY d.createdAt LIMIT 1
  },
  COUNT { MATCH (p:Delivery {parked: l.id}) },
  COLLECT { MATCH (p:Delivery {parked: l.id}) RETURN p.orderKey ORDER BY p.orderKey LIMIT $most }
ORDER BY l.id

// graph/ledger/claims.py _CLAIM
UNWIND $batch.lanes AS lane
MATCH (l:Lane {id: lane.id})
WITH l, lane, datetime.realtime().epochMillis AS now
WHERE l.owner = $owner AND l.epoch = lane.epoch AND l.until > now
MATCH (d:Delivery {waiting: lane.id})
WHERE d.nextAt <= now AND NOT EXISTS {
  MATCH (e:Delivery {orderKey: d.orderKey})
  WHERE e.system = d.system AND e.version < d.version AND e.state <> 'DONE'
}
WITH d, lane, now LIMIT $most
SET d._lock = true
REMOVE d._lock
WITH d, lane, now WHERE d.waiting = lane.id AND d.nextAt <= now
SET d.attempts = d.attempts + 1, d._epoch = lane.epoch, d.nextAt = now + $hold
RETURN d.id, d.orderKey, d.version, d.attempts, lane.epoch, now - d.createdAt, d.payload

// graph/ledger/hubs.py _COUNT
MATCH (h:Hub {principal: $principal}) RETURN count(h)

// graph/ledger/hubs.py _THERE
MATCH (h:Hub {id: $id}) RETURN h.id

// graph/ledger/hubs.py _CREATE
OPTIONAL MATCH (s:Sequence {id: 'sequence-events'})
CREATE (h:Hub {id: $id, principal: $principal, reads: $reads, callback: $callback, query: $query, state: 'active',
  after: coalesce(s.next, 1) - 1, owner: '', until: 0, nextAt: 0, attempts: 0, refusals: 0, skipped: 0})

// graph/ledger/hubs.py _LIST
MATCH (h:Hub) WHERE $principal = '' OR h.principal = $principal
RETURN h.id, h.principal, h.reads, h.callback, h.query, h.state, h.after, h.attempts, h.refusals, h.skipped, h.reason
ORDER BY h.id

// graph/ledger/hubs.py _ONE
MATCH (h:Hub {id: $id})
RETURN h.id, h.principal, h.reads, h.callback, h.query, h.state, h.after, h.attempts, h.refusals, h.skipped, h.reason

// graph/ledger/hubs.py _REMOVE
MATCH (h:Hub {id: $id}) DELETE h

// graph/ledger/hubs.py _LOOK
MATCH (h:Hub {state: 'active'})
WITH h, datetime.realtime().epochMillis AS now
WHERE h.nextAt <= now AND (h.owner = $owner OR h.until < now)
RETURN h.id, h.principal, h.reads, h.callback, h.query, h.state, h.after, h.attempts, h.refusals, h.skipped, h.reason, h.owner = $owner AND h.until > now + $enough

// graph/ledger/hubs.py _TAKE
UNWIND $ids AS id
MATCH (h:Hub {id: id})
SET h._lock = true
REMOVE h._lock
WITH h, datetime.realtime().epochMillis AS now
WHERE h.state = 'active' AND h.nextAt <= now AND (h.owner = $owner OR h.until < now)
SET h.owner = $owner, h.until = now + $ttl
RETURN h.id, h.principal, h.reads, h.callback, h.query, h.state, h.after, h.attempts, h.refusals, h.skipped, h.reason

// graph/ledger/hubs.py _UPTO
MATCH (s:Sequence {id: 'sequence-events'}) RETURN s.next - 1

// graph/ledger/hubs.py _EVENTS
MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto AND e.type IN $types
RETURN e.id, e.type, e.aggregateId, e.at, e.position ORDER BY e.position

// graph/ledger/hubs.py _TOLD
MATCH (h:Hub {id: $id})
SET h._lock = true
REMOVE h._lock
WITH h, datetime.realtime().epochMillis AS now
WHERE h.owner = $owner AND h.until >= now
SET h.after = $after, h.until = now + $ttl, h.attempts = 0, h.refusals = 0, h.failingSince = null, h.skipped = h.skipped + $skipped,
    h.reason = coalesce($reason, h.reason)
RETURN h.id

// graph/ledger/hubs.py _FAILED
MATCH (h:Hub {id: $id})
SET h._lock = true
REMOVE h._lock
WITH h, datetime.realtime().epochMillis AS now
WHERE h.owner = $owner AND h.until >= now
SET h.attempts = h.attempts + 1, h.refusals = h.refusals + $refused, h.nextAt = now + $pause, h.failingSince = coalesce(h.failingSince, now),
    h.reason = $reason, h.state = CASE WHEN coalesce(h.failingSince, now) < now - $patience THEN 'parked' ELSE 'active' END
RETURN h.state

// graph/ledger/lanes.py _BE_THERE
MERGE (w:Worker {id: $worker})
WITH w, datetime.realtime().epochMillis AS now
SET w.system = $system, w.until = now + $ttl
RETURN now

// graph/ledger/lanes.py _WHO
MATCH (w:Worker {system: $system}) RETURN w.id, w.until

// graph/ledger/lanes.py _LOOK
UNWIND $batch.lanes AS id MATCH (l:Lane {id: id}) RETURN l.id, l.owner, l.until

// graph/ledger/lanes.py _FORGET
UNWIND $batch.workers AS id MATCH (w:Worker {id: id}) DELETE w

// graph/ledger/lanes.py _TAKE
UNWIND $batch.lanes AS id
MERGE (l:Lane {id: id})
ON CREATE SET l.owner = '', l.until = 0, l.epoch = 0
SET l._lock = true
REMOVE l._lock
WITH l, datetime.realtime().epochMillis AS now
WHERE l.owner = $owner OR l.until < now
SET l.epoch = CASE WHEN l.owner = $owner AND l.until >= now THEN l.epoch ELSE l.epoch + 1 END,
    l.owner = $owner,
    l.until = now + $ttl
RETURN l.id, l.epoch

// graph/ledger/lanes.py _LEAVE
UNWIND $batch.lanes AS id
MATCH (l:Lane {id: id})
SET l._lock = true
REMOVE l._lock
WITH l WHERE l.owner = $owner
SET l.until = 0

// graph/ledger/lanes.py _lanes
RETURN datetime.realtime().epochMillis

// graph/ledger/outbox.py _WRITE
UNWIND $batch.rows AS row
MATCH (e:Event {id: row.event})
CREATE (:Delivery {
  id: row.id, system: row.system, subject: row.subject, lane: row.lane, waiting: row.lane, orderKey: row.orderKey,
  version: e.aggregateVersion, state: 'READY', attempts: 0, createdAt: e.at, nextAt: e.at, payload: row.payload
})-[:TELLS]->(e)

// graph/ledger/outcomes.py _SETTLE
UNWIND $batch.rows AS row
MATCH (d:Delivery {id: row.id})
SET d._lock = true
REMOVE d._lock
WITH d, row, datetime.realtime().epochMillis AS now
WHERE d.state = 'READY' AND d.attempts = row.attempts AND d._epoch = row.epoch
SET d.state = row.state,
    d.waiting = CASE WHEN row.state = 'READY' THEN d.waiting ELSE null END,
    d.parked = CASE WHEN row.state = 'DEAD' THEN d.lane ELSE null END,
    d.nextAt = CASE WHEN row.state = 'READY' THEN now + row.pause ELSE d.nextAt END,
    d.lastError = row.error
RETURN d.id

// graph/ledger/positions.py _OWNER
OPTIONAL MATCH (s:Sequence {id: 'sequence-events'})
RETURN s.owner, s.until, datetime.realtime().epochMillis

// graph/ledger/positions.py _LOOK
MATCH (e:Event) WHERE e.unplaced > 0 RETURN e.unplaced LIMIT $most

// graph/ledger/positions.py _AGAIN
MATCH (e:Event) WHERE e.unplaced > 0 AND e.unplaced <= $latest
RETURN e.id, e.unplaced, e.aggregateId, e.aggregateVersion

// graph/ledger/positions.py _OWN
MERGE (s:Sequence {id: 'sequence-events'})
ON CREATE SET s.owner = '', s.until = 0, s.next = 1
SET s._lock = true
REMOVE s._lock
WITH s, datetime.realtime().epochMillis AS now
WHERE s.owner = $owner OR s.until < now
SET s.owner = $owner, s.until = now + $ttl
RETURN s.next

// graph/ledger/positions.py _PLACE
UNWIND $batch.rows AS row
MATCH (e:Event {id: row.id})
SET e.position = row.position
REMOVE e.unplaced

// graph/ledger/positions.py _NEXT
MATCH (s:Sequence {id: 'sequence-events'}) SET s.next = $next

// graph/ledger/retention.py _SWEEP
MATCH (e:Event) WHERE e.at < $before AND NOT EXISTS {
  MATCH (d:Delivery)-[:TELLS]->(e) WHERE d.state <> 'DONE'
}
WITH e LIMIT $most
OPTIONAL MATCH (d:Delivery)-[:TELLS]->(e)
WITH e, collect(d) AS told
FOREACH (each IN told | DETACH DELETE each)
DETACH DELETE e
RETURN count(*)

// graph/ledger/timers.py _ARM
MERGE (t:Timer {id: $id})
SET t.kind = $kind, t.aggregateId = $about, t.dueAt = $dueAt

// graph/ledger/timers.py _ARM_NEW
MERGE (t:Timer {id: $id})
ON CREATE SET t.kind = $kind, t.aggregateId = $about, t.dueAt = datetime.realtime().epochMillis

// graph/ledger/timers.py _DUE
MATCH (t:Timer) WHERE t.dueAt > 0 AND t.dueAt <= datetime.realtime().epochMillis
RETURN t.id, t.kind, t.aggregateId LIMIT $most

// graph/ledger/timers.py _TAKE
MATCH (t:Timer {id: $id})
SET t._lock = true
REMOVE t._lock
WITH t, datetime.realtime().epochMillis AS now
WHERE t.dueAt <= now
RETURN now

// graph/ledger/timers.py _PUT_OFF
MATCH (t:Timer {id: $id}) SET t.dueAt = $dueAt

// graph/ledger/timers.py _DROP
MATCH (t:Timer {id: $id}) DELETE t

// graph/ledger/timers.py _LATER
MATCH (t:Timer {id: $id}) SET t.dueAt = datetime.realtime().epochMillis + $pause

// graph/load/statements.py READ_MARKS
UNWIND $ids AS id MATCH (m:LoadMark {id: id}) RETURN m.id AS id, m.done AS done

// graph/load/statements.py SET_MARK
MERGE (m:LoadMark {id: $id})
SET m._lock = true
REMOVE m._lock
WITH m, coalesce(m.done, 0) AS before
SET m.done = $done
RETURN before

// graph/load/statements.py DROP_MARKS
UNWIND $ids AS id MATCH (m:LoadMark {id: id}) DELETE m

// graph/store/feed_counts.py _COUNT
MATCH (f:InventoryFeed) WHERE f.notTaken IS NULL
WITH f LIMIT $most
SET f.notTaken = 0
RETURN count(*)

// graph/store/migrate.py _READ_VERSION
RETURN HEAD(COLLECT { MATCH (v:SchemaVersion {id: $id}) RETURN v.version }) AS data

// graph/store/migrate.py _KEEP_VERSION
MERGE (v:SchemaVersion {id: $id}) ON CREATE SET v.version = $version WITH v WHERE v.version < $version SET v.version = $version

// graph/store/migrate.py _NAMES
SHOW CONSTRAINTS YIELD name RETURN name

// graph/store/migrate.py _NAMES
SHOW INDEXES YIELD name, state WHERE state = 'ONLINE' RETURN name

// graph/store/migrate.py _wait_for_indexes
CALL db.awaitIndexes(600)

// graph/store/mtosi_names.py _ALARMS
MATCH (a:Alarm) WHERE a.id > $after AND a.record CONTAINS '"objectName":'
WITH a ORDER BY a.id LIMIT $most
RETURN a.id, a.sourceSystemId, a.externalAlarmId, a.alarmedObjectRef, a.awaits, a.record

// graph/store/mtosi_names.py _RESPELL
UNWIND $batch.rows AS row
MATCH (a:Alarm {id: row.id})
SET a.alarmedObjectRef = row.object, a.externalAlarmId = row.external, a.awaits = row.awaits

// graph/store/mtosi_names.py _TOLD
MATCH (a:Alarm)
WHERE a.id > $after AND a.state <> 'cleared' AND a._toldName IS NULL AND NOT a.record CONTAINS '"objectName":'
  AND EXISTS { MATCH (:Delivery {orderKey: a.id}) }
WITH a ORDER BY a.id LIMIT $most
RETURN a.id, a.alarmedObjectRef

// graph/store/mtosi_names.py _KEEP_TOLD
UNWIND $batch.rows AS row MATCH (a:Alarm {id: row.id}) SET a._toldName = row.name

// graph/store/mtosi_names.py _NAMES
MATCH (x:ExternalName) WHERE x.id > $after AND x.name CONTAINS '/' AND x.name CONTAINS '='
WITH x ORDER BY x.id LIMIT $most
RETURN x.id, x.system, x.name

// graph/store/mtosi_names.py _NAME
UNWIND $batch.rows AS row
MATCH (old:ExternalName {id: row.old})-[:NAMES]->(n)
MERGE (x:ExternalName {key: row.key})
ON CREATE SET x.id = row.id, x.system = row.system, x.name = row.name
WITH x, n WHERE NOT EXISTS { MATCH (x)-[:NAMES]->() }
CREATE (x)-[:NAMES]->(n)

// graph/store/store.py Store.ping
RETURN COUNT { MATCH (v:SchemaVersion) RETURN v } AS data

// graph/store/store.py Store.ping
CALL dbms.components() YIELD versions RETURN versions[0] AS version
