"""What services suffer: from what has failed in the network to effects, and to intervals of downtime.

In: the failed object of an alarm, in the transaction of the change. Out: effects and severities of services by contract,
intervals of downtime, and what billing must be sent of them.

Files, in order of flow: `hits.py` (what fails with an object, and which services that hits) · `affected.py` (what each
service suffers from all open alarms together) · `downtime.py` (for how long) · `owners.py` (whose a service is now) · `metered.py` (which service billing is
told of, whose it is, and in which order) · `promised.py` (what a contract promises of a service).

Invariants
1. Effects are computed from all open alarms together, under the lock of the service.
2. An interval of downtime begins with an effect and ends with it; the clock is the database's.

Example: a trunk fails that only the protecting path uses: the service's effect becomes `atRisk`, and no downtime begins.
"""
