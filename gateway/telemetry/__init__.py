"""What the gateway tells those who run it: lines of JSON, Prometheus metrics, OpenTelemetry spans.

In: what the other rooms observe. Out: stderr, `/metrics`, an OTLP collector where one is set.

Files: `log.py` · `metrics.py` · `tracing.py`.

Invariants
1. No token, no value of a variable and no name of a customer is ever in them.
2. Nothing here can fail a request.

Example: `with span("plan", operation="Services"):` is a span where a collector is set, and nothing elsewhere.
"""
