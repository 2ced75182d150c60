"""``work``: everything a service does without being asked over HTTP, in one process of several threads.

A thread that dies of an unexpected exception is logged and started again, with backoff; the others go on. SIGTERM
and SIGINT let every thread finish what it holds: batches are committed and acknowledged, confirms awaited.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from chassis import logs, telemetry
from chassis.housekeeping import HOUSEKEEPING
from chassis.messaging import topology
from chassis.messaging.broker import BROKER_TROUBLE
from chassis.messaging.consumer import Consumer
from chassis.messaging.dead_letters import Collector
from chassis.messaging.relay import Relay
from chassis.runtime import Runtime
from chassis.signals import stop_on_signal
from chassis.timing.due import DuePoller
from chassis.timing.schedules import ScheduleRunner
from chassis.work_http import WorkHttp

log = structlog.get_logger(__name__)

ROLES = frozenset({"consume", "relay", "due", "dead"})
_PATIENCE = 18.0  # seconds that the threads may take to finish; whoever stopped us kills after 20
_LONGEST_BACKOFF = 30.0


@dataclass
class Part:
    """One thread of the worker: ``run`` returns when the stop event is set, or raises."""

    name: str
    run: Callable[[threading.Event], None]
    restarts: int = 0
    alive_since: float = 0.0  # monotonic; 0 while it is down

    def shown(self, now: float) -> dict[str, Any]:
        """What /health tells of it."""
        running = self.alive_since > 0
        return {
            "running": running,
            "seconds": round(now - self.alive_since) if running else 0,
            "restarts": self.restarts,
        }


class Worker:
    """Runs the chosen roles until told to stop. Without roles: all of them."""

    def __init__(self, runtime: Runtime, roles: Collection[str] = ()) -> None:
        """``roles``: of ``consume``, ``consume:<subscription>``, ``relay``, ``due``, ``dead``, the service's own parts.

        Raises ValueError.
        """
        self.runtime = runtime
        self.roles = frozenset(roles) or ROLES | set(runtime.service.parts)
        known = ROLES | {f"consume:{subscription.name}" for subscription in runtime.service.subscriptions}
        known |= set(runtime.service.parts)
        if unknown := self.roles - known:
            raise ValueError(f"unknown role {min(unknown)!r}; there are {', '.join(sorted(known))}")
        self.stop = threading.Event()
        self.parts = self._parts(runtime.settings.partitions)

    def run(self) -> None:
        """Check the broker's topology, work until SIGTERM or SIGINT. Raises TopologyMismatch."""
        settings = self.runtime.settings
        logs.configure(self.runtime.service.name, settings.log_level)
        telemetry.configure(self.runtime.service.name, settings.otlp_endpoint)
        logging.getLogger("pika").setLevel(logging.CRITICAL)  # it tells each lost connection five times; so do we, once
        if threading.current_thread() is threading.main_thread():
            stop_on_signal(self.stop)
        self._check_topology()
        http = WorkHttp(self.health, settings.work_port) if settings.work_port else None
        threads = [threading.Thread(target=self._keep_running, args=(part,), name=part.name) for part in self.parts]
        for thread in threads:
            thread.daemon = True  # one that hangs in a dead socket must not outlive our patience
            thread.start()
        log.info("working", roles=sorted(self.roles), parts=[part.name for part in self.parts])
        self.stop.wait()
        deadline = time.monotonic() + _PATIENCE
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if http is not None:
            http.close()
        left = [thread.name for thread in threads if thread.is_alive()]
        log.info("stopped", left_behind=left)
        if left:
            os._exit(1)  # what they hold is not acknowledged: it is delivered again

    def health(self) -> dict[str, Any]:
        """What /health tells: every part, since when it runs, how often it had to be started again."""
        now = time.monotonic()
        parts = {part.name: part.shown(now) for part in self.parts}
        ready = all(part["running"] for part in parts.values()) and not self.stop.is_set()
        return {"service": self.runtime.service.name, "status": "ready" if ready else "unavailable", "parts": parts}

    def _check_topology(self) -> None:
        """Wait for the broker if need be, then see that it holds what we need. Raises TopologyMismatch."""
        settings = self.runtime.settings
        backoff = 0.5
        while not self.stop.is_set():
            try:
                found = topology.declare(
                    settings.amqp_url, self.runtime.names, self.runtime.service, settings.partitions
                )
            except topology.TopologyMismatch:
                raise
            except BROKER_TROUBLE as away:
                log.warning("waiting for the broker", error=str(away))
                self.stop.wait(backoff)
                backoff = min(backoff * 2, 5.0)
            else:
                if settings.partitions and not found.consistent_hash:
                    log.warning("this broker can't split queues: KEZHI_PARTITIONS has no effect")
                    self.parts = self._parts(0)
                return

    def _keep_running(self, part: Part) -> None:
        backoff = 0.5
        while not self.stop.is_set():
            part.alive_since = time.monotonic()
            try:
                part.run(self.stop)
            except Exception:
                log.exception("a part of the worker died and is started again", part=part.name, again_in=backoff)
            if self.stop.is_set():
                return
            if time.monotonic() - part.alive_since > _LONGEST_BACKOFF:
                backoff = 0.5
            part.alive_since = 0.0
            part.restarts += 1
            self.stop.wait(backoff)
            backoff = min(backoff * 2, _LONGEST_BACKOFF)

    def _parts(self, partitions: int) -> list[Part]:
        runtime, names = self.runtime, self.runtime.names
        parts = [Part("policies", self._refresh_policies)]
        for subscription in runtime.service.subscriptions:
            if not {"consume", f"consume:{subscription.name}"} & self.roles:
                continue
            for queue in topology.queues_of(names, runtime.service.name, subscription, partitions):
                parts.append(Part(f"consume:{queue}", Consumer(runtime, subscription, queue).run))
        if "relay" in self.roles:
            parts.append(Part("relay", Relay(runtime).run))
        if "dead" in self.roles and runtime.service.subscriptions:
            parts.append(Part("dead", Collector(runtime).run))
        for name, run in runtime.service.parts.items():
            if name in self.roles:
                parts.append(Part(name, partial(run, runtime)))
        if "due" in self.roles:
            parts.append(Part("due", DuePoller(runtime).run))
            parts.append(Part("schedules", ScheduleRunner(runtime, HOUSEKEEPING).run))
        return parts

    def _refresh_policies(self, stop: threading.Event) -> None:
        """Look into the book now and then, so that no consumer pays for reading a new version."""
        while not stop.wait(1.0):
            try:
                self.runtime.policies.in_force()
            except Exception as away:
                log.warning("policies could not be refreshed", error=str(away))
