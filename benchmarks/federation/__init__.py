"""One operation over four subgraphs (88 kB of answer) is asked of Trunkline's gateway and of those that others have made.

In: nothing but loopback. Out: rows, for people or as JSON: per gateway, number of connections and sharing of requests in
flight (off for all, then on where a gateway can) requests per second, latencies, CPU per request, memory, and whether the
answer was the right one. Each gateway runs one process that serves; the subgraphs answer from memory.

`subgraphs.py`   the four subgraphs, as a process
`gateways.py`    who is compared, how each is started, and where the JavaScript ones come from
`comparing.py`   answers are compared, then blocks of requests are measured, in turn

The sources for Node stand in a folder of their own, `node`, with their versions.
"""
