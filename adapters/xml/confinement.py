"""libxml2 keeps every name that a thread has met for as long as the thread lives; so what strangers send is met by a thread that is replaced.

lxml gives each thread one dictionary of names (elements, attributes) for all of its documents. It only grows, and when it
is full every name that is not in it is refused, whoever sends it. A function that reads what comes from outside, or copies
elements of it, is `confined`: it runs in one thread, which is replaced by a new one, with an empty dictionary, after
MOST_BYTES of documents. The caller waits for it. Elements may be looked at outside, but are copied and moved by confined
functions only.

>>> confined(lambda: threading.current_thread() is threading.main_thread())()
False
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

MOST_BYTES: Final = 16_777_216
"""of documents that one thread reads, give or take one."""

P = ParamSpec("P")
T = TypeVar("T")


class _Confinement:
    """One thread at a time, and how much it has read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._ident = 0
        self._bytes = 0

    def run(self, work: Callable[[], T]) -> T:
        """Do something in the thread, and give what it gives or raises."""
        if threading.get_ident() == self._ident:
            return work()
        with self._lock:
            done: Future[T] = self._thread().submit(work)
            try:
                return done.result()
            finally:
                del done  # what it raised holds this frame, and so would hold itself
                if self._bytes > MOST_BYTES:
                    self._end()

    def count(self, size: int) -> None:
        """Take note of some bytes that are read."""
        self._bytes += size

    def _thread(self) -> ThreadPoolExecutor:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="xml")
            self._ident = self._executor.submit(threading.get_ident).result()
        return self._executor

    def _end(self) -> None:
        if self._executor is not None:
            self._executor.shutdown()
        self._executor, self._ident, self._bytes = None, 0, 0


_CONFINEMENT: Final = _Confinement()
count: Final = _CONFINEMENT.count


def confined(function: Callable[P, T]) -> Callable[P, T]:
    """Let a function run where names of strangers may be met."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return _CONFINEMENT.run(functools.partial(function, *args, **kwargs))

    return run
