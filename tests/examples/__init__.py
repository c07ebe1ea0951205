"""The examples of docs/examples run against a gateway that is killed under them: none loses an event, or hears one twice.

In: a program, in Python, in Node or in a browser. Out: what it has shown, in order.

Files, in order of flow: `test_examples.py` (alarms, kills, and what was shown) · `followers.py` (the programs, each in a process) ·
`runtimes.py` (what runs them, and what is lacking) · `browser.py` (a page in Chromium, looked at from outside).

Example: `make test-processes`, which .ci/run runs too. What needs Node or Chromium is left out where they cannot be had, and the
test says so as skipped.
"""
