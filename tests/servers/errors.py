"""A test server that cannot be had must end the session with a sentence, not with a traceback or skipped tests.

Exception
+-- ServerUnavailable     its message says what is missing or what the server said
"""

from __future__ import annotations


class ServerUnavailable(Exception):
    """The server that the tests need cannot be fetched or started."""
