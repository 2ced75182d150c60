"""Which version of the policy decides at an instant. The answer is in memory; the database is asked every 2 s at most.

A version that this code cannot read never comes into force here: the process keeps the one it had, and says so.
A database that is away changes nothing either: what was in force stays in force.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import event, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.policies.company import Company
from chassis.policies.pack import from_documents
from chassis.policies.problems import PolicyProblem, PolicyRefused
from chassis.policies.tables import PolicyActivationRow, PolicyVersionRow
from chassis.service import Service

REFRESH_SECONDS = 2.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Policy:
    """One version in force. ``rules`` is the service's own section; ``version`` is what decisions cite."""

    version: str
    hash: str
    company: Company = field(repr=False)
    rules: Any = field(repr=False)
    effective_from: datetime

    def cite(self, clause: str) -> dict[str, str]:
        """What a decision stores of its ground."""
        return {"clause": clause, "policyversion": self.version}


@dataclass(frozen=True)
class _State:
    """Activations in the order they take effect. ``last`` is the newest activation this state has seen."""

    policies: tuple[Policy, ...] = ()
    last: int = 0

    def at(self, instant: datetime) -> Policy:
        """The first version covers all earlier time (decision 10)."""
        found = bisect_right(self.policies, instant, key=lambda policy: policy.effective_from)
        return self.policies[max(found - 1, 0)]


class PolicyBook:
    """The policies of one process, shared by its threads."""

    def __init__(self, service: Service, sessions: sessionmaker[Session], clock: Clock) -> None:
        self.service = service
        self.sessions = sessions
        self.clock = clock
        self.refused: dict[str, list[PolicyProblem]] = {}  # hash → why this code cannot read it
        self._read: dict[str, tuple[str, Company, Any]] = {}
        self._state = _State()
        self._asked = float("-inf")
        self._lock = threading.Lock()

    def in_force(self, at: datetime | None = None) -> Policy:
        """The version that decides about something that happened ``at`` (now, if left out).

        Raises Unavailable while the installation has no version at all.
        """
        if time.monotonic() - self._asked > REFRESH_SECONDS:
            self._refresh_unless_another_does()
        state = self._state
        if not state.policies:
            raise Unavailable(f"{self.service.name} has no policy in force yet: stage and activate a pack")
        return state.at(at or self.clock.now())

    def of(self, session: Session, hash: str) -> Policy:
        """A staged version, whether it ever decides or not; read once in this process.

        Raises PolicyRefused where this code cannot read it.
        """
        read = self._version(session, hash)
        if read is None:
            raise PolicyRefused(self.refused[hash])
        cited, company, rules = read
        return Policy(cited, hash, company, rules, self.clock.now())

    def refresh(self) -> None:
        """Ask the database now."""
        with self._lock:
            self._ask()

    def forget_after(self, session: Session) -> None:
        """Ask again as soon as this transaction is committed: who activates sees it at once."""

        @event.listens_for(session, "after_commit", once=True)
        def _committed(_: Session) -> None:
            self._asked = float("-inf")

    def _refresh_unless_another_does(self) -> None:
        """Other threads go on with what they have, except at the very beginning, when there is nothing yet."""
        if self._lock.acquire(blocking=not self._state.policies):
            try:
                if time.monotonic() - self._asked > REFRESH_SECONDS:
                    self._ask()
            finally:
                self._lock.release()

    def _ask(self) -> None:
        try:
            with self.sessions() as session:
                last = session.scalar(select(func.coalesce(func.max(PolicyActivationRow.id), 0))) or 0
                if last != self._state.last:
                    self._state = _State(self._activations(session), last)
        except DBAPIError as away:
            if not self._state.policies:
                raise
            log.warning("policies not refreshed, the ones known stay in force", error=str(away.orig))
        self._asked = time.monotonic()

    def _activations(self, session: Session) -> tuple[Policy, ...]:
        rows = session.scalars(
            select(PolicyActivationRow).order_by(PolicyActivationRow.effective_from, PolicyActivationRow.id)
        )
        policies = []
        for row in rows:
            read = self._version(session, row.hash)
            if read is not None:
                cited, company, rules = read
                policies.append(Policy(cited, row.hash, company, rules, row.effective_from))
        return tuple(policies)

    def _version(self, session: Session, hash: str) -> tuple[str, Company, Any] | None:
        if hash not in self._read and hash not in self.refused:
            row = session.get_one(PolicyVersionRow, hash)
            try:
                pack = from_documents(row.documents)
                rules = self.service.policy.read(pack) if self.service.policy else None
                self._read[hash] = (row.cited, pack.company, rules)
            except PolicyRefused as refused:
                self.refused[hash] = refused.problems
                log.error(  # noqa: TRY400 - the fault is the pack's, a traceback would say nothing
                    "a policy version cannot be read by this code; the one before stays in force",
                          version=row.cited, problem=str(refused.problems[0]))  # fmt: skip
        return self._read.get(hash)
