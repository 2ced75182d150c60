"""A circuit breaker: after failures in a row a service is left alone for a while; callers fail at once.

One per service and worker process; the threads of the worker share it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FAILURES = 5
PAUSE_SECONDS = 5.0


class Breaker:
    """Closed: everyone passes. Open: nobody does. After the pause one request probes; its outcome decides."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None

    def admits(self) -> bool:
        """Whether a request may go out now. In the open state it says yes once per pause, to the probe."""
        if self._opened_at is None:
            return True
        with self._lock:
            now = self._monotonic()
            if self._opened_at is None:
                return True
            if now - self._opened_at < PAUSE_SECONDS:
                return False
            self._opened_at = now  # the probe: everyone else waits another pause for its outcome
            return True

    def succeeded(self) -> None:
        """The service answered, whatever it answered."""
        if self._failures or self._opened_at is not None:
            with self._lock:
                self._failures, self._opened_at = 0, None

    def failed(self) -> None:
        """The service could not be reached, broke off, or was too slow."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._opened_at = self._monotonic()
