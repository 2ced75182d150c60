"""Builders for the notify service's tests: told as histories, run on a real PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from chassis.clock import FakeClock
from chassis.messaging.testing import deliver
from chassis.runtime import Runtime
from chassis.testkit.people import Company
from notify.bootstrap import build_service
from notify.channels import Guarded, Limits, Outcome, Outgoing
from notify.delivery.sender import Sender
from notify.inbox.tables import InboxItem
from notify.messages.tables import Message
from notify.templates.domain import Surroundings


@dataclass
class Provider:
    """A channel that keeps what it was given and answers what the test wants, in order; then ``sent``."""

    name: str
    idempotent: bool = False
    taken: list[Outgoing] = field(default_factory=list)
    answers: list[Outcome] = field(default_factory=list)

    def send(self, outgoing: Outgoing) -> Outcome:
        self.taken.append(outgoing)
        return self.answers.pop(0) if self.answers else Outcome("sent", f"{self.name}-{len(self.taken)}")


class Office:
    """A notify service of its own, and the sentences tests are told in."""

    def __init__(self, runtime: Runtime, clock: FakeClock) -> None:
        self.runtime, self.clock = runtime, clock
        self.company = Company(runtime)
        self.sms, self.email = Provider("sms"), Provider("email", idempotent=True)
        self.sender = self.another_sender()
        self._events = 0
        self._versions: dict[str, int] = {}

    def another_sender(self, **more: Any) -> Sender:
        """A sender as another process would run it, over the same providers."""
        limits = Limits(per_minute=0)
        ways = {one.name: Guarded(one, limits, self.clock.now) for one in (self.sms, self.email)}
        return Sender(self.runtime, ways, Surroundings("https://kezhi.example"), **more)

    # what happens elsewhere

    def customer(self, customer_id: str | None = None, **state: Any) -> str:
        """A customer registers, or is described anew; returns the id."""
        customer_id = customer_id or str(uuid.uuid4())
        version = self._versions[customer_id] = self._versions.get(customer_id, 0) + 1
        data = {
            "customer_id": customer_id, "code": "C-1", "kind": "individual", "name": "王芳", "status": "active",
            "unit": None, "unit_path": "/", "identities": [], "grade": None, "classes": {},
            "phones": [{"number": "+8613800008801", "label": None}],
            "emails": [{"address": "wang@example.com", "label": None}],
            "standing": {"may_trade": True, "reasons": []}, "consents": [], **state,
        }  # fmt: skip
        topic = "registered" if version == 1 else "updated"
        said = self.tell(
            "customers", self._event(f"customer.{topic}.v1", data, customer_id, sequence=f"{version:020d}")
        )
        assert said == ["accepted"], said
        return customer_id

    def complaint(self, topic: str, **data: Any) -> dict[str, Any]:
        """A complaint event, untold."""
        number = self._events + 1
        facts = {
            "customer_id": None, "complaint_id": str(uuid.uuid4()), "number": f"TS2026-{number:06d}",
            "type": "complaint", "status": "received", "level": 1, "round": 1, "channel": "hotline",
            "category": None, "subject": "漏水", "unit": None, "handler": None, "complainant": None,
            "against": None, "hidden_from": [], "at": self.clock.now().isoformat(), **data,
        }  # fmt: skip
        if topic == "received":
            facts |= {"received_at": facts["at"], "clocks": []}
        if topic == "closed":
            facts |= {"status": "closed", "outcome": "satisfied"}
        if topic in ("breached", "due_soon"):
            due = (self.clock.now() + timedelta(hours=1)).isoformat()
            facts.setdefault("clock", {"kind": "answer", "due_at": due, "status": "running", "explanation": None})
        return self._event(f"complaint.{topic}.v1", facts, facts["complaint_id"])

    def link(self, purpose: str, token: str = "t" * 32, **data: Any) -> dict[str, Any]:
        """A link for a complainant, untold."""
        facts = {
            "customer_id": None, "complaint_id": str(uuid.uuid4()), "number": "TS2026-000001", "purpose": purpose,
            "round": 1, "token": token, "expires_at": (self.clock.now() + timedelta(days=30)).isoformat(),
            "complainant": {"name": "赵先生", "phone": "13900001111"}, "locale": None, "hidden_from": [],
            "at": self.clock.now().isoformat(), **data,
        }  # fmt: skip
        return self._event("link.issued.v1", facts, facts["complaint_id"])

    def points_expiring(self, customer_id: str, **data: Any) -> dict[str, Any]:
        """Points of a customer expire soon, untold."""
        facts = {
            "customer_id": customer_id, "member_id": None, "notice_days": 30, "points": 120,
            "expiring": [{"points": 120, "on": "2026-12-31"}], **data,
        }  # fmt: skip
        return self._event("points.expiring.v1", facts, customer_id)

    def _event(self, type: str, data: dict[str, Any], subject: str, **more: Any) -> dict[str, Any]:
        self._events += 1
        return {
            "specversion": "1.0", "id": f"e{self._events}", "source": "/kezhi/elsewhere", "type": type,
            "subject": subject, "time": self.clock.now().isoformat(), "data": data, **more,
        }  # fmt: skip

    def tell(self, subscription: str, *events: dict[str, Any]) -> list[str]:
        """Deliver events as the broker would, in one batch."""
        return deliver(self.runtime, subscription, events)

    def hears(self, *events: dict[str, Any]) -> None:
        """Events that must be taken."""
        said = self.tell("events", *events)
        assert set(said) <= {"accepted", "duplicate"}, said

    # what comes of it

    def works(self) -> int:
        """Send and place all that is due."""
        return self.sender.drain()

    def messages(self, **where: Any) -> list[Message]:
        with self.runtime.sessions() as session:
            return list(session.scalars(select(Message).filter_by(**where).order_by(Message.id)))

    def the_message(self, **where: Any) -> Message:
        (found,) = self.messages(**where)
        return found

    def inbox(self, username: str) -> list[InboxItem]:
        with self.runtime.sessions() as session:
            found = session.scalars(select(InboxItem).where(InboxItem.username == username).order_by(InboxItem.id))
            return list(found)

    def rows(self, sql: str, **parameters: Any) -> list[Any]:
        with self.runtime.sessions() as session:
            return list(session.execute(text(sql), parameters).mappings())

    def at_night(self) -> datetime:
        """22:30 in Shanghai on the evening of the clock's day."""
        return self.clock.travel_to(datetime.fromisoformat("2026-11-20T22:30:00+08:00"))


@pytest.fixture
def office(make_runtime: Callable[..., Runtime], clock: FakeClock) -> Office:
    """A fresh notify service at 2026-11-20 10:00 in Shanghai with the default pack."""
    return Office(make_runtime(build_service), clock)


@pytest.fixture
def api(office: Office, client: Callable[..., Any]) -> Callable[..., Any]:
    """``api()`` → the HTTP API as an administrator; ``api("li", ["handler"])`` as somebody else."""

    class Api:
        def __init__(self, username: str, roles: list[str], unit_path: str) -> None:
            self.client = client(office.runtime, roles, unit_path, username)

        def get(self, path: str, **query: Any) -> Any:
            return self.client.get(f"/api/v1/{path}", query_string=query)

        def post(self, path: str, body: Any = None, key: str | None = None) -> Any:
            headers = {"Idempotency-Key": key or str(uuid.uuid4())}
            return self.client.post(f"/api/v1/{path}", json={} if body is None else body, headers=headers)

        def patch(self, path: str, body: Any, etag: str | None = None) -> Any:
            return self.client.patch(f"/api/v1/{path}", json=body, headers={"If-Match": etag} if etag else {})

    def make(username: str = "admin", roles: list[str] | None = None, unit_path: str = "/") -> Api:
        return Api(username, ["administrator"] if roles is None else roles, unit_path)

    return make
