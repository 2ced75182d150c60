"""SIGTERM and SIGINT set an event, however often they come and whatever the main thread is doing.

A handler runs between any two instructions of the main thread, which may be inside the event's own lock, or inside
an earlier run of the same handler: an event set there waits for itself for ever. So the handler only writes a byte,
and a thread, that holds nothing, sets the event.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress


def stop_on_signal(stop: threading.Event) -> None:
    """From now on both signals set ``stop``. Call it in the main thread."""
    ear, mouth = os.pipe()
    os.set_blocking(mouth, False)

    def tell(*_: object) -> None:
        with suppress(BlockingIOError):  # so often that the pipe is full: it is known
            os.write(mouth, b"!")

    def hear() -> None:
        os.read(ear, 1)
        stop.set()

    threading.Thread(target=hear, name="signals", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, tell)
