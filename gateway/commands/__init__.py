"""The commands: what is typed goes in, a few lines or one JSON object come out.

Each file has one click command named `command`; its exit code is what it returns. The work is done elsewhere: a command
reads its options, calls, and prints.

    options.py       options that several commands have, and how they become settings; asking.py asks a gateway over HTTP
    serve.py         serve until interrupted
    gateway.py       serve a supergraph until interrupted; plan.py prints what becomes of an operation over one
    load.py          fill the database; progress.py draws bars on stderr where it takes longer than a second
    check.py         what is wrong, one line each
    inventory.py     where inventories and the graph differ, and taking a side
    ledger.py        what other systems are still to be told
    audit.py         whether anybody has changed what happened
    watch.py         events on a terminal
    orders.py        orders that are open, and how far one of them is
    token.py         a token to try things out
    compile.py       every stage of a query
    schema.py        what clients see; asyncapi.py what is published to Kafka
    demo/            the whole story, told as it happens

Invariant: results go to stdout, everything else to stderr, so that `--json` can be piped.

Example: `trunkline token --role customer --customer customer-1` prints a token.
"""
