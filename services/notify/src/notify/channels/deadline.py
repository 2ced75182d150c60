"""A server that answers a byte at a time keeps within every time-out: this ends the whole conversation in time."""

from __future__ import annotations

import socket
from contextlib import suppress
from datetime import timedelta
from threading import Lock, Timer
from types import TracebackType


class Deadline:
    """``with Deadline(time) as deadline: deadline.watch(connection)``: shuts the connection down when time is over.

    Whoever reads from it then meets its end. It watches a duplicate of the descriptor: TLS takes the original away from
    the socket that it wraps, but both lead to the same connection.
    """

    def __init__(self, time: timedelta) -> None:
        self._timer = Timer(time.total_seconds(), self._end)
        self._timer.daemon = True
        self._watched: list[socket.socket] = []
        self._lock = Lock()
        self.over = False

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for connection in self._watched:
                connection.close()
            self._watched.clear()

    def watch(self, connection: socket.socket) -> None:
        """This connection too."""
        with self._lock:
            self._watched.append(connection.dup())
            if self.over:
                self._shut_down()

    def _end(self) -> None:
        with self._lock:
            self.over = True
            self._shut_down()

    def _shut_down(self) -> None:
        for connection in self._watched:
            with suppress(OSError):  # it ended by itself
                connection.shutdown(socket.SHUT_RDWR)
