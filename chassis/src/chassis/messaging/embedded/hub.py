"""A process's share of the embedded broker: few database connections for all of its threads, and one session.

- Work goes over at most two connections, lent for a statement at a time.
- Who consumes also needs the session: one more connection, that holds the process's advisory lock, listens, shows once
  in a while that the process lives, and sweeps. It belongs to one thread. When it breaks, the leases are lost with it,
  so everything of this hub fails, and whoever connects again gets another hub.
"""

from __future__ import annotations

import os
import queue
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, Protocol
from weakref import WeakSet

import psycopg
import structlog

from chassis.messaging.embedded.address import Address
from chassis.messaging.embedded.router import Router
from chassis.messaging.embedded.store import Store
from chassis.messaging.embedded.trouble import BrokerAway, LeaseLost, as_trouble

log = structlog.get_logger(__name__)

_LENT = 2  # connections for work, at most
_BEAT = 1.0  # seconds between looks for what no notification told
_OTHERS_SWEEP = 10  # every so many beats those sweep who are not the first: the first may be frozen
_THOROUGHLY = 15  # every so many sweeps: what takes longer to find
_BODIES = 2000  # shared bodies looked at in one step
_ANSWER = 10.0  # seconds to wait for our own thread


class Wakeable(Protocol):
    """Who wants to know that a queue has something."""

    def news(self) -> None:
        """Called from another thread."""


class Hub:
    """Shared by every connection of this process to one address; ``Hub.of`` finds or makes it, ``release`` ends it."""

    _all: ClassVar[dict[tuple[int, Address], Hub]] = {}
    _guard: ClassVar[Any] = threading.RLock()  # collecting garbage may release a hub inside of any statement

    @classmethod
    def of(cls, address: Address) -> Hub:
        """The hub of this process. Raises BrokerAway."""
        key = (os.getpid(), address)
        with cls._guard:
            hub = cls._all.get(key)
            new = hub is None or hub.broken is not None
            if hub is None or new:
                hub = cls._all[key] = cls(address)
            hub._users += 1
        try:
            with hub.lent() as store:
                if new:  # what the dead left behind must not be there for whoever comes to look
                    store.sweep(thoroughly=True)
        except BaseException:
            hub.release()
            raise
        return hub

    def __init__(self, address: Address) -> None:
        self.address = address
        self.broken: Exception | None = None
        self.router = Router()
        self._users = 0
        self._idle: list[Store] = []
        self._room = threading.BoundedSemaphore(_LENT)
        self._session: Session | None = None
        self._opening = threading.Lock()

    def release(self) -> None:
        """One user less; the last one closes what is open."""
        with self._guard:
            self._users -= 1
            if self._users > 0:
                return
            if self._all.get((os.getpid(), self.address)) is self:
                del self._all[(os.getpid(), self.address)]
        session, self._session = self._session, None
        if session is not None:
            session.close()
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def lent(self) -> Iterator[Store]:
        """A database connection for a statement or two. Raises BrokerAway."""
        if self.broken is not None:
            raise BrokerAway(f"the connection to the broker is lost: {self.broken}")
        with self._room:
            store = self._idle.pop() if self._idle else Store(self.address.conninfo, "kezhi-broker")
            try:
                yield store
            finally:
                if store.usable and self.broken is None:
                    self._idle.append(store)
                else:
                    store.close()

    def session(self) -> Session:
        """The process's session, opened when first needed. Raises BrokerAway."""
        with self._opening:
            if self.broken is not None:
                raise BrokerAway(f"the connection to the broker is lost: {self.broken}")
            if self._session is None:
                self._session = Session(self)
            return self._session

    def abandon(self, holders: Iterable[int]) -> None:
        """These consumers are gone without a farewell: free what they held soon, whoever is in trouble."""
        session = self._session
        if session is not None and self.broken is None:
            session.abandon(list(holders))


class Session:
    """The connection that proves that this process lives, and its thread."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._store = Store(hub.address.conninfo, "kezhi-broker-session")
        self.patience = hub.address.patience
        self.id = self._store.open_session(f"{socket.gethostname()} {os.getpid()} {sys.argv[0][-80:]}", self.patience)
        self._listeners: dict[int, WeakSet[Wakeable]] = {}  # a connection that nobody has any more must be collected
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._mouth, self._ear = socket.socketpair()
        self._mouth.setblocking(False)
        self._ear.setblocking(False)
        self._leaving = False
        self._beats = self._sweeps = self._bodies_after = 0
        self._thread = threading.Thread(target=self._run, name="kezhi-broker-session", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Give up everything this process holds, in order if the database answers."""
        self._leaving = True
        self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join(_ANSWER)

    def listen(self, queue_id: int, listener: Wakeable) -> None:
        """Tell ``listener`` of news in a queue from now on. Raises BrokerAway."""

        def begin() -> None:
            if queue_id not in self._listeners:
                self._listeners[queue_id] = WeakSet()
                self._execute(f"LISTEN kezhi_broker_{queue_id}")
            self._listeners[queue_id].add(listener)

        self._ask(begin)

    def unlisten(self, queue_id: int, listener: Wakeable) -> None:
        """No more news of it."""

        def end() -> None:
            found = self._listeners.get(queue_id)
            if found is not None:
                found.discard(listener)
                if not found:
                    del self._listeners[queue_id]
                    self._execute(f"UNLISTEN kezhi_broker_{queue_id}")

        self._later(end)

    def abandon(self, holders: list[int]) -> None:
        """Free what these held, without waiting for it."""
        self._later(lambda: self._store.announce(self._store.leave(holders)))

    # --- from other threads

    def _ask(self, step: Callable[[], None]) -> None:
        done = threading.Event()

        def stepped() -> None:
            step()
            done.set()

        self._later(stepped)
        deadline = time.monotonic() + _ANSWER
        while not done.wait(0.2):
            if self._hub.broken is not None:
                raise BrokerAway(f"the connection to the broker is lost: {self._hub.broken}")
            if time.monotonic() > deadline:
                raise BrokerAway(f"the broker's database did not answer within {_ANSWER:.0f} s")

    def _later(self, step: Callable[[], None]) -> None:
        self._asked.put(step)
        self._wake()

    def _wake(self) -> None:
        with suppress(OSError):
            self._mouth.send(b"!")

    # --- the thread

    def _run(self) -> None:
        try:
            self._beat()
            self._work()
            self._store.close_session(self.id)
        except Exception as trouble:
            self._break(trouble)
        finally:
            self._store.close()
            self._mouth.close()
            self._ear.close()

    def _work(self) -> None:
        pause = min(_BEAT, self.patience / 4)
        watched: list[Any] = [self._store.connection.fileno(), self._ear]
        due = time.monotonic() + pause
        while not self._leaving:
            ready, _, _ = select.select(watched, [], [], max(0.0, due - time.monotonic()))
            if self._ear in ready:
                self._ear.recv(4096)
            while not self._asked.empty():
                self._asked.get_nowait()()
            if time.monotonic() >= due:
                self._beat()
                due = time.monotonic() + pause
            self._hear()

    def _hear(self) -> None:
        try:
            told = {notify.channel for notify in self._store.connection.notifies(timeout=0)}
        except psycopg.Error as error:
            raise as_trouble(error) from error
        for channel in told:
            self._tell(int(channel.rpartition("_")[2]))

    def _tell(self, queue_id: int) -> None:
        for listener in list(self._listeners.get(queue_id, ())):
            listener.news()

    def _beat(self) -> None:
        """What no notification tells; a statement that fails alone (a deadlock, a full disk) is tried again."""
        try:
            self._look_around()
        except BrokerAway as trouble:
            if not self._store.usable:
                raise
            log.warning("the embedded broker could not be swept", error=str(trouble))

    def _look_around(self) -> None:
        """That we live, what lies ready all the same, what others left behind."""
        if self._beats % _OTHERS_SWEEP == 0 or self._store.first_alive(self.id):
            self._store.sweep(thoroughly=self._sweeps % _THOROUGHLY == 0)
            if self._sweeps % _THOROUGHLY == 0:
                self._bodies_after = self._store.sweep_bodies(self._bodies_after, _BODIES)
            self._sweeps += 1
        self._beats += 1
        ready = self._store.beat(self.id, self._listeners)
        if ready is None:
            raise LeaseLost("this process was not seen for too long and taken for dead")
        for queue_id in ready:
            self._tell(queue_id)

    def _break(self, trouble: Exception) -> None:
        self._hub.broken = trouble
        if not self._leaving:
            log.warning("session of the embedded broker lost", error=str(trouble))
        for queue_id in list(self._listeners):
            self._tell(queue_id)  # they look, and find that it is broken

    def _execute(self, statement: str) -> None:
        try:
            self._store.connection.execute(statement.encode())
        except psycopg.Error as error:
            raise as_trouble(error) from error


def _after_fork() -> None:
    Hub._all.clear()
    Hub._guard = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)
