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
  MATCH (d:Delivery {openKey: a.id})-[:TELLS]->(e:Event)
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
    a.record = $record, a.awaits = $awaits, a.identity = $identity, a.openOn = $openOn, a._sourceAt = $sourceAt,
    a._endedAt = $ended, a._version = $version

// graph/changes/alarms/alarms.py _LEAVE
MATCH (a:Alarm {id: $id})
SET a.alarmedObjectRef = $object, a.awaits = $awaits
WITH a
OPTIONAL MATCH (a)-[r:RAISED_ON]->()
DELETE r

// graph/changes/alarms/alarms.py _SET
MATCH (a:Alarm {id: $id})
SET a.externalAlarmId = $external, a.alarmType = $type, a.probableCause = $cause, a.specificProblem = $problem,
    a.perceivedSeverity = $severity, a.state = $state, a.ackState = $ack, a.changedAt = $now, a.clearedAt = $cleared,
    a.raisedAt = $raised, a.record = $record, a.identity = $identity, a.openOn = $openOn, a._sourceAt = $sourceAt,
    a._endedAt = $ended, a._version = $version

// graph/changes/alarms/alarms.py _OF_IDENTITY
MATCH (a:Alarm {identity: $identity}) RETURN a.id ORDER BY a.id

// graph/changes/alarms/alarms.py _SUPERSEDE
UNWIND $batch.alarms AS id MATCH (a:Alarm {id: id}) SET a.identity = null

// graph/changes/alarms/alarms.py _COUNT
MATCH (a:Alarm {id: $id})
SET a._version = $version, a.changedAt = $now, a.state = $state, a.openOn = $openOn

// graph/changes/alarms/awaiting.py _AWAITING
UNWIND $batch.names AS name
RETURN COLLECT { MATCH (a:Alarm {awaits: name}) RETURN a.id }
  + COLLECT { MATCH (a:Alarm {alarmedObjectRef: name}) WHERE a.awaits IS NOT NULL RETURN a.id }

// graph/changes/alarms/awaiting.py _NEXT_NAME
MATCH (a:Alarm) WHERE a.awaits > $after
WITH a ORDER BY a.awaits LIMIT 1
RETURN a.awaits, a.sourceSystemId, a.alarmedObjectRef

// graph/changes/alarms/awaiting.py _NEXT_NAME
MATCH (a:Alarm) WHERE a.awaits > $after
WITH a LIMIT 1
RETURN a.awaits, a.sourceSystemId, a.alarmedObjectRef

// graph/changes/alarms/awaiting.py _WAITING
MATCH (a:Alarm {awaits: $name}) RETURN a.id LIMIT $most

// graph/changes/alarms/comments.py _COMMENT
MATCH (a:Alarm {id: $id})
SET a.record = $record, a.changedAt = $now, a._version = $version

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

// graph/changes/alarms/impacts.py _READ
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id})
RETURN a.id, a.state, a.perceivedSeverity, HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id }), COLLECT {
  MATCH (a)-[r:AFFECTS]->(s:Service)<-[:SUBSCRIBES_TO]-(c:Customer)
  RETURN [s.id, c.id, r.effect, r.severity] ORDER BY s.id
}

// graph/changes/alarms/occurrence.py _LOOK
MATCH (a:Alarm {id: $alarm})
WHERE $everyone OR a.sourceSystemId IN $sources
RETURN datetime.realtime().epochMillis, a.state, a.ackState, a.clearedAt, coalesce(a._endedAt, a.clearedAt), a._sourceAt, a.record,
  HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id }),
  COLLECT { MATCH (a)-[:AFFECTS]->(s:Service) RETURN s.id ORDER BY s.id }, coalesce(a._version, 0),
  [a.sourceSystemId, a.externalAlarmId, a.alarmedObjectRef, a.alarmType, a.probableCause, a.specificProblem,
   a.perceivedSeverity, a.raisedAt], a.identity IS NOT NULL

// graph/changes/alarms/occurrence.py _LOCK
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id})
SET a._version = coalesce(a._version, 0) + CASE WHEN a.id IN $batch.kept THEN 0 ELSE 1 END
RETURN a.id, a._version, datetime.realtime().epochMillis

// graph/changes/alarms/occurrence.py _TAKE
MATCH (a:Alarm {id: $alarm}) SET a._locked = coalesce(a._locked, 0) + 1 RETURN a.id

// graph/changes/alarms/reassessment.py _NOW
RETURN datetime.realtime().epochMillis

// graph/changes/alarms/reassessment.py _OPEN
MATCH (a:Alarm) USING INDEX a:Alarm(state)
WHERE a.state IN ['raised', 'updated'] AND a.id >= $alarm
WITH a ORDER BY a.id LIMIT $most
RETURN a.id, a.alarmType, a.perceivedSeverity, HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id }),
  COLLECT { MATCH (a)-[:AFFECTS]->(s:Service) RETURN s.id }

// graph/changes/bandwidth/boosts.py _WAY
UNWIND $batch.services AS id
MATCH (s:Service {id: id})
RETURN s.id, COLLECT { MATCH (s)-[:ACCESSED_AT|ROUTED_OVER]->(t) RETURN DISTINCT t.id },
  COLLECT { MATCH (b:Boost {openOf: s.id})-[:RESERVES]->(t) RETURN DISTINCT t.id }

// graph/changes/bandwidth/boosts.py _HOLD_THINGS
UNWIND $batch.ports AS id
MATCH (p:Port {id: id})
SET p._locked = coalesce(p._locked, 0) + 1

// graph/changes/bandwidth/boosts.py _HOLD_TRUNKS
UNWIND $batch.trunks AS id
MATCH (t:Trunk {id: id})
SET t._locked = coalesce(t._locked, 0) + 1

// graph/changes/bandwidth/boosts.py _MAKE
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
CREATE (b:Boost {id: row.id})-[:BOOSTS]->(s)

// graph/changes/bandwidth/boosts.py _SET
UNWIND $batch.rows AS row
MATCH (b:Boost {id: row.id})
SET b.mbps = row.mbps, b.startAt = row.start, b.endAt = row.end, b.status = row.status, b.statusReason = row.reason,
    b.price = row.price, b.currency = row.currency, b.tier = row.tier, b.orderedAt = row.orderedAt, b.holdUntil = row.holdUntil,
    b.activatedAt = row.activatedAt, b.endedAt = row.endedAt, b.chargedMbps = row.chargedMbps, b.chargedFrom = row.chargedFrom,
    b.series = row.series, b.orderedBy = row.orderedBy, b._askedAt = row.askedAt, b._endingAt = row.endingAt,
    b._noticedAt = row.noticedAt, b._ends = row.ends, b._mbpsBefore = row.mbpsBefore, b._priceBefore = row.priceBefore,
    b._earlier = row.earlier, b._settled = row.settled, b._cost = row.cost, b.openOf = row.openOf, b.activatedOf = row.activatedOf,
    b.boughtBy = coalesce(b.boughtBy, row.boughtBy), b._turned = true

// graph/changes/bandwidth/boosts.py _RESERVE_PORTS
UNWIND $batch.rows AS row
MATCH (b:Boost {id: row.boost})
MATCH (p:Port {id: row.thing})
CREATE (b)-[:RESERVES]->(p)

// graph/changes/bandwidth/boosts.py _RESERVE_TRUNKS
UNWIND $batch.rows AS row
MATCH (b:Boost {id: row.boost})
MATCH (t:Trunk {id: row.thing})
CREATE (b)-[:RESERVES]->(t)

// graph/changes/bandwidth/boosts.py _RELEASE
UNWIND $batch.boosts AS id
MATCH (b:Boost {id: id})-[r:RESERVES]->(o)
DELETE r

// graph/changes/bandwidth/boosts.py _SET_SERVICE
MATCH (s:Service {id: $service})
SET s._toldMbps = CASE WHEN $effective = s.effectiveMbps THEN s._toldMbps ELSE $effective END
SET s.bookedMbps = $booked, s.effectiveMbps = $effective, s._version = $version, s._accountedAt = $accountedAt,
    s._refusals = $refusals, s._retryAt = $retryAt, s._mayCarry = $mayCarry

// graph/changes/bandwidth/changing.py _CARRIED_FOR
MATCH (d:Delivery {id: $delivery})-[:CARRIES_OUT]->(:ProcessStep)-[:STEP_OF]->(b:Boost)-[:BOOSTS]->(s:Service)
RETURN DISTINCT b.id, s.id

// graph/changes/bandwidth/comparing.py _PROFILES
MATCH (c:CapacityProfile) RETURN c.id

// graph/changes/bandwidth/comparing.py _RESERVED
MATCH (b:Boost)-[:RESERVES]->(t) WHERE b.status IN $holding RETURN DISTINCT t.id

// graph/changes/bandwidth/comparing.py _FOR_NOBODY
MATCH (b:Boost)-[:RESERVES]->()
WITH DISTINCT b
WHERE NOT b.status IN $holding OR NOT EXISTS { MATCH (b)-[:BOOSTS]->(:Service) }
RETURN b.id

// graph/changes/bandwidth/comparing.py _FREE
UNWIND $batch.boosts AS id
MATCH (b:Boost {id: id})-[r:RESERVES]->()
WHERE NOT b.status IN $holding OR NOT EXISTS { MATCH (b)-[:BOOSTS]->(:Service) }
DELETE r

// graph/changes/bandwidth/comparing.py _OF_PORTS
UNWIND $batch.things AS id
RETURN id, datetime.realtime().epochMillis,
  HEAD(COLLECT { MATCH (c:CapacityProfile {id: 'capacityprofile-' + id}) RETURN c.deltas }),
  COLLECT {
    MATCH (:Port {id: id})<-[:RESERVES]-(b:Boost) WHERE b.status IN $holding
    WITH DISTINCT b
    RETURN [b.startAt, b.endAt, b.mbps]
  }

// graph/changes/bandwidth/comparing.py _OF_TRUNKS
UNWIND $batch.things AS id
RETURN id, datetime.realtime().epochMillis,
  HEAD(COLLECT { MATCH (c:CapacityProfile {id: 'capacityprofile-' + id}) RETURN c.deltas }),
  COLLECT {
    MATCH (:Trunk {id: id})<-[:RESERVES]-(b:Boost) WHERE b.status IN $holding
    WITH DISTINCT b
    RETURN [b.startAt, b.endAt, b.mbps]
  }

// graph/changes/bandwidth/consequences/credits.py _DOWN
MATCH (d:Downtime)-[:INTERRUPTS]->(s:Service {id: $service})
WHERE d.effect = 'down' AND d.from < $to AND coalesce(d.to, $to) > $from
RETURN d.from, coalesce(d.to, $to) ORDER BY d.from

// graph/changes/bandwidth/consequences/crossings.py _MARKS
MATCH (t:Timer {id: $timer}) RETURN coalesce(t._since, 0), coalesce(t._after, '')

// graph/changes/bandwidth/consequences/crossings.py _GO_ON
MATCH (t:Timer {id: $timer}) SET t._since = $since, t._after = $after

// graph/changes/bandwidth/consequences/crossings.py _NEWS
MATCH (e:Event) WHERE e.at >= $since AND e.type IN ['AlarmRaised', 'AlarmReopened', 'AlarmCleared']
RETURN e.at, e.aggregateId ORDER BY e.at, e.aggregateId LIMIT $most

// graph/changes/bandwidth/consequences/crossings.py _OPEN
MATCH (a:Alarm) WHERE a.state IN ['raised', 'updated'] AND coalesce(a.id, '') > $after
RETURN a.id ORDER BY a.id LIMIT $most

// graph/changes/bandwidth/consequences/crossings.py _SERVICES
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id}) WHERE a.alarmType = 'qualityOfServiceAlarm'
RETURN COLLECT { MATCH (s:Service {id: a.alarmedObjectRef}) RETURN s.id },
  COLLECT { MATCH (x:ExternalName {key: a.awaits})-[:NAMES]->(s:Service) RETURN s.id }

// graph/changes/bandwidth/consequences/crossings.py _NAMES
MATCH (x:ExternalName)-[:NAMES]->(s:Service {id: $service}) RETURN x.key ORDER BY x.key

// graph/changes/bandwidth/consequences/crossings.py _BY_ID
MATCH (a:Alarm {alarmedObjectRef: $service}) WHERE a.alarmType = 'qualityOfServiceAlarm'
RETURN a.id, a.record ORDER BY a.raisedAt DESC LIMIT $most

// graph/changes/bandwidth/consequences/crossings.py _BY_NAME
UNWIND $batch.keys AS key
MATCH (a:Alarm {awaits: key}) WHERE a.alarmType = 'qualityOfServiceAlarm'
RETURN a.id, a.record ORDER BY a.raisedAt DESC LIMIT $most

// graph/changes/bandwidth/consequences/crossings.py _TURNS
UNWIND $batch.alarms AS id
MATCH (e:Event {aggregateId: id}) WHERE e.type IN ['AlarmRaised', 'AlarmReopened', 'AlarmCleared']
RETURN e.aggregateId, e.type, e.at ORDER BY e.aggregateId, e.aggregateVersion

// graph/changes/bandwidth/consequences/leads.py _COUNT
MATCH (b:Boost) WHERE b.activatedOf >= $from AND b.activatedOf <= $to
RETURN b.id, b.mbps, b.startAt, b.endAt ORDER BY b.activatedOf DESC LIMIT $most

// graph/changes/bandwidth/consequences/leads.py _KNOWN
MATCH (l:Lead {key: $key}) WHERE l.at >= $since OR NOT coalesce(l.state, '') IN $decided
RETURN l.id LIMIT 1

// graph/changes/bandwidth/consequences/leads.py _MAKE
MATCH (s:Service {id: $service})
MATCH (c:Customer {id: $customer})
CREATE (l:Lead {id: $id, reason: $reason, at: $now, key: $key, evidence: $evidence})
CREATE (l)-[:SUGGESTED_FOR]->(s)
CREATE (l)-[:ABOUT]->(c)

// graph/changes/bandwidth/consequences/moved.py _MOVED
UNWIND $batch.boosts AS id
MATCH (b:Boost {id: id})-[:BOOSTS]->(s:Service)
WHERE s.state = 'terminated' OR EXISTS {
  MATCH (b)-[:RESERVES]->(t) WHERE NOT EXISTS { MATCH (s)-[:ACCESSED_AT|ROUTED_OVER]->(t) }
} OR EXISTS {
  MATCH (s)-[:ACCESSED_AT|ROUTED_OVER]->(t) WHERE NOT EXISTS { MATCH (b)-[:RESERVES]->(t) }
}
RETURN DISTINCT s.id ORDER BY s.id

// graph/changes/bandwidth/consequences/moved.py _PAGE
MATCH (b:Boost) WHERE b.openOf > '' AND coalesce(b.id, '') > $after
RETURN b.id ORDER BY b.id LIMIT $most

// graph/changes/bandwidth/consequences/moved.py _AFTER
MATCH (t:Timer {id: $timer}) RETURN coalesce(t._after, '')

// graph/changes/bandwidth/consequences/moved.py _GO_ON
MATCH (t:Timer {id: $timer}) SET t._after = $after

// graph/changes/bandwidth/consequences/returns.py _LOOK
MATCH (s:Service {id: $service})
RETURN s.name, coalesce(s._refusals, 0), coalesce(s.effectiveMbps, 0), coalesce(s.bookedMbps, s.committedMbps, 0),
  HEAD(COLLECT { MATCH (s)-[a:ACCESSED_AT]->(p:Port) RETURN p.id ORDER BY a.end, p.id LIMIT 1 })

// graph/changes/bandwidth/consequences/returns.py _OPEN
MATCH (t:Task {openAbout: $service}) WHERE t.state = 'OPEN' AND t.kind = 'returnRefused' RETURN t.reason

// graph/changes/bandwidth/consequences/returns.py _KNOWN
MATCH (a:Alarm {identity: $identity}) RETURN a.id LIMIT 1

// graph/changes/bandwidth/consequences/thresholds.py _SHOWN
RETURN s.id, s.name, s.state, coalesce(s.effectiveMbps, s.committedMbps, 0), coalesce(s.committedMbps, 0),
  HEAD(COLLECT { MATCH (s)-[:GOVERNED_BY]->(l:Sla) RETURN [l.tier, l.availabilityPercent] ORDER BY l.id }),
  s._toldMbps, s._toldPromise, s._toldShare, s.bookedMbps

// graph/changes/bandwidth/consequences/thresholds.py _AFTER
MATCH (t:Timer {id: $timer}) RETURN coalesce(t._after, '')

// graph/changes/bandwidth/consequences/thresholds.py _GO_ON
MATCH (t:Timer {id: $timer}) SET t._after = $after

// graph/changes/bandwidth/consequences/thresholds.py _WAITING
MATCH (d:Delivery) WHERE d.waiting IN $lanes RETURN d.id LIMIT $most

// graph/changes/bandwidth/consequences/thresholds.py _TOLD
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
SET s._toldMbps = row.mbps, s._toldPromise = row.promise, s._toldShare = row.share, s._version = row.version

// graph/changes/bandwidth/consequences/usage.py _KEEP
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
CREATE (u:Usage {
  id: row.id, source: row.source, externalId: row.externalId, serviceRef: row.service, from: row.from, to: row.to, mbps: row.mbps,
  kind: row.kind, state: row.state, record: row.record, _takenAt: row.now
})-[:USED_BY]->(s)

// graph/changes/bandwidth/costs.py _ENDING
UNWIND $batch.customers AS id
MATCH (c:Customer {id: id}) WHERE $everyone OR c.id IN $customers
RETURN c.id, COLLECT {
  MATCH (c)-[:SUBSCRIBES_TO]->(:Service)<-[:BOOSTS]-(b:Boost)
  WHERE b.endAt > $from AND b.endAt <= $to AND b.status <> 'REQUESTED' AND NOT (b.status = 'TERMINATED' AND b.activatedAt IS NULL)
  RETURN b.id ORDER BY b.id LIMIT $most
}

// graph/changes/bandwidth/forecast.py _NOW
RETURN datetime.realtime().epochMillis

// graph/changes/bandwidth/forecast.py _ON_PORTS
UNWIND $batch.things AS id
MATCH (:Port {id: id})<-[:ACCESSED_AT]-(s:Service) WHERE NOT coalesce(s.state, '') IN $free
WITH DISTINCT id, s
RETURN id, coalesce(s.committedMbps, 0),
  COLLECT { MATCH (s)<-[:BOOSTS]-(b:Boost) WHERE b.activatedAt < $until RETURN [b.activatedAt, coalesce(b.endedAt, b.endAt), b.mbps] },
  COLLECT {
    MATCH (e:Event {aggregateId: s.id}) WHERE e.type = 'ServiceRateChanged' AND e.at >= $since
    RETURN [e.at, e.payload] ORDER BY e.at, e.aggregateVersion
  }

// graph/changes/bandwidth/forecast.py _ON_TRUNKS
UNWIND $batch.things AS id
MATCH (:Trunk {id: id})<-[:ROUTED_OVER]-(s:Service) WHERE NOT coalesce(s.state, '') IN $free
WITH DISTINCT id, s
RETURN id, coalesce(s.committedMbps, 0),
  COLLECT { MATCH (s)<-[:BOOSTS]-(b:Boost) WHERE b.activatedAt < $until RETURN [b.activatedAt, coalesce(b.endedAt, b.endAt), b.mbps] },
  COLLECT {
    MATCH (e:Event {aggregateId: s.id}) WHERE e.type = 'ServiceRateChanged' AND e.at >= $since
    RETURN [e.at, e.payload] ORDER BY e.at, e.aggregateVersion
  }

// graph/changes/bandwidth/loads.py _OF_SERVICE
MATCH (:Service {id: $service})-[:ACCESSED_AT|ROUTED_OVER]->(t)
WITH DISTINCT t
WITH t, HEAD(COLLECT {
  MATCH (t)<-[:ACCESSED_AT|ROUTED_OVER]-(s:Service) WHERE NOT coalesce(s.state, '') IN $free
  WITH DISTINCT s, coalesce(s.committedMbps, 0) AS committed
  WITH committed, coalesce(s._mayCarry, s.effectiveMbps, 0) - coalesce(s.bookedMbps, committed) AS more
  RETURN sum(committed + CASE WHEN more > 0 THEN more ELSE 0 END)
}) AS carried
RETURN t.id, coalesce(t.speedMbps, t.capacityMbps, 0), t.layerRate, carried,
  HEAD(COLLECT { MATCH (c:CapacityProfile {id: 'capacityprofile-' + t.id}) RETURN c.deltas })
ORDER BY t.id

// graph/changes/bandwidth/loads.py _OF_PORTS
UNWIND $batch.things AS id
MATCH (t:Port {id: id})
WITH t, HEAD(COLLECT {
  MATCH (t)<-[:ACCESSED_AT]-(s:Service) WHERE NOT coalesce(s.state, '') IN $free
  WITH DISTINCT s, coalesce(s.committedMbps, 0) AS committed
  WITH committed, coalesce(s._mayCarry, s.effectiveMbps, 0) - coalesce(s.bookedMbps, committed) AS more
  RETURN sum(committed + CASE WHEN more > 0 THEN more ELSE 0 END)
}) AS carried
RETURN t.id, coalesce(t.speedMbps, 0), null, carried,
  HEAD(COLLECT { MATCH (c:CapacityProfile {id: 'capacityprofile-' + t.id}) RETURN c.deltas })
ORDER BY t.id

// graph/changes/bandwidth/loads.py _OF_TRUNKS
UNWIND $batch.things AS id
MATCH (t:Trunk {id: id})
WITH t, HEAD(COLLECT {
  MATCH (t)<-[:ROUTED_OVER]-(s:Service) WHERE NOT coalesce(s.state, '') IN $free
  WITH DISTINCT s, coalesce(s.committedMbps, 0) AS committed
  WITH committed, coalesce(s._mayCarry, s.effectiveMbps, 0) - coalesce(s.bookedMbps, committed) AS more
  RETURN sum(committed + CASE WHEN more > 0 THEN more ELSE 0 END)
}) AS carried
RETURN t.id, coalesce(t.capacityMbps, 0), t.layerRate, carried,
  HEAD(COLLECT { MATCH (c:CapacityProfile {id: 'capacityprofile-' + t.id}) RETURN c.deltas })
ORDER BY t.id

// graph/changes/bandwidth/loads.py _PORTS_OF
UNWIND $batch.ids AS id MATCH (:Card {id: id})-[:HAS_PORT]->(p:Port) RETURN DISTINCT id, p.id LIMIT $most

// graph/changes/bandwidth/loads.py _PORTS_OF
UNWIND $batch.ids AS id MATCH (:NetworkElement {id: id})-[:HOLDS]->(:Card)-[:HAS_PORT]->(p:Port) RETURN DISTINCT id, p.id LIMIT $most

// graph/changes/bandwidth/loads.py _PORTS_OF
UNWIND $batch.ids AS id MATCH (:Site {id: id})<-[:LOCATED_AT]-(:NetworkElement)-[:HOLDS]->(:Card)-[:HAS_PORT]->(p:Port) RETURN DISTINCT id, p.id LIMIT $most

// graph/changes/bandwidth/loads.py _TRUNKS_AT
UNWIND $batch.ports AS id MATCH (:Port {id: id})<-[:TERMINATES_ON]-(t:Trunk) RETURN id, t.id

// graph/changes/bandwidth/looking.py _SERIES_PRICE
MATCH (b:Boost {id: $boost})
RETURN b.currency, b.price, COLLECT { MATCH (o:Boost {series: b.series}) RETURN o.price }

// graph/changes/bandwidth/looking.py _BOOKED
MATCH (c:CapacityProfile) WHERE c.id > $after RETURN c.id ORDER BY c.id LIMIT $most

// graph/changes/bandwidth/looking.py read_now
RETURN datetime.realtime().epochMillis

// graph/changes/bandwidth/network.py _WANTED
MATCH (s:Service {id: $service}) WHERE coalesce(s.state, '') <> 'terminated'
RETURN coalesce(s.committedMbps, 0), datetime.realtime().epochMillis, COLLECT {
  MATCH (b:Boost {openOf: s.id}) WHERE b.status IN ['SCHEDULED', 'ACTIVATED'] RETURN [b.mbps, b.startAt, b.endAt]
}

// graph/changes/bandwidth/network.py _CARRIED
MATCH (d:Delivery {id: $delivery})-[:CARRIES_OUT]->(p:ProcessStep)-[:STEP_OF]->(b:Boost)
RETURN b.id, p.boundary, p.id ORDER BY p.id

// graph/changes/bandwidth/owned.py SERVICE
WITH HEAD(COLLECT { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(o:Service) WHERE c.id IN $customers RETURN o LIMIT 1 }) AS other
WITH coalesce(HEAD(COLLECT { MATCH (n:Service {id: $service}) RETURN n LIMIT 1 }), other) AS s
WITH s, $everyone OR EXISTS { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) WHERE c.id IN $customers } AS mine
WITH s WHERE mine AND s.id = $service

// graph/changes/bandwidth/owned.py BOOST
WITH HEAD(COLLECT { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(:Service)<-[:BOOSTS]-(o:Boost) WHERE c.id IN $customers RETURN o LIMIT 1 }) AS other
WITH coalesce(HEAD(COLLECT { MATCH (n:Boost {id: $boost}) RETURN n LIMIT 1 }), other) AS b
WITH b, $everyone OR EXISTS {
  MATCH (c:Customer)-[:SUBSCRIBES_TO]->(:Service)<-[:BOOSTS]-(b) WHERE c.id IN $customers
} AS mine
WITH b WHERE mine AND b.id = $boost

// graph/changes/bandwidth/profiles.py _WAY
MATCH (:Service {id: $service})-[:ACCESSED_AT|ROUTED_OVER]->(t)
RETURN DISTINCT t.id

// graph/changes/bandwidth/profiles.py _LOCK
UNWIND $batch.things AS id
MATCH (c:CapacityProfile {id: 'capacityprofile-' + id})
SET c._locked = coalesce(c._locked, 0) + 1
RETURN id, c.version, c.deltas, datetime.realtime().epochMillis

// graph/changes/bandwidth/profiles.py _MAKE
UNWIND $batch.things AS id
MERGE (c:CapacityProfile {id: 'capacityprofile-' + id})
ON CREATE SET c.version = 0
SET c._locked = coalesce(c._locked, 0) + 1
RETURN id, c.version, c.deltas, datetime.realtime().epochMillis

// graph/changes/bandwidth/profiles.py _SET
UNWIND $batch.rows AS row
MATCH (c:CapacityProfile {id: 'capacityprofile-' + row.thing})
SET c.version = row.version, c.deltas = row.deltas

// graph/changes/bandwidth/spending.py _LOCK
MATCH (c:Customer {id: $customer})
SET c._locked = coalesce(c._locked, 0) + 1

// graph/changes/bandwidth/spending.py _SPENT
MATCH (b:Boost) WHERE b.boughtBy >= $from AND b.boughtBy < $to AND b.currency = $currency AND NOT b.id IN $without
RETURN sum(b.price)

// graph/changes/customers/declining.py _LOCK
MATCH (m:CustomerMatch {id: $match})
SET m._locked = coalesce(m._locked, 0) + 1
RETURN m.id, m.state, coalesce(m._version, 1), datetime.realtime().epochMillis,
  COLLECT { MATCH (m)-[:COMPARES]->(c:Customer) RETURN c.id ORDER BY c.id }

// graph/changes/customers/declining.py _DECLINE
MATCH (m:CustomerMatch {id: $match})
SET m.state = 'declined', m.note = $note, m.settledAt = $at, m.settledBy = $subject, m._version = $version

// graph/changes/customers/matches.py _ALIKE
MATCH (c:Customer {company: $company})
WHERE c.id <> $customer AND (c.companyForm IS NULL OR $form = '' OR c.companyForm IN ['', $form])
OPTIONAL MATCH (c)-[:MERGED_INTO]->(o:Customer)
WITH c, coalesce(o, c) AS meant
WHERE meant.id <> $customer AND NOT EXISTS {
  MATCH (meant)<-[:COMPARES]-(m:CustomerMatch)-[:COMPARES]->(x:Customer) WHERE x.id = $customer
}
RETURN meant.id, meant.name, c.name ORDER BY meant.id, c.id LIMIT $most

// graph/changes/customers/matches.py _THERE
UNWIND $batch.ids AS id MATCH (m:CustomerMatch {id: id}) RETURN m.id

// graph/changes/customers/matches.py _MAKE
UNWIND $batch.rows AS row
MATCH (a:Customer {id: row.first})
MATCH (b:Customer {id: row.second})
CREATE (m:CustomerMatch {id: row.id, state: row.state, reason: row.reason, foundAt: row.at, _version: 1})
CREATE (m)-[:COMPARES]->(a)
CREATE (m)-[:COMPARES]->(b)

// graph/changes/customers/matches.py _OPEN_OF
MATCH (:Customer {id: $customer})<-[:COMPARES]-(m:CustomerMatch)-[:COMPARES]->(o:Customer)
WHERE m.state = $state AND o.id <> $customer AND NOT o.id IN $without
  AND NOT EXISTS { MATCH (o)-[:MERGED_INTO]->(i:Customer) }
RETURN m.id, o.id, o.name ORDER BY m.id

// graph/changes/customers/matches.py _MOVE
UNWIND $batch.ids AS id
MATCH (m:CustomerMatch {id: id})
SET m.state = $state, m.settledAt = $at, m.settledBy = $subject, m._version = coalesce(m._version, 1) + 1

// graph/changes/customers/merging.py _LOCK
UNWIND $batch.customers AS id
MATCH (c:Customer {id: id})
SET c._locked = coalesce(c._locked, 0) + 1
RETURN c.id, coalesce(c.name, c.id), coalesce(c.accountRef, ''), coalesce(c._version, 0), coalesce(c._tookAccount, ''),
  coalesce(c._takenAccount, ''), c._record, c.goneAt,
  HEAD(COLLECT { MATCH (c)-[:MERGED_INTO]->(m:Customer) RETURN m.id }),
  HEAD(COLLECT { MATCH (c)-[r:MERGED_INTO]->(:Customer) RETURN r._trail }), datetime.realtime().epochMillis

// graph/changes/customers/merging.py _LOOK
UNWIND $batch.customers AS id
MATCH (c:Customer {id: id})
RETURN c.id, coalesce(c.name, c.id), coalesce(c.accountRef, ''), coalesce(c._version, 0), coalesce(c._tookAccount, ''),
  coalesce(c._takenAccount, ''), c._record, c.goneAt,
  HEAD(COLLECT { MATCH (c)-[:MERGED_INTO]->(m:Customer) RETURN m.id }),
  HEAD(COLLECT { MATCH (c)-[r:MERGED_INTO]->(:Customer) RETURN r._trail }), datetime.realtime().epochMillis

// graph/changes/customers/merging.py _LINK
MATCH (f:Customer {id: $from})
MATCH (t:Customer {id: $into})
SET f._version = $version
CREATE (f)-[:MERGED_INTO]->(t)

// graph/changes/customers/merging.py _UNLINK
MATCH (f:Customer {id: $from})
MATCH (f)-[r:MERGED_INTO]->(t:Customer {id: $into})
SET f._version = $version
DELETE r

// graph/changes/customers/merging.py _TAKE_ACCOUNT
MATCH (c:Customer {id: $into})
SET c.accountRef = $account, c._takenAccount = $account, c._tookAccount = $of

// graph/changes/customers/merging.py _GIVE_ACCOUNT_BACK
MATCH (c:Customer {id: $into})
MATCH (s:Customer {id: $from})
SET s.accountRef = CASE WHEN s._tookAccount = c._tookAccount THEN c._takenAccount ELSE s.accountRef END,
    s._takenAccount = CASE WHEN s._tookAccount = c._tookAccount THEN c._takenAccount ELSE s._takenAccount END
WITH c
SET c.accountRef = CASE WHEN c.accountRef = c._takenAccount THEN '' ELSE c.accountRef END
SET c._tookAccount = null, c._takenAccount = null

// graph/changes/customers/moving.py _LEADS_BACK
MATCH (f:Customer {id: $from})
MATCH (t:Customer {id: $into})
MATCH (t)<-[r:ABOUT]-(o:Lead)-[:SUGGESTED_FOR]->(:Service)<-[:SUBSCRIBES_TO]-(f)
WITH f, r, o ORDER BY o.id
CREATE (o)-[:ABOUT]->(f)
DELETE r

// graph/changes/customers/moving.py _LOCK_SERVICES
MATCH (:Customer {id: $customer})-[:SUBSCRIBES_TO]->(s:Service)
WITH s ORDER BY s.id
SET s._locked = coalesce(s._locked, 0) + 1

// graph/changes/customers/moving.py _LOCK_TICKETS
MATCH (:Customer {id: $customer})<-[:OPENED_FOR]-(t:Ticket)
WITH t ORDER BY t.orderKey, t.id
SET t._locked = coalesce(t._locked, 0) + 1

// graph/changes/customers/moving.py _LOCK_ORDERS
MATCH (:Customer {id: $customer})<-[:PLACED_BY]-(o:Order)
WITH o ORDER BY o.id
SET o._locked = coalesce(o._locked, 0) + 1

// graph/changes/customers/records.py _FIND
UNWIND $batch.rows AS row
RETURN row.record, HEAD(COLLECT {
  MATCH (:ExternalName {key: row.key})-[r:NAMES]->(n) RETURN CASE WHEN r._trail IS NULL THEN n.id ELSE split(r._trail, ' ')[0] END
}), HEAD(COLLECT { MATCH (c:Customer {id: row.made}) RETURN c.id })

// graph/changes/customers/records.py _LOCK
UNWIND $batch.customers AS id
MATCH (c:Customer {id: id})
SET c._locked = coalesce(c._locked, 0) + 1
RETURN c.id, c.name, c.status, coalesce(c.segment, ''), coalesce(c.accountRef, ''), c._record, c._toldAt, c.goneAt,
  coalesce(c._version, 0), HEAD(COLLECT { MATCH (c)-[:MERGED_INTO]->(m:Customer) RETURN m.id }),
  coalesce(c._tookAccount, ''), coalesce(c._takenAccount, ''),
  HEAD(COLLECT { MATCH (l:CustomerLook {id: $look}) RETURN l.at }), datetime.realtime().epochMillis

// graph/changes/customers/records.py _READ
UNWIND $batch.customers AS id
MATCH (c:Customer {id: id})
RETURN c.id, c.name, c.status, coalesce(c.segment, ''), coalesce(c.accountRef, ''), c._record, c._toldAt, c.goneAt,
  coalesce(c._version, 0), HEAD(COLLECT { MATCH (c)-[:MERGED_INTO]->(m:Customer) RETURN m.id }),
  coalesce(c._tookAccount, ''), coalesce(c._takenAccount, ''),
  HEAD(COLLECT { MATCH (l:CustomerLook {id: $look}) RETURN l.at }), datetime.realtime().epochMillis

// graph/changes/customers/records.py _NOW
RETURN datetime.realtime().epochMillis

// graph/changes/customers/records.py _MAKE
CREATE (c:Customer {id: $id, segment: '', accountRef: '', _version: 0})

// graph/changes/customers/records.py _NAME
MATCH (c:Customer {id: $customer})
OPTIONAL MATCH (c)-[m:MERGED_INTO]->(o:Customer)
WITH coalesce(o, c) AS owner, CASE WHEN m IS NULL THEN null ELSE c.id + coalesce(' ' + m._trail, '') END AS trail
MERGE (x:ExternalName {key: $key})
ON CREATE SET x.id = $id, x.system = $system, x.name = $name
WITH x, owner, trail WHERE NOT EXISTS { MATCH (x)-[:NAMES]->(n) }
CREATE (x)-[r:NAMES]->(owner)
SET r._trail = trail

// graph/changes/customers/records.py _WRITE
MATCH (c:Customer {id: $id})
SET c.name = $name, c.status = $status, c.segment = $segment, c.accountRef = $account, c.words = $words, c.company = $company,
    c.companyForm = $form,
    c.managedBy = $system, c._record = $record, c._toldAt = $at, c.goneAt = $goneAt, c._version = $version,
    c._tookAccount = $tookAccount

// graph/changes/customers/records.py _CONFIRM
MATCH (c:Customer {id: $id}) SET c._toldAt = $at

// graph/changes/customers/records.py _LEND_ACCOUNT
MATCH (c:Customer {id: $id})
SET c.accountRef = $account, c._takenAccount = $account, c._version = $version

// graph/changes/customers/records.py _MANAGED
MATCH (c:Customer {managedBy: $system}) WHERE c.id > $after AND c.goneAt IS NULL
RETURN c.id, c._record, c._missedAt ORDER BY c.id LIMIT $most

// graph/changes/customers/records.py _LOOKED
MATCH (l:CustomerLook {id: $look}) RETURN l.at

// graph/changes/customers/records.py _MISSED
UNWIND $batch.customers AS id
MATCH (c:Customer {id: id})
SET c._missedAt = $at

// graph/changes/customers/records.py _END_LOOK
MERGE (l:CustomerLook {id: $look})
SET l.at = CASE WHEN coalesce(l.at, 0) > $at THEN l.at ELSE $at END

// graph/changes/customers/stubs.py _MEANT
UNWIND $batch.customers AS id
MATCH (:Customer {id: id})-[:MERGED_INTO]->(c:Customer)
RETURN id, c.id

// graph/changes/customers/stubs.py _STUBS
MATCH (s:Customer)-[:MERGED_INTO]->(:Customer {id: $customer}) RETURN s.id ORDER BY s.id

// graph/changes/deliveries.py _REPLAY
MATCH (d:Delivery {id: $delivery})
SET d._lock = true
REMOVE d._lock
WITH d, d.state = 'DEAD' AS due, datetime.realtime().epochMillis AS now
SET d.state = CASE WHEN due THEN 'READY' ELSE d.state END,
    d.waiting = CASE WHEN due THEN d.lane ELSE d.waiting END,
    d.due = CASE WHEN due THEN d.lane ELSE d.due END,
    d.queued = CASE WHEN due THEN d.system + '#' + toString(now) ELSE d.queued END,
    d.parked = CASE WHEN due THEN null ELSE d.parked END,
    d.parkedFor = CASE WHEN due THEN null ELSE d.parkedFor END,
    d.attempts = CASE WHEN due THEN 1 ELSE d.attempts END,
    d._suspended = CASE WHEN due THEN null ELSE d._suspended END,
    d.since = CASE WHEN due THEN now ELSE d.since END,
    d.nextAt = CASE WHEN due THEN now ELSE d.nextAt END,
    d._version = coalesce(d._version, 0) + CASE WHEN due THEN 1 ELSE 0 END
RETURN due, now, d._version

// graph/changes/events.py _APPEND
UNWIND $batch.rows AS row
CREATE (e:Event {
  id: row.id, type: row.type, aggregateId: row.aggregate, aggregateVersion: row.version,
  at: row.at, unplaced: row.at, principal: row.principal, payload: row.payload
})

// graph/changes/events.py _CONCERN
UNWIND $batch.rows AS row
MATCH (c:Customer {id: row.customer})
MATCH (e:Event {id: row.event})
CREATE (e)-[:CONCERNS_CUSTOMER]->(c)

// graph/changes/fulfilment/billing.py _RECORD
MATCH (s:Service {id: $service})
CREATE (u:Usage {
  id: $id, source: $source, externalId: $externalId, serviceRef: $service, from: $now, to: $now, mbps: $mbps, kind: $kind, state: $state,
  _takenAt: $now
})-[:USED_BY]->(s)
SET s._version = $version

// graph/changes/fulfilment/correlating.py _ACTIVATE
MATCH (s:Service {id: $service}) WHERE NOT EXISTS { MATCH (:Customer)-[:SUBSCRIBES_TO]->(s) }
MATCH (c:Customer {id: $customer})
WITH s, c, HEAD(COLLECT { MATCH (:Order {id: $order})-[p:PLACED_BY]->(c) RETURN p._trail }) AS trail
CREATE (c)-[r:SUBSCRIBES_TO]->(s)
SET s.state = 'active', s.effectiveMbps = $mbps, r._trail = trail
RETURN coalesce(c.name, c.id)

// graph/changes/fulfilment/lines.py _READ
MATCH (i:OrderItem {id: $item}) RETURN i._product, i.siteA, i.siteZ, i.mbps, i._unread

// graph/changes/fulfilment/lines.py _RELIES
MATCH (:Order {id: $order})-[:HAS_ITEM]->(i:OrderItem)-[r:RELATES_TO]->(o:OrderItem)
WHERE toLower(coalesce(r.relationshipType, '')) = $kind
RETURN i.externalId, o.externalId ORDER BY i.externalId, o.externalId

// graph/changes/fulfilment/lines.py _SITES
MATCH (s:Site) WHERE s.id IN $batch.ids RETURN s.id

// graph/changes/fulfilment/lines.py _NAMED
UNWIND $batch.keys AS sought
MATCH (x:ExternalName {key: sought})-[:NAMES]->(s:Site)
RETURN sought, s.id

// graph/changes/fulfilment/network.py _CARRIES
MATCH (s:Service {id: $service}) WHERE s.state = 'reserved' SET s._mayCarry = $mbps

// graph/changes/fulfilment/network.py _DOUBT
MATCH (s:Service {id: $service}) WHERE s.state = 'reserved' SET s._doubt = $doubt

// graph/changes/fulfilment/process.py _FAIL
MATCH (i:OrderItem {id: $item}) SET i.failure = $word, i.failureDetail = $detail

// graph/changes/fulfilment/reserving.py _RESERVE
MATCH (i:OrderItem {id: $item})
CREATE (s:Service {
  id: $service, name: $name, words: $words, kind: $kind, state: 'reserved', committedMbps: $mbps, effectiveMbps: 0, maxMbps: $most,
  _version: 0
})
CREATE (s)-[:GOVERNED_BY]->(:Sla {
  id: $sla, name: $product, tier: $tier, availabilityPercent: $availability, repairHours: $hours
})
CREATE (i)-[:PROVISIONS]->(s)

// graph/changes/fulfilment/reserving.py _ACCESS
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
MATCH (p:Port {id: row.port})
CREATE (s)-[:ACCESSED_AT {end: row.end}]->(p)

// graph/changes/fulfilment/reserving.py _ROUTE
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
MATCH (t:Trunk {id: row.trunk})
CREATE (s)-[:ROUTED_OVER {path: row.path, position: row.position}]->(t)

// graph/changes/fulfilment/sending.py _BUILT
MATCH (s:Service {id: $service})
SET s._version = coalesce(s._version, 0) + 1
RETURN s.id, s.name, s.kind, coalesce(s.committedMbps, 0), s._version, coalesce(s._doubt, ''), datetime.realtime().epochMillis,
  COLLECT { MATCH (s)-[a:ACCESSED_AT]->(p:Port) RETURN [a.end, p.id, coalesce(p.name, p.id)] ORDER BY a.end, p.id },
  COLLECT { MATCH (s)-[r:ROUTED_OVER]->(t:Trunk) RETURN [r.path, t.id, coalesce(t.name, t.id)] ORDER BY r.path DESC, r.position }

// graph/changes/fulfilment/sending.py _IS_WANTED
MATCH (i:OrderItem {id: $item})-[:PROVISIONS]->(:Service {id: $service})
RETURN i._phase = 'activating' AND i.state = 'inProgress'

// graph/changes/fulfilment/undoing.py _HELD
MATCH (:Service {id: $service})-[:ACCESSED_AT|ROUTED_OVER]->(t)
RETURN DISTINCT t.id

// graph/changes/fulfilment/undoing.py _END_CONTRACT
MATCH (s:Service {id: $service})-[:GOVERNED_BY]->(l:Sla) WHERE s.state = 'reserved' DETACH DELETE l

// graph/changes/fulfilment/undoing.py _RELEASE
MATCH (s:Service {id: $service}) WHERE s.state = 'reserved' DETACH DELETE s

// graph/changes/fulfilment/undoing.py _OF_ITEM
MATCH (o:Order)-[:HAS_ITEM]->(i:OrderItem {id: $node})
RETURN o.id, i.externalId, HEAD(COLLECT { MATCH (i)-[:PROVISIONS]->(s:Service) RETURN s.id })

// graph/changes/fulfilment/works.py _IN_USE
MATCH (:Order {id: $order})-[:HAS_ITEM]->(i:OrderItem {action: 'add'})-[:PROVISIONS]->(s:Service {state: 'active'})
RETURN DISTINCT s.id ORDER BY s.id

// graph/changes/fulfilment/works.py _OF_ITEM
MATCH (:OrderItem {id: $node})-[:PROVISIONS]->(s:Service) RETURN s.id

// graph/changes/gates.py _LOCK
UNWIND $batch.gates AS id
MERGE (g:NameGate {id: id})
SET g._locked = coalesce(g._locked, 0) + 1

// graph/changes/idempotency.py _CLAIM
MERGE (i:Idempotency {key: $key})
ON CREATE SET i.expiresAt = 0
SET i._lock = true
REMOVE i._lock
WITH i
RETURN i.expiresAt > timestamp(), i.requestHash, i.response

// graph/changes/idempotency.py _RECORD
MATCH (i:Idempotency {key: $key})
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

// graph/changes/leads.py _NOTE
UNWIND $batch.rows AS row
MATCH (l:Lead {id: row.lead})
SET l.system = $system, l.externalId = row.name, l.state = coalesce(row.state, l.state, 'acknowledged')

// graph/changes/leads.py _OPEN
MATCH (l:Lead)
WHERE l.id > $after AND l.system = $system AND NOT l.state IN $decided
RETURN l.id ORDER BY l.id LIMIT $most

// graph/changes/notices.py _TICKETS
UNWIND $batch.tickets AS id
MATCH (t:Ticket {id: id})
RETURN t.id, t.status, t.severity, t.externalId,
  COLLECT { MATCH (t)-[:OPENED_FOR]->(c:Customer) RETURN [c.id, c.name] ORDER BY c.id },
  COLLECT { MATCH (t)-[:CONCERNS]->(s:Service) RETURN [s.id, s.name] ORDER BY s.id LIMIT 1000 }

// graph/changes/orders/cancelling.py _ASK
MATCH (o:Order {id: $order})
CREATE (x:OrderCancellation {
  id: $id, kind: $kind, system: $system, state: 'accepted', reason: $reason, requestedFor: $requestedFor, askedAt: $now,
  _items: $items
})
CREATE (x)-[:CANCELS]->(o)

// graph/changes/orders/changing.py _CHANGE
MATCH (o:Order {id: $order})
SET o.description = $description, o.category = $category, o.priority = $priority, o.requestedStartAt = $requestedStartAt,
    o.requestedCompletionAt = $requestedCompletionAt, o.expectedCompletionAt = $expectedCompletionAt, o._version = $version

// graph/changes/orders/known.py _ORDER
WITH HEAD(COLLECT { MATCH (c:Customer)<-[:PLACED_BY]-(n:Order) WHERE c.id IN $customers RETURN n LIMIT 1 }) AS other
WITH coalesce(HEAD(COLLECT { MATCH (n:Order {id: $order}) RETURN n LIMIT 1 }), other) AS o
WITH o, $everyone OR ($system <> '' AND o.system = $system)
  OR EXISTS { MATCH (c:Customer)<-[:PLACED_BY]-(o) WHERE c.id IN $customers } AS mine
WITH o WHERE mine AND o.id = $order
RETURN o.id

// graph/changes/orders/known.py _LOCK
MATCH (o:Order {id: $order})
SET o._locked = coalesce(o._locked, 0) + 1
RETURN o.id, coalesce(o.kind, 'product'), o.system, o.externalId, o.state, coalesce(o._version, 0), o.startedAt,
  datetime.realtime().epochMillis,
  [o.description, o.category, o.priority, o.requestedStartAt, o.requestedCompletionAt, o.expectedCompletionAt],
  COLLECT { MATCH (o)-[:PLACED_BY]->(c:Customer) RETURN c.id ORDER BY c.id },
  COLLECT {
    MATCH (o)-[:HAS_ITEM]->(i:OrderItem)
    RETURN [i.id, i.externalId, coalesce(i.action, 'add'), i.state, coalesce(i._phase, '')] ORDER BY coalesce(i.position, 0), i.id
  },
  COLLECT { MATCH (x:OrderCancellation)-[:CANCELS]->(o) WHERE x.state IN ['accepted', 'inProgress'] RETURN [x.id, x.state, x._items] ORDER BY x.id }

// graph/changes/orders/known.py _HOLD
MATCH (t:Timer {id: $timer}) SET t._locked = coalesce(t._locked, 0) + 1

// graph/changes/orders/known.py _MOVE
MATCH (o:Order {id: $order})
SET o.state = $state, o._version = $version, o.startedAt = $startedAt,
    o.completedAt = CASE WHEN $isCompleted THEN $now ELSE o.completedAt END,
    o.cancelledAt = CASE WHEN $isCancelled THEN $now ELSE o.cancelledAt END,
    o.cancellationReason = coalesce($reason, o.cancellationReason)

// graph/changes/orders/known.py _MOVE_ITEMS
UNWIND $batch.items AS row
MATCH (i:OrderItem {id: row.id})
SET i.state = row.state, i._phase = row.phase

// graph/changes/orders/known.py _DECIDE
MATCH (x:OrderCancellation {id: $cancellation})
SET x.state = $state, x.effectiveAt = CASE WHEN $isDone THEN $now ELSE x.effectiveAt END

// graph/changes/orders/parties.py _LOOK
RETURN datetime.realtime().epochMillis, COLLECT { MATCH (c:Customer) WHERE c.id IN $ids RETURN c.id }, COLLECT {
  UNWIND $keys AS sought
  MATCH (x:ExternalName {key: sought})-[:NAMES]->(c:Customer)
  RETURN [sought, c.id]
}

// graph/changes/orders/parties.py _MAKE
CREATE (c:Customer {
  id: $id, name: $name, segment: $segment, status: 'new', accountRef: $account, words: $words, company: $company, companyForm: $form, _version: 1
})

// graph/changes/orders/placing.py _SAME
MATCH (o:Order {externalId: $externalId}) WHERE o.system = $source AND coalesce(o.kind, $kind) = $kind
  AND ($everyone OR EXISTS { MATCH (o)-[r:PLACED_BY]->(c:Customer) WHERE c.id IN $customers AND r._trail IS NULL })
RETURN o.id, coalesce(o._content, '') = $content AS same ORDER BY same DESC, o.id LIMIT 1

// graph/changes/orders/placing.py _OPEN
MATCH (:Customer {id: $customer})<-[:PLACED_BY]-(o:Order)-[:HAS_ITEM]->(i:OrderItem)
WHERE o.system = $source AND coalesce(i._phase, '') <> '' AND NOT o.state IN ['completed', 'failed', 'cancelled', 'rejected', 'partial']
RETURN count(DISTINCT i)

// graph/changes/orders/placing.py _ITEMS
UNWIND $batch.items AS row
CREATE (:OrderItem {
  id: row.id, externalId: row.externalId, system: row.system, state: row.state, action: row.action, product: row.product,
  offering: row.offering, quantity: row.quantity, position: row.position, request: row.request,
  siteA: row.siteA, siteZ: row.siteZ, mbps: row.mbps, _phase: row.phase, _product: row.built, _unread: row.unread
})

// graph/changes/orders/placing.py _PROVISION
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
MATCH (i:OrderItem {id: row.item})
CREATE (i)-[:PROVISIONS]->(s)

// graph/changes/orders/placing.py _RELATE
UNWIND $batch.rows AS row
MATCH (a:OrderItem {id: row.start})
MATCH (b:OrderItem {id: row.end})
CREATE (a)-[:RELATES_TO {relationshipType: row.kind}]->(b)

// graph/changes/orders/placing.py _PLACE
MATCH (c:Customer {id: $customer})
CREATE (o:Order {
  id: $id, externalId: $externalId, system: $source, kind: $kind, state: $state, description: $description, category: $category,
  priority: $priority, orderedAt: $now, requestedStartAt: $start, requestedCompletionAt: $completion,
  request: $request, _content: $content, _version: 1
})
CREATE (o)-[:PLACED_BY]->(c)
WITH o
UNWIND $items AS item
MATCH (i:OrderItem {id: item})
CREATE (o)-[:HAS_ITEM]->(i)

// graph/changes/orders/services.py _NAMED
UNWIND $batch.keys AS sought
MATCH (x:ExternalName {key: sought})-[:NAMES]->(s:Service)
RETURN sought, s.id

// graph/changes/orders/services.py _OWN
MATCH (c:Customer {id: $customer})-[:SUBSCRIBES_TO]->(s:Service) WHERE s.id IN $services
RETURN s.id, s.state

// graph/changes/services/affected.py _SHOWN
OPTIONAL MATCH (s)-[:GOVERNED_BY]->(l:Sla)
WITH s, l
OPTIONAL MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s)
RETURN s.id, s.name, s.effect, l.tier, c.id, c.name,
  EXISTS { MATCH (s)-[r:ROUTED_OVER]->(:Trunk) WHERE r.path = 'PROTECTING' },
  COLLECT { MATCH (a:Alarm)-[r:AFFECTS]->(s) RETURN [a.id, r.parts, r.effect, r.severity] ORDER BY a.id },
  [c.accountRef, l.availabilityPercent, coalesce(s._version, 0), s._downtime, s._suffers, s._blamed, coalesce(s._effectAt, 0),
   s.state, datetime.realtime().epochMillis, NOT c._sliceStored IS NULL]

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

// graph/changes/services/affected.py _SET
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
SET s.effect = row.effect

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

// graph/changes/services/hits.py _OPEN_ON
UNWIND $batch.things AS id
MATCH (a:Alarm {openOn: id})
RETURN id, a.id, a.alarmType, a.perceivedSeverity

// graph/changes/services/metered.py _LOCK
UNWIND $batch.services AS id
MATCH (s:Service {id: id})
SET s._locked = coalesce(s._locked, 0) + 1
WITH s
OPTIONAL MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s)
RETURN s.id, s.name, coalesce(s._version, 0), datetime.realtime().epochMillis, c.id, c.name, c.accountRef

// graph/changes/services/owners.py OWNERS
UNWIND $batch.rows AS row
RETURN [row.number, COLLECT {
  UNWIND row.services AS id
  MATCH (c:Customer)-[:SUBSCRIBES_TO]->(:Service {id: id})
  RETURN [id, c.id]
}] AS data

// graph/changes/services/promised.py _PROMISED
MATCH (s:Service {id: $service})-[:GOVERNED_BY]->(a:Sla)
RETURN a.tier, a.availabilityPercent

// graph/changes/tasks.py _LOOK
MATCH (t:Task {id: $task})
RETURN t.kind, t.state,
  coalesce(HEAD(COLLECT { MATCH (:Boost {id: t.about})-[:BOOSTS]->(s) RETURN s.id }), t.about), t.delivery, HEAD(COLLECT {
  MATCH (d:Delivery {id: t.delivery}) RETURN [d.system, d.orderKey, coalesce(d.parkedFor, '')]
})

// graph/changes/tasks.py _SETTLE
MATCH (t:Task {id: $task})
SET t._locked = coalesce(t._locked, 0) + 1
WITH t, datetime.realtime().epochMillis AS now WHERE t.state = 'OPEN'
SET t.state = $state, t.openAbout = null, t.note = $note, t.settledBy = $subject, t.settledAt = now, t._version = coalesce(t._version, 1) + 1
RETURN now, t._version

// graph/changes/tasks.py _SKIP_STEPS
MATCH (d:Delivery {id: $delivery})-[:CARRIES_OUT]->(p:ProcessStep)
WITH p ORDER BY p.id
SET p.state = 'SKIPPED', p.error = $note, p.finishedAt = datetime.realtime().epochMillis

// graph/changes/tasks.py _TRY_STEPS
MATCH (d:Delivery {id: $delivery})-[:CARRIES_OUT]->(p:ProcessStep)
WITH p ORDER BY p.id
SET p.state = 'PENDING'

// graph/changes/tasks.py _IS_OF_ORDER
MATCH (:Delivery {id: $delivery})-[:CARRIES_OUT]->(:ProcessStep)-[:STEP_OF]->(i:OrderItem)
RETURN i.id LIMIT 1

// graph/changes/tickets/owners.py _OWNED
UNWIND $batch.services AS id
MATCH (s:Service {id: id})<-[:SUBSCRIBES_TO]-(c:Customer)
RETURN s.id, c.id

// graph/changes/tickets/problems.py _SERVICE
WITH HEAD(COLLECT { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(o:Service) WHERE c.id IN $customers RETURN o LIMIT 1 }) AS other
WITH coalesce(HEAD(COLLECT { MATCH (n:Service {id: $service}) RETURN n LIMIT 1 }), other) AS s
WITH s, $everyone OR EXISTS { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) WHERE c.id IN $customers } AS mine
WITH s WHERE mine AND s.id = $service
RETURN s.id

// graph/changes/tickets/problems.py _LOCK_SERVICE
MATCH (s:Service {id: $service})
SET s._locked = coalesce(s._locked, 0) + 1
RETURN s.id, s.name, s.state, datetime.realtime().epochMillis,
  COLLECT { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) RETURN [c.id, c.name] ORDER BY c.id }

// graph/changes/tickets/problems.py _REPORTS_WAITING
MATCH (d:Delivery) WHERE d.openKey STARTS WITH $keys AND d.version = 1
WITH d ORDER BY d.openKey DESC LIMIT $most
WITH d WHERE d.system = $system AND d.subject = $customer AND d.state <> 'DONE'
RETURN count(d)

// graph/changes/tickets/problems.py _REPORT
MATCH (s:Service {id: $service})
MATCH (c:Customer {id: $customer})
CREATE (t:Ticket {
  id: $id, system: $system, orderKey: $orderKey, status: 'acknowledged', severity: $severity, description: $description,
  ticketType: $type, reference: $reference, _version: 1, _heardAt: $now
})
CREATE (t)-[:OPENED_FOR]->(c)
CREATE (t)-[:CONCERNS]->(s)

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
RETURN t.id, t.status, t.severity, t.changedAt, t._version, datetime.realtime().epochMillis, EXISTS {
    MATCH (d:Delivery {openKey: t.id}) WHERE d.system = t.system AND d.state = 'READY'
  },
  COLLECT { MATCH (t)-[:OPENED_FOR]->(c:Customer) RETURN c.id ORDER BY c.id },
  COLLECT { MATCH (t)-[:CONCERNS]->(s:Service) RETURN s.id ORDER BY s.id }

// graph/changes/tickets/reported.py _WRITE
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
SET t.status = row.status, t.severity = row.severity, t.changedAt = row.changedAt, t._version = row.version,
    t._heardAt = row.now

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
MATCH (n:Customer {id: customer})
WITH t, coalesce(HEAD(COLLECT { MATCH (n)-[:MERGED_INTO]->(m:Customer) RETURN m LIMIT 1 }), n) AS c
MERGE (t)-[:OPENED_FOR]->(c)

// graph/changes/tickets/reported.py _LINK_SERVICES
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
UNWIND row.services AS service
MATCH (s:Service {id: service})
MERGE (t)-[:CONCERNS]->(s)

// graph/changes/tickets/requests.py _TICKET
WITH HEAD(COLLECT { MATCH (c:Customer)<-[:OPENED_FOR]-(o:Ticket) WHERE c.id IN $customers RETURN o LIMIT 1 }) AS other
WITH coalesce(HEAD(COLLECT { MATCH (n:Ticket {id: $ticket}) RETURN n LIMIT 1 }), other) AS t
WITH t, $everyone OR EXISTS { MATCH (c:Customer)<-[:OPENED_FOR]-(t) WHERE c.id IN $customers } AS mine
WITH t WHERE mine AND t.id = $ticket
RETURN coalesce(t.orderKey, t.id), HEAD(COLLECT { MATCH (t)-[:REPORTS]->(a:Alarm) RETURN a.id })

// graph/changes/tickets/requests.py _LOCK_ALARM
MATCH (a:Alarm {id: $alarm})
SET a._locked = coalesce(a._locked, 0) + 1
RETURN a.id, coalesce(a._version, 0)

// graph/changes/tickets/requests.py _LOCK_TICKET
MATCH (t:Ticket {id: $ticket})
SET t._locked = coalesce(t._locked, 0) + 1
RETURN t.id, t.system, t.orderKey, t.externalId, t.status, t.severity, coalesce(t._version, 0),
  datetime.realtime().epochMillis,
  COLLECT { MATCH (t)-[:OPENED_FOR]->(c:Customer) RETURN [c.id, c.name] ORDER BY c.id },
  COLLECT { MATCH (t)-[:CONCERNS]->(s:Service) RETURN [s.id, s.state] ORDER BY s.id }

// graph/changes/tickets/requests.py _WAITING
MATCH (d:Delivery {openKey: $key}) WHERE d.system = $system AND d.state <> 'DONE'
RETURN count(d)

// graph/changes/tickets/requests.py _COUNT_ON_ALARM
MATCH (a:Alarm {id: $alarm}) SET a._version = $version

// graph/changes/tickets/requests.py _SET
MATCH (t:Ticket {id: $ticket}) SET t.status = $status, t._version = $version

// graph/changes/tickets/ticketing.py _THEIR_IDS
UNWIND $batch.keys AS key
MATCH (t:Ticket {orderKey: key})
WHERE t.system = $system AND t.externalId IS NOT NULL
RETURN t.orderKey, t.externalId

// graph/changes/tickets/ticketing.py _OPEN_ONES
MATCH (t:Ticket)
WHERE t.status IN $open AND t.system = $system AND coalesce(t.externalId, '') > $after
RETURN t.externalId, t.status, t.changedAt, t.orderKey IS NOT NULL ORDER BY t.externalId LIMIT $most

// graph/changes/tickets/ticketing.py _HEAR
UNWIND $batch.rows AS row
MATCH (t:Ticket {orderKey: row.orderKey})
WHERE t.system = $system
SET t._lock = true
REMOVE t._lock
WITH t, row, t.status AS before, t.status = 'closed' AND coalesce(row.status, '') = 'resolved' AS wordless,
  CASE WHEN t.changedAt > datetime.realtime().epochMillis + $skew THEN 0 ELSE coalesce(t.changedAt, 0) END AS last, EXISTS {
  MATCH (d:Delivery {openKey: row.orderKey}) WHERE d.system = $system AND d.state = 'READY'
} AS more
WHERE row.changedAt IS NULL OR row.changedAt >= last
SET t.externalId = row.id,
    t.changedAt = coalesce(row.changedAt, t.changedAt),
    t.status = CASE WHEN more OR wordless OR row.status IS NULL THEN t.status ELSE row.status END
WITH t, before, t.status <> before AS changed
SET t._version = coalesce(t._version, 0) + CASE WHEN changed THEN 1 ELSE 0 END
WITH t, changed WHERE changed
RETURN t.id, t._version, t.status, datetime.realtime().epochMillis,
  COLLECT { MATCH (t)-[:OPENED_FOR]->(c:Customer) RETURN c.id ORDER BY c.id },
  COLLECT { MATCH (t)-[:CONCERNS]->(s:Service) RETURN s.id ORDER BY s.id }

// graph/changes/tickets/ticketing.py _REFUSED
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
SET t._version = coalesce(t._version, 0) + 1
WITH t, row, EXISTS {
  MATCH (d:Delivery {openKey: row.orderKey}) WHERE d.system = $system AND d.state = 'READY'
} AS more
SET t.status = CASE WHEN more OR row.status IS NULL THEN t.status ELSE row.status END
RETURN t.id, t._version, t.status, datetime.realtime().epochMillis,
  COLLECT { MATCH (t)-[:OPENED_FOR]->(c:Customer) RETURN c.id ORDER BY c.id },
  COLLECT { MATCH (t)-[:CONCERNS]->(s:Service) RETURN s.id ORDER BY s.id }

// graph/changes/tickets/ticketing.py _LOCK_TICKETS
UNWIND $batch.keys AS key
MATCH (t:Ticket {orderKey: key})
WHERE t.system = $system
SET t._locked = coalesce(t._locked, 0) + 1

// graph/changes/tickets/ticketing.py _LOCK_SERVICES
UNWIND $batch.services AS id
MATCH (s:Service {id: id})
SET s._locked = coalesce(s._locked, 0) + 1

// graph/changes/tickets/ticketing.py _LOCK
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id})
SET a._locked = coalesce(a._locked, 0) + 1

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

// graph/changes/tickets/tickets.py _CONCERNED
UNWIND $batch.tickets AS id
MATCH (t:Ticket {id: id})-[:CONCERNS]->(s:Service)
RETURN t.id, s.id

// graph/changes/usage/states.py _LOCK
UNWIND $batch.usage AS id
MATCH (u:Usage {id: id})
WHERE $everyone OR u.source IN $sources
SET u._locked = coalesce(u._locked, 0) + 1
RETURN u.id, u.source, u.externalId, u.serviceRef, u.from, u.to, u.octets, u.mbps, u.kind, u.state,
  coalesce(u._by, ''), u.record, u._stateAt, coalesce(u._version, 1), datetime.realtime().epochMillis,
  HEAD(COLLECT { MATCH (u)-[:USED_BY]->(s:Service) RETURN s.id })

// graph/changes/usage/states.py _SET
UNWIND $batch.rows AS row
MATCH (u:Usage {id: row.id})
SET u.state = row.state, u.record = row.record, u._stateAt = row.at, u._version = row.version,
    u.from = row.start, u.to = row.end, u.octets = row.octets, u.mbps = row.mbps

// graph/changes/usage/states.py _COUNT
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
SET s._version = row.version

// graph/changes/usage/usage.py _KEEP
UNWIND $batch.rows AS row
MATCH (u:Usage {id: row.id})
WITH u, row, coalesce(row.start, row.at, datetime.realtime().epochMillis) AS begin
SET u.source = row.source, u.externalId = row.externalId, u.serviceRef = row.service, u.from = begin,
    u.to = coalesce(row.end, begin), u.octets = row.octets, u.mbps = row.mbps, u.kind = row.kind, u.state = row.state, u.awaits = row.awaits,
    u.record = row.record, u._by = row.by, u._takenAt = datetime.realtime().epochMillis

// graph/changes/usage/usage.py _JOIN
UNWIND $batch.rows AS row
MATCH (u:Usage {id: row.usage})
MATCH (s:Service {id: row.service})
CREATE (u)-[:USED_BY]->(s)
SET u.awaits = null, s._version = row.version

// graph/changes/usage/usage.py _NEXT_NAME
MATCH (u:Usage) WHERE u.awaits > $after
WITH u ORDER BY u.awaits LIMIT 1
RETURN u.awaits, u.source, u.serviceRef

// graph/changes/usage/usage.py _NEXT_NAME
MATCH (u:Usage) WHERE u.awaits > $after
WITH u LIMIT 1
RETURN u.awaits, u.source, u.serviceRef

// graph/changes/usage/usage.py _WAITING
MATCH (u:Usage {awaits: $name}) RETURN u.id LIMIT $most

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

// graph/inventory/alarms.py _ABOVE
UNWIND $ids AS id MATCH (n:Trunk {id: id})
RETURN [n.id] + COLLECT { MATCH (n)-[:TERMINATES_ON]->(p:Port) RETURN p.id }
  + COLLECT { MATCH (n)-[:TERMINATES_ON]->(:Port)<-[:HAS_PORT]-(k:Card) RETURN k.id }
  + COLLECT { MATCH (n)-[:TERMINATES_ON]->(:Port)<-[:HAS_PORT]-(:Card)<-[:HOLDS]-(e:NetworkElement) RETURN e.id }

// graph/inventory/alarms.py _AWAIT
UNWIND $batch.rows AS row MATCH (a:Alarm {id: row.id}) SET a.awaits = row.awaits, a.openOn = null

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

// graph/inventory/differences.py _HOLD
UNWIND $batch.ids AS id
MATCH (d:InventoryDifference {id: id})
SET d._locked = coalesce(d._locked, 0) + 1

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
WHERE coalesce(d.id, '') > $after
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
    f.reason = CASE WHEN due THEN null ELSE f.reason END
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
    f._done = 0, f._place = null, f._attempts = 0, f._nextAt = 0, f._until = 0, f._turnAt = null, f._version = coalesce(f._version, 0) + 1
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
WHERE coalesce(f.startedAt, 0) < timestamp() - $age
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

// graph/inventory/names.py _OF_ELEMENT
RETURN n.name, COLLECT { MATCH (n)<-[:NAMES]-(x:ExternalName) RETURN [x.system, x.name] }, [], null

// graph/inventory/naming.py _NAMED
MERGE (x:ExternalName {key: $key})
ON CREATE SET x.id = $id, x.system = $system, x.name = $name
SET x._locked = coalesce(x._locked, 0) + 1
RETURN x.id, HEAD(COLLECT { MATCH (x)-[:NAMES]->(n) RETURN n.id })

// graph/inventory/naming.py _LOOK
MATCH (x:ExternalName {key: $key})-[:NAMES]->(n) RETURN n.id

// graph/inventory/reconcile.py _SEEN
UNWIND $batch.keys AS key MATCH (x:ExternalName {key: key}) SET x._feed = $feed

// graph/inventory/settling.py _LOCK
MATCH (d:InventoryDifference {id: $id})
SET d._lock = true
REMOVE d._lock
WITH d, datetime.realtime().epochMillis AS now
RETURN now, d.state, d.system, d.kind, d.resource, d.property, d.record, coalesce(d._version, 0)

// graph/inventory/settling.py _SETTLE
MATCH (d:InventoryDifference {id: $id})
SET d.state = $state, d.reason = $reason, d.settledAt = $settled, d._version = $version

// graph/inventory/turns.py _WAITING
MATCH (f:InventoryFeed {state: 'received'})
RETURN f.id, f.system, f.receivedAt, coalesce(f._turnAt, f.receivedAt),
  coalesce(f._nextAt, 0) <= datetime.realtime().epochMillis
    AND (f._owner = $owner OR coalesce(f._until, 0) < datetime.realtime().epochMillis)

// graph/inventory/turns.py _TAKE
MATCH (f:InventoryFeed {id: $id})
SET f._lock = true
REMOVE f._lock
WITH f, datetime.realtime().epochMillis AS now
WHERE f.state = 'received' AND coalesce(f._nextAt, 0) <= now AND (f._owner = $owner OR coalesce(f._until, 0) < now)
SET f._owner = $owner, f._until = now + $ttl, f._turnAt = now,
    f._lease = coalesce(f._lease, 0) + 1, f._attempts = coalesce(f._attempts, 0) + 1
RETURN f.id, f._lease, f._attempts, f.system, f.kind, f.principal, f.startedAt, f._epoch, f._chunks, f._done, coalesce(f._place, '')

// graph/inventory/turns.py _HOLD
MATCH (f:InventoryFeed {id: $feed})
SET f._lock = true
REMOVE f._lock
WITH f WHERE f.state = 'received' AND f._lease = $lease
SET f._until = datetime.realtime().epochMillis + $ttl
RETURN f.id

// graph/inventory/turns.py _STEP
MATCH (f:InventoryFeed {id: $feed})
SET f._done = coalesce($done, f._done), f._place = coalesce($place, f._place), f.changes = f.changes + $changes,
    f._attempts = 0, f.reason = null

// graph/inventory/turns.py _GIVE_BACK
MATCH (f:InventoryFeed {id: $feed}) SET f._until = 0

// graph/inventory/turns.py _PUT_OFF
MATCH (f:InventoryFeed {id: $feed})
SET f._until = 0, f._nextAt = datetime.realtime().epochMillis + $pause, f.reason = $reason

// graph/inventory/turns.py _COMPARED
MATCH (f:InventoryFeed {id: $feed})
SET f.state = 'compared', f.comparedAt = datetime.realtime().epochMillis, f._version = f._version + 1, f.reason = null,
    f.differences = COUNT { MATCH (d:InventoryDifference {feed: $feed}) WHERE d.state = 'open' OR d.state = 'held' }
RETURN f.comparedAt, f._version, f.changes, f.differences

// graph/inventory/turns.py _FAIL
MATCH (f:InventoryFeed {id: $feed})
SET f.state = 'failed', f.reason = $reason, f._version = f._version + 1
RETURN datetime.realtime().epochMillis, f._version

// graph/ledger/audit.py _EVENTS
MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto
RETURN e.position, e.id, e.type, e.aggregateId, e.aggregateVersion, e.at, e.principal, e.payload, e.previousHash, e.hash
ORDER BY e.position LIMIT $most

// graph/ledger/audit.py _ENDS
OPTIONAL MATCH (s:Sequence {id: 'sequence-events'})
RETURN coalesce(s.next, 1) - 1, coalesce(s.swept, 0), coalesce(s.chainedFrom, s.next, 1), coalesce(s.head, $start)

// graph/ledger/audit.py _AT
OPTIONAL MATCH (e:Event {position: $position}) RETURN e.hash

// graph/ledger/backlog.py _SYSTEMS
MATCH (l:Lane)
RETURN l.id, datetime.realtime().epochMillis,
  COUNT { MATCH (d:Delivery {waiting: l.id}) },
  COUNT { MATCH (d:Delivery {held: l.id}) },
  COLLECT { MATCH (d:Delivery {suspended: l.id}) RETURN d.suspendedSince },
  COLLECT { MATCH (d:Delivery {parked: l.id}) RETURN d.parkedFor }

// graph/ledger/backlog.py _PAUSED
MATCH (w:Worker) WHERE w.paused AND w.until >= datetime.realtime().epochMillis
RETURN DISTINCT w.system

// graph/ledger/backlog.py _OLDEST
MATCH (d:Delivery) WHERE d.queued >= $low AND d.queued < $high
RETURN d.since ORDER BY d.queued LIMIT 1

// graph/ledger/backlog.py _OLDEST
MATCH (d:Delivery) WHERE d.queued >= $low AND d.queued < $high
RETURN d.since LIMIT 1

// graph/ledger/backlog.py _LANES
MATCH (l:Lane)
RETURN l.id, l.owner, l.until, datetime.realtime().epochMillis,
  COUNT { MATCH (d:Delivery {waiting: l.id}) },
  COLLECT {
    MATCH (d:Delivery {due: l.id})
    RETURN [d.since, d.attempts, d.lastError] ORDER BY d.since LIMIT 1
  },
  COUNT { MATCH (p:Delivery {parked: l.id}) },
  COLLECT { MATCH (p:Delivery {parked: l.id}) RETURN p.orderKey ORDER BY p.orderKey LIMIT $most },
  COUNT { MATCH (h:Delivery {held: l.id}) }
ORDER BY l.id

// graph/ledger/backlog.py _PARKED
MATCH (l:Lane) WHERE l.id STARTS WITH $lanes
MATCH (d:Delivery {parked: l.id})
WHERE coalesce(d.id, '') > $after AND ($reason = '' OR d.parkedFor = $reason)
RETURN d.id, d.system, d.subject, d.orderKey, d.lane, d.parkedFor, d.lastError, d.lastAnswer, d.attempts, d.createdAt,
  COUNT { MATCH (h:Delivery {openKey: d.orderKey}) WHERE h.system = d.system AND h.held IS NOT NULL }
ORDER BY d.id LIMIT $most

// graph/ledger/backlog.py _STATES
UNWIND $ids AS id MATCH (d:Delivery {id: id}) RETURN d.id, d.state

// graph/ledger/claims.py _CLAIM
UNWIND $batch.lanes AS lane
MATCH (l:Lane {id: lane.id})
WITH l, lane, datetime.realtime().epochMillis AS now
WHERE l.owner = $owner AND l.epoch = lane.epoch AND l.until > now
MATCH (d:Delivery {due: lane.id})
WHERE d.nextAt <= now
WITH d, lane, now LIMIT $most
WITH d, lane, now ORDER BY d.orderKey, d.id
SET d._lock = true
REMOVE d._lock
WITH d, lane, now WHERE d.due = lane.id AND d.nextAt <= now
SET d.attempts = d.attempts + 1, d._epoch = lane.epoch, d.nextAt = now + $hold
RETURN d.id, d.orderKey, d.version, d.attempts, lane.epoch, now - d.since, d.payload, coalesce(d._suspended, 0), d.createdAt

// graph/ledger/followers.py _TAKE
MERGE (f:Follower {id: $id})
ON CREATE SET f.after = $begin, f.owner = '', f.until = 0, f.epoch = 0
SET f._lock = true
REMOVE f._lock
WITH f, datetime.realtime().epochMillis AS now
WHERE f.owner = $owner OR f.until < now
SET f.epoch = CASE WHEN f.owner = $owner AND f.until >= now THEN f.epoch ELSE f.epoch + 1 END,
    f.owner = $owner,
    f.until = now + $ttl
RETURN f.epoch, f.after

// graph/ledger/followers.py _END
OPTIONAL MATCH (s:Sequence {id: 'sequence-events'}) RETURN coalesce(s.next, 1) - 1

// graph/ledger/followers.py _LOOK
MATCH (f:Follower {id: $id})
RETURN f.owner, f.until < datetime.realtime().epochMillis

// graph/ledger/followers.py _MOVE
MATCH (f:Follower {id: $id})
SET f._lock = true
REMOVE f._lock
WITH f, datetime.realtime().epochMillis AS now
WHERE f.owner = $owner AND f.epoch = $epoch AND f.until >= now
SET f.after = $after, f.until = now + $ttl
RETURN f.id

// graph/ledger/followers.py _LEAVE
MATCH (f:Follower {id: $id})
SET f._lock = true
REMOVE f._lock
WITH f WHERE f.owner = $owner AND f.epoch = $epoch
SET f.until = 0

// graph/ledger/followers.py _LAG
MATCH (f:Follower {id: $id})
OPTIONAL MATCH (s:Sequence {id: 'sequence-events'})
RETURN coalesce(s.next, 1) - 1 - f.after, datetime.realtime().epochMillis - HEAD(COLLECT {
  MATCH (e:Event) WHERE e.position > f.after AND e.position <= f.after + $near RETURN e.at ORDER BY e.position LIMIT 1
})

// graph/ledger/hubs.py _COUNT
RETURN COUNT { MATCH (h:Hub {principal: $principal}) }, COUNT { MATCH (h:Hub) }

// graph/ledger/hubs.py _THERE
MATCH (h:Hub {id: $id}) RETURN h.id

// graph/ledger/hubs.py _CREATE
OPTIONAL MATCH (s:Sequence {id: 'sequence-events'})
CREATE (h:Hub {id: $id, principal: $principal, reads: $reads, callback: $callback, query: $query, topic: $topic, state: 'active',
  after: coalesce(s.next, 1) - 1, owner: '', until: 0, nextAt: 0, attempts: 0, refusals: 0, skipped: 0})

// graph/ledger/hubs.py _LIST
MATCH (h:Hub) WHERE ($principal = '' OR h.principal = $principal) AND coalesce(h.topic, 'alarm') = $topic
RETURN h.id, h.principal, h.reads, h.callback, h.query, h.state, h.after, h.attempts, h.refusals, h.skipped, h.reason
ORDER BY h.id

// graph/ledger/hubs.py _ONE
MATCH (h:Hub {id: $id}) WHERE coalesce(h.topic, 'alarm') = $topic
RETURN h.id, h.principal, h.reads, h.callback, h.query, h.state, h.after, h.attempts, h.refusals, h.skipped, h.reason

// graph/ledger/hubs.py _REMOVE
MATCH (h:Hub {id: $id}) DELETE h

// graph/ledger/hubs.py _LOOK
MATCH (h:Hub {state: 'active'})
WITH h, datetime.realtime().epochMillis AS now
WHERE coalesce(h.topic, 'alarm') = $topic AND h.nextAt <= now AND (h.owner = $owner OR h.until < now)
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
RETURN e.id, e.type, e.aggregateId, e.at, e.position, CASE WHEN $whole THEN e.payload ELSE null END ORDER BY e.position

// graph/ledger/hubs.py _TICKETS
MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto AND e.type IN $types AND ($everyone
  OR EXISTS { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) WHERE c.id IN $customers })
RETURN e.id, e.type, CASE WHEN e.type IN $own THEN e.payload ELSE null END, e.at, e.position,
  CASE WHEN e.type IN $own THEN [] ELSE COLLECT {
    MATCH (d:Delivery)-[:TELLS]->(e)
    WHERE d.system = $system AND ($everyone OR d.subject IN $customers)
    RETURN d.payload ORDER BY d.id
  } END
ORDER BY e.position

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
SET w.system = $system, w.until = now + $ttl, w.paused = $paused
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
WITH row, e, HEAD(COLLECT {
  MATCH (b:Delivery {openKey: row.orderKey})
  WHERE b.system = row.system AND b.state <> 'DONE'
  RETURN b.id ORDER BY b.version DESC LIMIT 1
}) AS before
OPTIONAL MATCH (b:Delivery {id: before})
SET b._followed = coalesce(b._followed, 0) + 1
WITH row, e, coalesce(b.state, 'DONE') = 'DONE' AS free, b.state = 'DEAD' OR b.held IS NOT NULL AS stuck
WITH row, e, free AND row.first AS due, coalesce(NOT free AND stuck, false) AS held
CREATE (:Delivery {
  id: row.id, system: row.system, subject: row.subject, lane: row.lane, orderKey: row.orderKey, openKey: row.orderKey,
  version: e.aggregateVersion, state: 'READY', attempts: 0, createdAt: e.at, since: e.at, nextAt: e.at, payload: row.payload,
  waiting: CASE WHEN held THEN null ELSE row.lane END, held: CASE WHEN held THEN row.lane ELSE null END,
  due: CASE WHEN due THEN row.lane ELSE null END,
  queued: CASE WHEN due THEN row.system + '#' + toString(e.at) ELSE null END
})-[:TELLS]->(e)

// graph/ledger/outbox.py _HOLD
UNWIND $batch.rows AS row
WITH HEAD(COLLECT {
  MATCH (b:Delivery {openKey: row.orderKey})
  WHERE b.system = row.system AND b.state <> 'DONE'
  RETURN b.id ORDER BY b.version DESC LIMIT 1
}) AS before
MATCH (b:Delivery {id: before})
SET b._followed = coalesce(b._followed, 0) + 1

// graph/ledger/outbox.py _CARRY
UNWIND $batch.rows AS row
MATCH (d:Delivery {id: row.id})
MATCH (p:ProcessStep {id: row.step})
CREATE (d)-[:CARRIES_OUT]->(p)
SET d._steps = true, p.state = 'PENDING', p._before = p.attempts

// graph/ledger/outcomes.py _LOCK
UNWIND $batch.rows AS row
MATCH (d:Delivery {id: row.id})
WITH COLLECT {
  MATCH (n:Delivery {openKey: row.orderKey}) WHERE n.system = d.system AND n.state <> 'DONE'
  RETURN n.id ORDER BY n.version LIMIT $most
} AS open
UNWIND open AS id
MATCH (n:Delivery {id: id})
SET n._locked = coalesce(n._locked, 0) + 1

// graph/ledger/outcomes.py _SETTLE
UNWIND $batch.rows AS row
MATCH (d:Delivery {id: row.id})
SET d._lock = true
REMOVE d._lock
WITH d, row, datetime.realtime().epochMillis AS now
WHERE d.state = 'READY' AND d.attempts = row.attempts AND d._epoch = row.epoch
SET d.state = row.state,
    d.waiting = CASE WHEN row.state = 'READY' THEN d.waiting ELSE null END,
    d.due = CASE WHEN row.state = 'READY' THEN d.due ELSE null END,
    d.since = CASE WHEN row.suspended THEN now ELSE d.since END,
    d.queued = CASE
      WHEN row.state <> 'READY' THEN null WHEN row.suspended THEN d.system + '#' + toString(now) ELSE d.queued END,
    d.parked = CASE WHEN row.state = 'DEAD' THEN d.lane ELSE null END,
    d.parkedFor = row.reason,
    d.suspended = CASE WHEN row.suspended THEN d.lane ELSE null END,
    d.suspendedSince = CASE WHEN row.suspended THEN coalesce(d.suspendedSince, now) ELSE null END,
    d._suspended = CASE WHEN row.suspended THEN coalesce(d._suspended, 0) + 1 ELSE d._suspended END,
    d.nextAt = CASE WHEN row.state = 'READY' THEN now + row.pause ELSE d.nextAt END,
    d.lastError = row.error,
    d.lastAnswer = row.answer
RETURN d.id, coalesce(d._steps, false)

// graph/ledger/outcomes.py _GO_ON
UNWIND $batch.ids AS id
MATCH (d:Delivery {id: id})
WITH d, HEAD(COLLECT {
  MATCH (n:Delivery {openKey: d.orderKey})
  WHERE n.system = d.system AND n.state <> 'DONE'
  RETURN n.id ORDER BY n.version LIMIT 1
}) AS next
MATCH (n:Delivery {id: next})
WHERE n.state = 'READY' AND n.held IS NULL AND n.due IS NULL
SET n.due = n.lane, n.queued = n.system + '#' + toString(n.since)

// graph/ledger/outcomes.py _CLOSE
UNWIND $batch.ids AS id
MATCH (d:Delivery {id: id})
MATCH (e:Delivery {openKey: d.orderKey})
WHERE e.system = d.system AND e.state = 'DONE' AND e.id <> d.id AND e.nextAt <= datetime.realtime().epochMillis
SET e.openKey = null

// graph/ledger/outcomes.py _HOLD
UNWIND $batch.ids AS id
MATCH (d:Delivery {id: id})
MATCH (e:Delivery {openKey: d.orderKey})
WHERE e.system = d.system AND e.state = 'READY' AND e.held IS NULL
SET e.held = e.lane, e.waiting = null

// graph/ledger/outcomes.py _TELL_PARKED
UNWIND $batch.rows AS row
MATCH (d:Delivery {id: row.id})
WITH d, row, datetime.realtime().epochMillis AS now
SET d._version = coalesce(d._version, 0) + 1
CREATE (e:Event {
  id: row.event, type: 'DeliveryParked', aggregateId: row.id, aggregateVersion: d._version,
  at: now, unplaced: now, principal: 'trunkline', payload: row.payload
})

// graph/ledger/outcomes.py _RELEASE
MATCH (d:Delivery {id: $id})
MATCH (e:Delivery {openKey: d.orderKey})
WHERE e.system = d.system AND e.state = 'READY' AND e.held IS NOT NULL
SET e.waiting = e.lane, e.held = null, e.since = $now

// graph/ledger/outcomes.py _SKIP
MATCH (d:Delivery {id: $id})
SET d._lock = true
REMOVE d._lock
WITH d, datetime.realtime().epochMillis AS now WHERE d.state = 'DEAD'
SET d.state = 'DONE', d.parked = null, d.parkedFor = null, d.lastError = $note
RETURN now, d.id

// graph/ledger/outcomes.py _STAY_YOUNG
UNWIND $batch.ids AS id
MATCH (d:Delivery {id: id})
MATCH (e:Delivery {openKey: d.orderKey})
WHERE e.system = d.system AND e.state = 'READY' AND e.id <> d.id
SET e.since = d.since

// graph/ledger/positions.py _OWNER
OPTIONAL MATCH (s:Sequence {id: 'sequence-events'})
RETURN s.owner, s.until, datetime.realtime().epochMillis

// graph/ledger/positions.py _LOOK
MATCH (e:Event) WHERE e.unplaced > 0 RETURN e.unplaced LIMIT $most

// graph/ledger/positions.py _AGAIN
MATCH (e:Event) WHERE e.unplaced > 0 AND e.unplaced <= $latest
RETURN e.id, e.unplaced, e.aggregateId, e.aggregateVersion, e.type, e.at, e.principal, e.payload

// graph/ledger/positions.py _OWN
MERGE (s:Sequence {id: 'sequence-events'})
ON CREATE SET s.owner = '', s.until = 0, s.next = 1
SET s._lock = true
REMOVE s._lock
WITH s, datetime.realtime().epochMillis AS now
WHERE s.owner = $owner OR s.until < now
SET s.owner = $owner, s.until = now + $ttl
RETURN s.next, coalesce(s.head, $start)

// graph/ledger/positions.py _PLACE
UNWIND $batch.rows AS row
MATCH (e:Event {id: row.id})
SET e.position = row.position, e.previousHash = row.previous, e.hash = row.hash
REMOVE e.unplaced

// graph/ledger/positions.py _NEXT
MATCH (s:Sequence {id: 'sequence-events'})
SET s.chainedFrom = coalesce(s.chainedFrom, s.next), s.next = $next, s.head = $head

// graph/ledger/registrations.py _KNOWN
MATCH (r:Registration {id: $system})
RETURN r.address, r.callback, r.theirId, datetime.realtime().epochMillis - r.at

// graph/ledger/registrations.py _KEEP
MERGE (r:Registration {id: $system})
SET r.address = $address,
    r.callback = $callback,
    r.theirId = $their_id,
    r.at = datetime.realtime().epochMillis
RETURN r.id

// graph/ledger/retention.py _EVENTS
MATCH (e:Event) WHERE e.at < $before AND coalesce(e.unplaced, 0) = 0 AND NOT EXISTS {
  MATCH (d:Delivery)-[:TELLS]->(e) WHERE d.state <> 'DONE'
}
AND NOT EXISTS { MATCH (f:Follower) WHERE f.id IN $followers AND f.after < e.position }
WITH e, e.position AS position LIMIT $most
OPTIONAL MATCH (d:Delivery)-[:TELLS]->(e)
WITH e, position, collect(d) AS told
FOREACH (each IN told | DETACH DELETE each)
DETACH DELETE e
RETURN count(*), coalesce(max(position), 0)

// graph/ledger/retention.py _SWEPT
MATCH (s:Sequence {id: 'sequence-events'}) WHERE coalesce(s.swept, 0) < $position
SET s.swept = $position

// graph/ledger/retention.py _ALARMS
MATCH (a:Alarm) WHERE a.clearedAt < $before AND a.state = 'cleared' AND coalesce(a._endedAt, a.clearedAt) < $before
  AND NOT EXISTS { MATCH (t:Ticket)-[:REPORTS]->(a) WHERE NOT t.status IN $over OR t.changedAt >= $before }
  AND NOT EXISTS { MATCH (d:Delivery {openKey: a.id}) WHERE d.state <> 'DONE' }
  AND NOT EXISTS {
    MATCH (t:Ticket)-[:REPORTS]->(a) MATCH (d:Delivery {openKey: t.orderKey}) WHERE d.state <> 'DONE'
  }
WITH a LIMIT $most
OPTIONAL MATCH (k:AlarmIdentity {key: a.identity})
SET k._locked = coalesce(k._locked, 0) + 1
WITH a, collect(k) AS identities
SET a._locked = coalesce(a._locked, 0) + 1
WITH a, identities WHERE a.state = 'cleared'
  AND NOT EXISTS { MATCH (t:Ticket)-[:REPORTS]->(a) WHERE NOT t.status IN $over OR t.changedAt >= $before }
  AND NOT EXISTS { MATCH (d:Delivery {openKey: a.id}) WHERE d.state <> 'DONE' }
  AND NOT EXISTS {
    MATCH (t:Ticket)-[:REPORTS]->(a) MATCH (d:Delivery {openKey: t.orderKey}) WHERE d.state <> 'DONE'
  }
OPTIONAL MATCH (t:Ticket)-[:REPORTS]->(a) WHERE t.orderKey IS NOT NULL
WITH a, identities, collect(t) AS tickets
FOREACH (each IN tickets | DETACH DELETE each)
FOREACH (each IN identities | DETACH DELETE each)
DETACH DELETE a
RETURN count(*)

// graph/ledger/retention.py _TICKETS
MATCH (t:Ticket)
WHERE t.changedAt < $before AND coalesce(t._heardAt, t.changedAt) < $before AND coalesce(t.status, '') IN $over
  AND NOT EXISTS { MATCH (t)-[:REPORTS]->(:Alarm) }
  AND NOT EXISTS { MATCH (d:Delivery {openKey: coalesce(t.orderKey, t.id)}) WHERE d.state <> 'DONE' }
WITH t LIMIT $most
SET t._locked = coalesce(t._locked, 0) + 1
WITH t WHERE t.changedAt < $before AND coalesce(t._heardAt, t.changedAt) < $before AND coalesce(t.status, '') IN $over
  AND NOT EXISTS { MATCH (d:Delivery {openKey: coalesce(t.orderKey, t.id)}) WHERE d.state <> 'DONE' }
DETACH DELETE t
RETURN count(*)

// graph/ledger/retention.py _DOWNTIME
MATCH (n:Downtime) WHERE n.to < $before AND NOT EXISTS {
  MATCH (n)-[:INTERRUPTS]->(s:Service) MATCH (d:Delivery {openKey: s.id}) WHERE d.state <> 'DONE'
}
WITH n LIMIT $most
DETACH DELETE n
RETURN count(*)

// graph/ledger/retention.py _USAGE
MATCH (u:Usage)
WHERE u.to < $before AND coalesce(u._takenAt, u.to) < $before AND coalesce(u.awaits, '') = '' AND NOT EXISTS {
  MATCH (u)-[:USED_BY]->(s:Service) MATCH (d:Delivery {openKey: s.id}) WHERE d.state <> 'DONE'
}
WITH u LIMIT $most
DETACH DELETE u
RETURN count(*)

// graph/ledger/retention.py _DIFFERENCES
MATCH (n:InventoryDifference) WHERE n.settledAt < $before AND coalesce(n.state, '') IN $over
  AND NOT EXISTS { MATCH (d:Delivery {openKey: n.id}) WHERE d.state <> 'DONE' }
  AND NOT EXISTS { MATCH (d:Delivery {openKey: n.resource}) WHERE d.state <> 'DONE' }
WITH n LIMIT $most
SET n._locked = coalesce(n._locked, 0) + 1
WITH n WHERE n.state IN $over
DETACH DELETE n
RETURN count(*)

// graph/ledger/retention.py _FEEDS
MATCH (f:InventoryFeed) WHERE f.startedAt < $before AND f.state <> 'received'
  AND NOT EXISTS { MATCH (n:InventoryDifference {feed: f.id}) }
WITH f LIMIT $most
SET f._locked = coalesce(f._locked, 0) + 1
WITH f WHERE f.state <> 'received' AND f.startedAt < $before
DETACH DELETE f
RETURN count(*)

// graph/ledger/retention.py _BOOSTS
MATCH (b:Boost)
WHERE b.endAt < $before AND coalesce(b.endedAt, b.endAt) < $before AND coalesce(b.status, '') = 'TERMINATED'
  AND NOT EXISTS { MATCH (b)-[:BOOSTS]->(s:Service) MATCH (d:Delivery {openKey: s.id}) WHERE d.state <> 'DONE' }
  AND NOT EXISTS { MATCH (t:Task {openAbout: b.id}) }
WITH b LIMIT $most
OPTIONAL MATCH (p:ProcessStep)-[:STEP_OF]->(b)
WITH b, collect(p) AS steps
FOREACH (each IN steps | DETACH DELETE each)
DETACH DELETE b
RETURN count(*)

// graph/ledger/retention.py _TASKS
MATCH (t:Task) WHERE t.settledAt < $before AND coalesce(t.state, '') <> 'OPEN'
WITH t LIMIT $most
DETACH DELETE t
RETURN count(*)

// graph/ledger/retention.py _LEADS
MATCH (l:Lead) WHERE l.at < $before AND coalesce(l.state, '') IN $over
  AND NOT EXISTS { MATCH (d:Delivery {openKey: l.id}) WHERE d.state <> 'DONE' }
WITH l LIMIT $most
DETACH DELETE l
RETURN count(*)

// graph/ledger/sequence.py _END
OPTIONAL MATCH (s:Sequence {id: 'sequence-events'})
WITH coalesce(s.next, 1) - 1 AS position, coalesce(s.swept, 0) AS swept
OPTIONAL MATCH (e:Event {position: position})
RETURN position, datetime.realtime().epochMillis, coalesce(e.id, ''), swept

// graph/ledger/sequence.py _AT
OPTIONAL MATCH (e:Event {position: $position}) RETURN coalesce(e.id, '')

// graph/ledger/sequence.py _ALL
MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto
RETURN e.position, e.id, e.type, e.aggregateId, e.at,
  CASE WHEN e.type IN $types THEN e.payload ELSE null END,
  CASE WHEN e.type IN $types THEN COLLECT { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) RETURN c.id } ELSE [] END
ORDER BY e.position

// graph/ledger/sequence.py _WANTED
RETURN [COUNT { MATCH (a:Event) WHERE a.position > $after AND a.position <= $upto RETURN a }, COLLECT {
  MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto AND e.type IN $types
  RETURN [e.position, e.id, e.type, e.aggregateId, e.at, e.payload,
    COLLECT { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) RETURN c.id }]
  ORDER BY e.position
}] AS data

// graph/ledger/sequence.py _OF_CUSTOMERS
RETURN [COUNT { MATCH (a:Event) WHERE a.position > $after AND a.position <= $upto RETURN a }, COLLECT {
  MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto AND e.type IN $types
    AND EXISTS { MATCH (e)-[:CONCERNS_CUSTOMER]->(k:Customer) WHERE k.id IN $customers }
  RETURN [e.position, e.id, e.type, e.aggregateId, e.at, e.payload,
    COLLECT { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) RETURN c.id }]
  ORDER BY e.position
}] AS data

// graph/ledger/sequence.py _POSITIONS
MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto
RETURN e.position ORDER BY e.position

// graph/ledger/step_outcomes.py _NOTE
UNWIND $batch.rows AS row
MATCH (d:Delivery {id: row.delivery})-[:CARRIES_OUT]->(p:ProcessStep)
WITH row, p ORDER BY p.id
SET p.state = row.state, p.attempts = coalesce(p._before, 0) + row.attempts, p.error = row.error, p.receipt = row.receipt,
    p.finishedAt = CASE WHEN row.state = 'DONE' THEN datetime.realtime().epochMillis ELSE null END

// graph/ledger/step_outcomes.py _OPEN
UNWIND $batch.rows AS row
MATCH (d:Delivery {id: row.delivery})
WITH row, d, HEAD(COLLECT {
  MATCH (d)-[:CARRIES_OUT]->(p:ProcessStep)-[:STEP_OF]->(o) RETURN [p.id, o.id] ORDER BY p.id LIMIT 1
}) AS carried, datetime.realtime().epochMillis AS now
WHERE NOT EXISTS { MATCH (t:Task {delivery: row.delivery}) WHERE t.state = 'OPEN' }
CREATE (t:Task {
  id: row.task, kind: row.kind, state: 'OPEN', about: carried[1], openAbout: carried[1], step: carried[0],
  delivery: row.delivery, reason: row.reason, openedAt: now, _version: 1
})
CREATE (e:Event {
  id: row.event, type: 'TaskOpened', aggregateId: row.task, aggregateVersion: 1, at: now, unplaced: now, principal: 'trunkline',
  payload: row.payload
})

// graph/ledger/step_outcomes.py _CLOSE
UNWIND $batch.rows AS row
MATCH (t:Task {delivery: row.delivery}) WHERE t.state = 'OPEN'
WITH t, row, datetime.realtime().epochMillis AS now
SET t.state = 'DONE', t.openAbout = null, t.settledAt = now, t.settledBy = 'trunkline', t._version = coalesce(t._version, 1) + 1
CREATE (e:Event {
  id: row.event, type: 'TaskSettled', aggregateId: t.id, aggregateVersion: t._version, at: now, unplaced: now,
  principal: 'trunkline', payload: '{"state":"DONE","task":"' + t.id + '"}'
})

// graph/ledger/timers.py _ARM
MERGE (t:Timer {id: $id})
SET t.kind = $kind, t.aggregateId = $about, t.dueAt = $dueAt, t.failures = null

// graph/ledger/timers.py _ARM_NEW
MERGE (t:Timer {id: $id})
ON CREATE SET t.kind = $kind, t.aggregateId = $about, t.dueAt = datetime.realtime().epochMillis

// graph/ledger/timers.py _HOLD
MERGE (t:Timer {id: $id})
ON CREATE SET t.kind = $kind, t.aggregateId = $about, t.dueAt = 0
SET t._locked = coalesce(t._locked, 0) + 1

// graph/ledger/timers.py _DUE
MATCH (t:Timer) WHERE t.dueAt > 0 AND t.dueAt <= datetime.realtime().epochMillis AND t.kind IN $kinds
RETURN t.id, t.kind, t.aggregateId ORDER BY t.dueAt, t.id LIMIT $most

// graph/ledger/timers.py _TAKE
MATCH (t:Timer {id: $id})
SET t._lock = true
REMOVE t._lock
WITH t, datetime.realtime().epochMillis AS now
WHERE t.dueAt > 0 AND t.dueAt <= now
RETURN now, coalesce(t.failures, 0)

// graph/ledger/timers.py _PUT_OFF
MATCH (t:Timer {id: $id}) SET t.dueAt = $dueAt, t.failures = null

// graph/ledger/timers.py _DROP
MATCH (t:Timer {id: $id}) DELETE t

// graph/ledger/timers.py _FAILED
MATCH (t:Timer {id: $id})
SET t._lock = true
REMOVE t._lock
WITH t, datetime.realtime().epochMillis AS now, coalesce(t.failures, 0) + 1 AS failures
WHERE t.dueAt <= now
SET t.failures = failures, t.dueAt = now + CASE WHEN failures > $doublings THEN $longest ELSE toInteger($first * 2 ^ (failures - 1)) END
RETURN failures, t.dueAt - now

// graph/load/statements.py _ALL
SET n += row.properties

// graph/load/statements.py _MERGED
WITH n, row, n._accountedAt AS since, n.effectiveMbps AS effective, n.bookedMbps AS booked SET n += row.properties SET n.effectiveMbps = CASE WHEN since IS NULL THEN n.effectiveMbps ELSE effective END, n.bookedMbps = CASE WHEN since IS NULL THEN n.bookedMbps ELSE booked END

// graph/load/statements.py _MERGED
WITH n, row WHERE n._turned IS NULL SET n += row.properties

// graph/load/statements.py READ_MARKS
UNWIND $ids AS id MATCH (m:LoadMark {id: id}) RETURN m.id AS id, m.done AS done

// graph/load/statements.py MAKE_MARKS
UNWIND $ids AS id MERGE (m:LoadMark {id: id}) ON CREATE SET m.done = 0

// graph/load/statements.py SET_MARK
MERGE (m:LoadMark {id: $id})
SET m._lock = true
REMOVE m._lock
WITH m, coalesce(m.done, 0) AS before
SET m.done = $done
RETURN before, HEAD(COLLECT { MATCH (x:Membership) RETURN x.id LIMIT 1 }) AS membership

// graph/load/statements.py DROP_MARKS
UNWIND $ids AS id MATCH (m:LoadMark {id: id}) DELETE m

// graph/load/stubs.py _MEANT
UNWIND $batch.customers AS id
MATCH (:Customer {id: id})-[m:MERGED_INTO]->(c:Customer)
RETURN id, c.id, id + coalesce(' ' + m._trail, '')

// graph/load/stubs.py _LOCK
UNWIND $batch.customers AS id
MATCH (c:Customer {id: id})
SET c._locked = coalesce(c._locked, 0) + 1

// graph/membership/building.py _MANY
MATCH (c:Customer)
WHERE c._sliceStored IS NULL AND (COUNT { MATCH (c)-[:SUBSCRIBES_TO]->(s) RETURN s } > $many OR (
  EXISTS { MATCH (c)-[:MERGED_INTO]->(o:Customer) } AND EXISTS { MATCH (m:Membership {customer: c.id}) }
))
RETURN c.id

// graph/membership/building.py _HOLD_LOADS
MATCH (m:LoadMark) SET m._held = coalesce(m._held, 0) + 1

// graph/membership/building.py _HOLD_SERVICES
MATCH (:Customer {id: $customer})-[:SUBSCRIBES_TO]->(s:Service)
WITH s ORDER BY s.id
SET s._locked = coalesce(s._locked, 0) + 1

// graph/membership/building.py _HOLD_CUSTOMER
MATCH (c:Customer {id: $customer})
SET c._building = coalesce(c._building, 0) + 1
RETURN NOT c._sliceStored IS NULL

// graph/membership/building.py _STORED
MATCH (m:Membership {customer: $customer}) RETURN m.id

// graph/membership/building.py _DELETE
UNWIND $batch.ids AS id MATCH (m:Membership {id: id}) DELETE m

// graph/membership/building.py _SAY
MATCH (c:Customer {id: $customer}) SET c._sliceStored = true

// graph/membership/checking.py _KEPT
MATCH (c:Customer) WHERE NOT c._sliceStored IS NULL RETURN c.id ORDER BY c.id

// graph/membership/upkeep.py _HOLD
MATCH (v:SchemaVersion) SET v._gate = coalesce(v._gate, 0) + 1

// graph/membership/upkeep.py _ADD
UNWIND $batch.rows AS row
MERGE (m:Membership {id: row.id})
SET m.customer = row.customer

// graph/membership/upkeep.py _FORGET
UNWIND $batch.customers AS id MATCH (c:Customer {id: id}) REMOVE c._sliceStored

// graph/processes/steps.py _BEGIN_OF_BOOSTS
UNWIND $batch.rows AS row
MATCH (o:Boost {id: row.about})
CREATE (p:ProcessStep {
  id: row.id, name: row.name, boundary: row.boundary, system: row.system, stage: row.stage, state: 'PENDING', startedAt: row.at,
  attempts: 0
})-[:STEP_OF]->(o)

// graph/processes/steps.py _BEGIN_OF_ITEMS
UNWIND $batch.rows AS row
MATCH (o:OrderItem {id: row.about})
CREATE (p:ProcessStep {
  id: row.id, name: row.name, boundary: row.boundary, system: row.system, stage: row.stage, state: 'PENDING', startedAt: row.at,
  attempts: 0
})-[:STEP_OF]->(o)

// graph/processes/steps.py _OPEN_OF_BOOSTS
UNWIND $batch.abouts AS id
MATCH (p:ProcessStep)-[:STEP_OF]->(o:Boost {id: id})
WHERE p.state IN ['PENDING', 'REFUSED', 'FAILED'] AND p.finishedAt IS NULL
RETURN p.id, o.id, p.name, p.boundary, p.system, p.stage, p.state ORDER BY p.id

// graph/processes/steps.py _OPEN_OF_ITEMS
UNWIND $batch.abouts AS id
MATCH (p:ProcessStep)-[:STEP_OF]->(o:OrderItem {id: id})
WHERE p.state IN ['PENDING', 'REFUSED', 'FAILED'] AND p.finishedAt IS NULL
RETURN p.id, o.id, p.name, p.boundary, p.system, p.stage, p.state ORDER BY p.id

// graph/processes/steps.py _END
UNWIND $batch.rows AS row
MATCH (p:ProcessStep {id: row.id})
SET p.state = row.state, p.receipt = coalesce(row.receipt, p.receipt), p.error = row.error, p.finishedAt = row.at

// graph/processes/tasks.py _OPEN
UNWIND $batch.rows AS row
WITH row WHERE NOT EXISTS { MATCH (o:Task {openAbout: row.about}) WHERE o.state = 'OPEN' AND o.kind = row.kind }
CREATE (t:Task {
  id: row.id, kind: row.kind, state: 'OPEN', about: row.about, openAbout: row.about, reason: row.reason,
  openedAt: row.at, _version: 1
})
CREATE (e:Event {
  id: row.event, type: 'TaskOpened', aggregateId: row.id, aggregateVersion: 1, at: row.at, unplaced: row.at,
  principal: 'trunkline', payload: row.payload
})

// graph/processes/tasks.py _CLOSE
UNWIND $batch.rows AS row
MATCH (t:Task {openAbout: row.about}) WHERE t.state = 'OPEN' AND t.kind = row.kind
SET t.state = 'DONE', t.openAbout = null, t.settledAt = row.at, t.settledBy = 'trunkline', t._version = coalesce(t._version, 1) + 1
CREATE (e:Event {
  id: row.event, type: 'TaskSettled', aggregateId: t.id, aggregateVersion: t._version, at: row.at, unplaced: row.at,
  principal: 'trunkline', payload: '{"state":"DONE","task":"' + t.id + '"}'
})

// graph/routing/reading.py _NETWORK
RETURN [
  COLLECT { MATCH (s:Site) RETURN [s.id, s.latitude, s.longitude] },
  COLLECT {
    MATCH (e:NetworkElement)-[:LOCATED_AT]->(s:Site)
    RETURN [e.id, s.id, NOT coalesce(e.operationalState, '') IN $out AND NOT coalesce(e.administrativeState, '') IN $closed]
  },
  COLLECT {
    MATCH (t:Trunk)-[r:TERMINATES_ON]->(p:Port)<-[:HAS_PORT]-(c:Card)<-[:HOLDS]-(e:NetworkElement)
    RETURN [t.id, r.end, e.id, NOT coalesce(t.operationalState, '') IN $out
      AND NOT coalesce(p.operationalState, '') IN $out AND NOT coalesce(p.administrativeState, '') IN $closed
      AND NOT coalesce(c.operationalState, '') IN $out AND NOT coalesce(c.administrativeState, '') IN $closed]
  }
] AS network

// graph/routing/reading.py _ARE_SITES
MATCH (s:Site) WHERE s.id IN $batch.ids RETURN s.id

// graph/routing/reading.py _PORTS
UNWIND $batch.sites AS site
MATCH (:Site {id: site})<-[:LOCATED_AT]-(e:NetworkElement)-[:HOLDS]->(c:Card)-[:HAS_PORT]->(p:Port)
WHERE coalesce(p.role, '') <> 'trunk'
  AND NOT coalesce(e.operationalState, '') IN $out AND NOT coalesce(e.administrativeState, '') IN $closed
  AND NOT coalesce(c.operationalState, '') IN $out AND NOT coalesce(c.administrativeState, '') IN $closed
  AND NOT coalesce(p.operationalState, '') IN $out AND NOT coalesce(p.administrativeState, '') IN $closed
  AND NOT EXISTS { MATCH (p)<-[:TERMINATES_ON]-(:Trunk) }
RETURN site, p.id, e.id, coalesce(p.speedMbps, 0),
  EXISTS { MATCH (p)<-[:ACCESSED_AT]-(s:Service) WHERE NOT coalesce(s.state, '') IN $free }
LIMIT $most

// graph/store/cardinality.py _look
SET n._lock = true REMOVE n._lock WITH n, row

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

// graph/store/migrations/boost_marks.py _LOCK
SET n._locked = coalesce(n._locked, 0) + 1 WITH n

// graph/store/migrations/boosts.py _RENAME
MATCH (b:Boost) WHERE b.status IN ['requested', 'scheduled', 'activated', 'terminated', 'declined']
WITH b LIMIT $most
SET b.statusReason = CASE b.status WHEN 'terminated' THEN 'DURATION_EXPIRED' WHEN 'declined' THEN 'BOOKING_DECLINED' ELSE null END,
    b.status = CASE b.status WHEN 'declined' THEN 'TERMINATED' ELSE toUpper(b.status) END
RETURN count(*)

// graph/store/migrations/boosts.py _BEGIN
MATCH (b:Boost) WHERE b.status = 'ACTIVATED' AND b.activatedAt IS NULL
WITH b, datetime.realtime().epochMillis AS now LIMIT $most
SET b.activatedAt = b.startAt, b._askedAt = b.startAt,
    b.status = CASE WHEN b.endAt <= now THEN 'TERMINATED' ELSE b.status END,
    b.statusReason = CASE WHEN b.endAt <= now THEN 'DURATION_EXPIRED' ELSE null END,
    b.endedAt = CASE WHEN b.endAt <= now THEN b.endAt ELSE null END
RETURN count(*)

// graph/store/migrations/companies.py _NAMED
MATCH (c:Customer) WHERE c.id > $after
WITH c ORDER BY c.id LIMIT $most
RETURN c.id, c.name

// graph/store/migrations/companies.py _NAMED
MATCH (c:Customer) WHERE c.id > $after
WITH c LIMIT $most
RETURN c.id, c.name

// graph/store/migrations/companies.py _WRITE
UNWIND $batch.rows AS row
MATCH (c:Customer {id: row.id})
SET c._locked = coalesce(c._locked, 0) + 1
WITH c, row WHERE c.name = row.name
SET c.company = row.company, c.companyForm = row.form

// graph/store/migrations/feed_counts.py _COUNT
MATCH (f:InventoryFeed) WHERE f.notTaken IS NULL
WITH f LIMIT $most
SET f.notTaken = 0
RETURN count(*)

// graph/store/migrations/ledger.py _OPEN_WAITING
MATCH (d:Delivery) WHERE d.waiting > '' AND d.openKey IS NULL
WITH d LIMIT $most
SET d.openKey = d.orderKey
RETURN count(*)

// graph/store/migrations/ledger.py _OPEN_PARKED
MATCH (d:Delivery) WHERE d.parked > '' AND d.openKey IS NULL
WITH d LIMIT $most
SET d.openKey = d.orderKey, d.since = d.createdAt
RETURN count(*)

// graph/store/migrations/ledger.py _QUEUE
MATCH (d:Delivery) WHERE d.waiting > '' AND d.since IS NULL
WITH d LIMIT $most
WITH d, EXISTS {
  MATCH (e:Delivery {openKey: d.orderKey}) WHERE e.system = d.system AND e.state = 'DEAD' AND e.version < d.version
} AS stuck, EXISTS {
  MATCH (e:Delivery {openKey: d.orderKey}) WHERE e.system = d.system AND e.state <> 'DONE' AND e.version < d.version
} AS later
SET d.since = d.createdAt,
    d.waiting = CASE WHEN stuck THEN null ELSE d.lane END,
    d.held = CASE WHEN stuck THEN d.lane ELSE null END,
    d.due = CASE WHEN later THEN null ELSE d.lane END,
    d.queued = CASE WHEN later THEN null ELSE d.system + '#' + toString(d.createdAt) END
RETURN count(*)

// graph/store/migrations/ledger.py _ALARMS
MATCH (a:Alarm) WHERE a.id > $after
WITH a ORDER BY a.id LIMIT $most
RETURN a.id, a.sourceSystemId, a.externalAlarmId, a.alarmedObjectRef, a.alarmType, a.probableCause, a.specificProblem

// graph/store/migrations/ledger.py _ALARMS
MATCH (a:Alarm) WHERE a.id > $after
WITH a LIMIT $most
RETURN a.id, a.sourceSystemId, a.externalAlarmId, a.alarmedObjectRef, a.alarmType, a.probableCause, a.specificProblem

// graph/store/migrations/ledger.py _IDENTIFY
UNWIND $batch.rows AS row
MATCH (a:Alarm {id: row.id})
SET a.identity = row.identity

// graph/store/migrations/mtosi_names.py _ALARMS
MATCH (a:Alarm) WHERE a.id > $after AND a.record CONTAINS '"objectName":'
WITH a ORDER BY a.id LIMIT $most
RETURN a.id, a.sourceSystemId, a.externalAlarmId, a.alarmedObjectRef, a.awaits, a.record

// graph/store/migrations/mtosi_names.py _RESPELL
UNWIND $batch.rows AS row
MATCH (a:Alarm {id: row.id})
SET a.alarmedObjectRef = row.object, a.externalAlarmId = row.external, a.awaits = row.awaits

// graph/store/migrations/mtosi_names.py _TOLD
MATCH (a:Alarm)
WHERE a.id > $after AND a.state <> 'cleared' AND a._toldName IS NULL AND NOT a.record CONTAINS '"objectName":'
  AND EXISTS { MATCH (:Delivery {orderKey: a.id}) }
WITH a ORDER BY a.id LIMIT $most
RETURN a.id, a.alarmedObjectRef

// graph/store/migrations/mtosi_names.py _KEEP_TOLD
UNWIND $batch.rows AS row MATCH (a:Alarm {id: row.id}) SET a._toldName = row.name

// graph/store/migrations/mtosi_names.py _NAMES
MATCH (x:ExternalName) WHERE x.id > $after AND x.name CONTAINS '/' AND x.name CONTAINS '='
WITH x ORDER BY x.id LIMIT $most
RETURN x.id, x.system, x.name

// graph/store/migrations/mtosi_names.py _NAME
UNWIND $batch.rows AS row
MATCH (old:ExternalName {id: row.old})-[:NAMES]->(n)
MERGE (x:ExternalName {key: row.key})
ON CREATE SET x.id = row.id, x.system = row.system, x.name = row.name
WITH x, n WHERE NOT EXISTS { MATCH (x)-[:NAMES]->() }
CREATE (x)-[:NAMES]->(n)

// graph/store/store.py _ALIVE
RETURN COUNT { MATCH (v:SchemaVersion) RETURN v } AS data

// graph/store/store.py Store.ping
CALL dbms.components() YIELD versions RETURN versions[0] AS version
