"""What an operator decides: one TOML file and `TRUNKLINE_*` variables become one frozen value, or a list of all faults.

In: a file and the environment. Out: `Settings`, or `gateway.errors.SettingsBroken` with every fault by the name that the
operator typed.

Files: `settings.py` (the whole) and a module for each section: `ticketing.py` · `fault_management.py` · `billing.py` ·
`inventory.py` · `bandwidth.py` · `performance.py` · `provisioning.py` · `sales.py` · `catalog.py` · `customers.py` · `orders.py` · `kafka.py` · `hub.py` · `retention.py` · `streams.py` · `subgraph.py`; `system.py` has what the sections about surrounding systems share;
`unknown.py` finds names that are no settings.

Invariants
1. Nothing but this folder reads the environment.
2. A name with our prefix that is no setting is refused, and the nearest is told.
3. A secret is a `SecretStr`, and no error shows it.

Example: `load_settings(listen="127.0.0.1:8000")` gives the settings of a gateway that listens there.
"""
