"""One running process of a service: its declaration joined to settings, database, clock and policies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from chassis.clock import Clock, ShiftedClock, SystemClock
from chassis.messaging.names import BrokerNames
from chassis.service import Service
from chassis.settings import Settings
from chassis.storage.engine import make_engine

if TYPE_CHECKING:
    from chassis.policies.book import PolicyBook


@dataclass(frozen=True)
class Context:
    """What an edge hands to a use case: one transaction, the time, the policies."""

    session: Session
    clock: Clock
    policies: PolicyBook
    runtime: Runtime


@dataclass(frozen=True)
class Runtime:
    """Everything a process of one service shares between its threads."""

    service: Service
    settings: Settings
    clock: Clock
    engine: Engine
    sessions: sessionmaker[Session]
    policies: PolicyBook
    names: BrokerNames

    @contextmanager
    def context(self) -> Iterator[Context]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with self.sessions.begin() as session:
            yield Context(session, self.clock, self.policies, self)


def start_runtime(service: Service, settings: Settings, clock: Clock | None = None) -> Runtime:
    """Wire one process. Reads nothing from the environment; opens no connection before it is needed."""
    from chassis.policies.book import PolicyBook  # noqa: PLC0415 - the book needs the runtime's engine, not its module

    if clock is None:
        clock = ShiftedClock(settings.clock_file) if settings.clock_file else SystemClock()
    engine = make_engine(settings)
    info: dict[str, Any] = {"service": service.name, "clock": clock}  # what every session carries
    sessions = sessionmaker(engine, expire_on_commit=False, info=info)
    policies = info["policies"] = PolicyBook(service, sessions, clock)
    return Runtime(service, settings, clock, engine, sessions, policies, BrokerNames(settings.instance))
