"""A process that is told to stop twice, at any moment, stops."""

from __future__ import annotations

import signal
import subprocess
import sys

CHILD = """
import sys
import threading
from chassis.signals import stop_on_signal

stop = threading.Event()
stop_on_signal(stop)
print("ready", flush=True)
while not stop.wait(0.0001):  # nearly always inside the event's lock
    pass
print("stopped", flush=True)
sys.stdin.read()
"""


def test_signals_by_the_hundred_stop_a_process_that_waits_for_its_event() -> None:
    for _ in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"

        for _ in range(200):
            child.send_signal(signal.SIGTERM)
            child.send_signal(signal.SIGINT)

        said, _ = child.communicate(timeout=30)
        assert (said, child.returncode) == ("stopped\n", 0)
