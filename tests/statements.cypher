// graph/changes/alarms.py _ACKNOWLEDGE
MATCH (a:Alarm {id: $alarm})
WHERE $everyone OR a.sourceSystemId IN $sources
SET a._lock = true
REMOVE a._lock
WITH a, a.ackState <> 'acknowledged' AS due, datetime.realtime().epochMillis AS now
SET a.ackState = 'acknowledged',
    a.changedAt = CASE WHEN due THEN now ELSE a.changedAt END,
    a._version = coalesce(a._version, 0) + CASE WHEN due THEN 1 ELSE 0 END
RETURN due, a._version, now, COLLECT {
  MATCH (a)-[:AFFECTS]->(:Service)<-[:SUBSCRIBES_TO]-(c:Customer)
  RETURN DISTINCT c.id ORDER BY c.id
}

// graph/changes/events.py _APPEND
CREATE (e:Event {
  id: $id, type: $type, aggregateId: $aggregate, aggregateVersion: $version,
  at: $at, principal: $principal, payload: $payload
})
WITH e
UNWIND $customers AS customer
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

// graph/cursor_key.py KEEP
MERGE (k:StoreKey {id: 'storekey-cursor'}) ON CREATE SET k.text = $text RETURN k.text AS text

// graph/link.py Link._terminate
SHOW TRANSACTIONS YIELD transactionId, clientAddress

// graph/link.py Link._terminate
TERMINATE TRANSACTIONS $id

// graph/load/statements.py READ_MARKS
UNWIND $ids AS id MATCH (m:LoadMark {id: id}) RETURN m.id AS id, m.done AS done

// graph/load/statements.py SET_MARK
MERGE (m:LoadMark {id: $id}) SET m.done = $done

// graph/load/statements.py DROP_MARKS
UNWIND $ids AS id MATCH (m:LoadMark {id: id}) DELETE m

// graph/migrate.py _READ_VERSION
RETURN HEAD(COLLECT { MATCH (v:SchemaVersion {id: $id}) RETURN v.version }) AS data

// graph/migrate.py _KEEP_VERSION
MERGE (v:SchemaVersion {id: $id}) ON CREATE SET v.version = $version WITH v WHERE v.version < $version SET v.version = $version

// graph/migrate.py _NAMES
SHOW CONSTRAINTS YIELD name RETURN name

// graph/migrate.py _NAMES
SHOW INDEXES YIELD name, state WHERE state = 'ONLINE' RETURN name

// graph/migrate.py _wait_for_indexes
CALL db.awaitIndexes(600)

// graph/read.py prepare
RETURN [] AS data

// graph/store.py Store.ping
CALL dbms.components() YIELD versions RETURN versions[0] AS version
