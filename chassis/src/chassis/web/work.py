"""``work()``: the one transaction of a request and what belongs to it.

It opens with the first statement, and the application commits it after the view's answer was made: the effect, its
audit row and its idempotency record stand or fall together. Any exception rolls it back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import g
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.runtime import Context, Runtime
from chassis.storage.reading import RowReader
from chassis.web.principal import Principal

if TYPE_CHECKING:
    from chassis.policies.book import PolicyBook


@dataclass(slots=True)
class Work:
    """What a view works with."""

    session: Session
    principal: Principal
    clock: Clock
    policies: PolicyBook
    runtime: Runtime
    request_id: str
    notes: list[tuple[str, str | None, dict[str, Any]]] = field(default_factory=list)
    subject: str | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def context(self) -> Context:
        """The same transaction as event handlers and jobs know it."""
        return Context(self.session, self.clock, self.policies, self.runtime)

    def note(self, subject: str | None = None, **details: Any) -> None:
        """Say more in this request's audit row: what it was about, and facts worth keeping. No personal data."""
        self.subject = subject or self.subject
        self.details.update(details)

    def audit(self, action: str, subject: str | None = None, **details: Any) -> None:
        """An audit row of its own, also for a GET: an unmasked read, an export."""
        self.notes.append((action, subject, details))


class Desk:
    """What the application keeps of one request (one attribute of ``flask.g``, so that a read costs one look-up)."""

    __slots__ = ("etag", "principal", "reading", "request_id", "runtime", "traceparent", "work")

    def __init__(self, runtime: Runtime, reading: Engine, request_id: str, traceparent: str | None) -> None:
        self.runtime = runtime
        self.reading = reading
        self.request_id = request_id
        self.traceparent = traceparent
        self.principal: Principal | None = None
        self.work: Work | None = None
        self.etag: str | None = None


def desk() -> Desk:
    """The request at hand."""
    found: Desk = g.desk
    return found


def work() -> Work:
    """The work of this request; the same one however often it is asked for."""
    at = desk()
    if at.work is None:
        at.work = _open(at, at.runtime.sessions())
    return at.work


def glance() -> Work:
    """As ``work()``, for a GET that reads with single statements: its session needs no BEGIN and no COMMIT.

    It can't write (PostgreSQL refuses): a GET that leaves an audit row takes ``work()``.
    """
    at = desk()
    if at.work is None:
        at.work = _open(at, at.runtime.sessions(bind=at.reading))
    return at.work


def glimpse(reader: RowReader, **parameters: Any) -> dict[str, Any] | None:
    """One row by a select that was compiled beforehand, past the session: for the hottest resources."""
    return reader.first(desk().reading, parameters)


def _open(at: Desk, session: Session) -> Work:
    if at.principal is None:
        raise RuntimeError("work() needs a caller: the view lacks @requires")
    return Work(session, at.principal, at.runtime.clock, at.runtime.policies, at.runtime, at.request_id)
