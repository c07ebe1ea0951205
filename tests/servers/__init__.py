"""The servers that the tests run against: started by the test session, and gone when it is gone.

The suite runs on the embedded database or on a real Neo4j; the second has to come from somewhere, without Docker, and
must not outlive a test session that was killed.

In: `TRUNKLINE_TEST_STORE`, read by tests/conftest.py. Out: `Neo4jServer`, whose `address` a store is opened with.

Files, in order of flow:

- `errors.py` what is raised when there is no server to be had
- `jars.py` fetches the server's jars from Maven Central into a cache, once for each version of the list
- `archive.py` lets each embedded database start in half of the time
- `kafka_server.py` a broker of Apache Kafka, which may be away and come back
- `neo4j_server.py` writes its configuration, starts it on a free port, waits until it answers, stops it
- `bolt.py` a cluster of small Bolt servers, whose readers are behind
- `cut.py` forwards a port to a database, and cuts the connection at the message that a test names
- `leash.py` holds the server: it runs between the session and the server, and ends the server when the session is gone

Invariants: no server listens beyond 127.0.0.1; none outlives its session; one that cannot be started is an error that
says what is missing, never a skipped test.

A worked example::

    server = Neo4jServer.start()
    server.address                # "bolt://127.0.0.1:40123"
    server.version                # "Neo4j 5.26.30 community"
    server.stop()
"""
