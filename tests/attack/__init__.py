"""The worst that one customer's token can ask for, while another customer works: `make attack`.

A gateway with two workers serves a network of some thousand nodes. Several attacks run at once, each in a loop, with the token
of the customer that has most services or with none. A witness, who is another customer, asks small questions all the time.

In: how long, on which database, how large a network. Out: a table with the memory of each process and what the witness saw;
exit code 1 where a promise of docs/security.md is broken. Loopback only; every loop ends with the time that was given.

Files, in order of flow: `__main__.py` (the command) · `place.py` (a database, a network, a gateway, two tokens) ·
`documents.py` (what is asked again and again in new words) · `sockets.py` (what is done with connections) · `witness.py` (what
another customer sees, and how much memory is used).

Invariants
1. Nothing here knows the inside of the gateway: bytes go in, bytes come out.
2. An attack that is refused at once is a success of the gateway; refusals are counted, and so are answers.
3. The witness has a process of its own, and the attackers give way to it: their computers are others.

Example: `python -m tests.attack --seconds 60 --store embedded`.
"""
