"""What a store holds must change with the program that reads it: for each version of the schema, what is done to older data.

A migration runs while others may read and write, may be cut at any moment, and may run in several processes at once. So each
goes through the data in small transactions, and doing it again changes nothing. It runs under the constraints and indexes of
this program; the version is written down when all are done.

In: a store of an earlier version, a deadline. Out: nothing; the data are what this program relies on.

Files: `mtosi_names.py` (one spelling) · `feed_counts.py` (what feeds kept out) · `words.py` (how names are searched) · `ledger.py` (which delivery is due, and how alarms are found) · `boosts.py` (the states of boosts) · `boost_marks.py` (what boosts and tasks are found by) · `companies.py` (what customers may be one company by) · `migrations.py` (the
table; that of `graph/store/open_alarms.py` too: which version each leads to, in their order).

Example: `for version, migration in MIGRATIONS: await migration(store, deadline=soon)`.
"""
