"""Builders for the complaint service's tests: a company with its people, and cases told as histories."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any, Self

import pytest
from sqlalchemy import text

from chassis.clock import FakeClock
from chassis.messaging.testing import deliver
from chassis.runtime import Runtime
from chassis.testkit.people import Company
from chassis.testkit.tokens import bearer
from chassis.timing.due import DuePoller
from chassis.web.app import create_app
from complaint.bootstrap import build_service


class Answer:
    """What the API said: its status code and its body, read by member."""

    def __init__(self, response: Any) -> None:
        self.code: int = response.status_code
        self.body: Any = response.get_json(silent=True)
        self.headers = response.headers

    def __getattr__(self, name: str) -> Any:
        try:
            return self.body[name]
        except (KeyError, TypeError):
            raise AttributeError(f"{self.code} answered {self.body}: no {name}") from None

    def __repr__(self) -> str:
        return f"<{self.code} {self.body}>"


class Desk:
    """The service as somebody signed in meets it."""

    def __init__(self, client: Any, authorization: str | None) -> None:
        self._client, self._headers = client, {"Authorization": authorization} if authorization else {}

    def get(self, path: str, **query: Any) -> Answer:
        found = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
        return Answer(self._client.get(f"/api/v1/{path}", query_string=found, headers=self._headers))

    def post(self, path: str, body: Any = None, key: str | None = None) -> Answer:
        headers = {**self._headers, "Idempotency-Key": key or str(uuid.uuid4())}
        return Answer(self._client.post(f"/api/v1/{path}", json={} if body is None else body, headers=headers))

    def patch(self, path: str, body: Any, etag: str) -> Answer:
        headers = {**self._headers, "If-Match": etag}
        return Answer(self._client.patch(f"/api/v1/{path}", json=body, headers=headers))


class House:
    """A company with its complaint service.

    The tree: ``/SH`` with the stores ``/SH/SH001`` and ``/SH/SH002``. At SH001 li handles, chen manages the service,
    zhou the store; sun, the director, sits at the head; wang works at the till under zhou, ma under wang; fei is at the
    front desk.
    """

    def __init__(self, runtime: Runtime, clock: FakeClock) -> None:
        self.runtime, self.clock = runtime, clock
        self.client = create_app(runtime).test_client()
        self.company = Company(runtime)
        self._customers = 0

    def opened(self) -> Self:
        """With everybody at work."""
        company = self.company
        company.unit("SH", head="sun")
        company.unit("SH001", parent="SH", head="zhou")
        company.unit("SH002", parent="SH", head="qian")
        company.employ("sun", ["director"])
        company.employ("zhou", ["store_manager"], unit="SH001", superior="sun")
        company.employ("chen", ["service_manager"], unit="SH001", superior="zhou")
        company.employ("li", ["handler"], unit="SH001", superior="chen")
        company.employ("wang", ["account_manager"], unit="SH001", superior="zhou")
        company.employ("ma", ["front_desk"], unit="SH001", superior="wang")
        company.employ("fei", ["front_desk"], unit="SH001", superior="zhou")
        company.employ("admin", ["administrator"])
        return self

    def as_(self, username: str) -> Desk:
        """Signed in as somebody who works here; ``portal`` is the gateway on behalf of the public."""
        if username == "portal":
            token = bearer(["portal"], "/", "gateway", kind="system", sub="system:gateway")
            return Desk(self.client, token)
        return Desk(self.client, self.company.bearer(username))

    def nobody(self) -> Desk:
        """Not signed in."""
        return Desk(self.client, None)

    def customer(self, customer_id: str | None = None, type: str = "registered", **state: Any) -> str:
        """The registry tells of a customer; answers the id."""
        self._customers += 1
        customer_id = customer_id or str(uuid.uuid4())
        data = {
            "customer_id": customer_id, "code": f"C-{self._customers:06d}", "kind": "individual", "name": "王芳",
            "status": "active", "unit": "SH001", "identities": [], "grade": None, "classes": {},
            "standing": {"may_trade": True, "reasons": []}, **state,
        }  # fmt: skip
        event = {
            "specversion": "1.0", "id": f"customer-{self._customers}", "source": "/kezhi/customer",
            "type": f"customer.{type}.v1", "subject": customer_id, "time": self.clock.now().isoformat(),
            "sequence": f"{self._customers:020d}", "data": data,
        }  # fmt: skip
        assert deliver(self.runtime, "customers", [event]) == ["accepted"]
        return customer_id

    def rows(self, sql: str, **parameters: Any) -> list[Any]:
        with self.runtime.sessions() as session:
            return list(session.execute(text(sql), parameters).mappings())

    def drain(self) -> int:
        """Do everything that is due now."""
        return DuePoller(self.runtime).drain()


class Case:
    """One complaint, and the sentences that its history is told in. Each sentence acts as who may; ``by`` says who."""

    def __init__(self, house: House, answer: Answer) -> None:
        self.house, self.id, self.last = house, answer.id, answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.now(), name)

    def now(self, by: str = "admin") -> Answer:
        """The case as somebody reads it now."""
        return self.house.as_(by).get(f"complaints/{self.id}")

    def act(self, action: str, body: Any = None, by: str | None = None) -> Answer:
        """One action, as the handler unless told otherwise; the answer whatever it is."""
        self.last = self.house.as_(by or self.handler or "admin").post(f"complaints/{self.id}/{action}", body)
        return self.last

    def does(self, action: str, body: Any = None, by: str | None = None) -> Self:
        """One action that must succeed."""
        said = self.act(action, body, by)
        assert said.code == 200, said
        return self

    def acknowledged(self, by: str | None = None) -> Self:
        return self.does("acknowledge", by=by)

    def contacted(self, by: str | None = None) -> Self:
        return self.does("contact", {"kind": "first", "reached": True, "note": "spoke with the customer"}, by)

    def triaged(self, by: str | None = None, **body: Any) -> Self:
        if self.status == "received":
            self.acknowledged(by)
        return self.does("triage", {"founded": True, **body}, by)

    def investigated(self, by: str | None = None) -> Self:
        if self.status in ("received", "acknowledged"):
            self.triaged(by)
        return self.does("investigate", {"cause": "product.quality", "note": "a loose cap", "responsible": []}, by)

    def proposed(self, by: str | None = None, **compensation: Any) -> Self:
        if self.status != "investigating" or self.round == 1:
            self.investigated(by)
        body: dict[str, Any] = {"measures": "exchange the bottle"}
        if compensation:
            body["compensation"] = compensation
        return self.does("propose", body, by)

    def resolved(self, by: str | None = None) -> Self:
        """Answered, and so being called back."""
        if self.status not in ("proposed", "approved", "unfounded"):
            self.proposed(by)
        return self.does("resolve", {"answer": "We are sorry and exchanged the bottle."}, by)

    def callback(self, satisfaction: int, by: str = "fei", comment: str | None = None) -> Answer:
        return self.act("callback", {"satisfaction": satisfaction, "comment": comment}, by)

    def closed(self, satisfaction: int = 2) -> Self:
        self.resolved()
        assert self.callback(satisfaction).status == "closed"
        return self

    def history(self, by: str = "admin") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.house.as_(by).get(f"complaints/{self.id}/history", limit=200).items
        return found

    def clock(self, kind: str) -> dict[str, Any]:
        """The latest clock of a kind."""
        found: dict[str, Any] = [clock for clock in self.clocks if clock["kind"] == kind][-1]
        return found


def said(**changes: Any) -> dict[str, Any]:
    """A valid body of ``POST complaints``, bent where it matters."""
    return {
        "channel": "hotline",
        "complainant": {"name": "王芳", "phone": "13800138000"},
        "subject": "Leaking bottle",
        "description": "The bottle was leaking when it came.",
        "category": "product.quality",
        "unit": "SH001",
        **changes,
    }


@pytest.fixture
def house(make_runtime: Callable[..., Runtime], clock: FakeClock) -> House:
    """A fresh complaint service at 2026-11-20 10:00 in Shanghai with the default pack, and everybody at work."""
    return House(make_runtime(build_service), clock).opened()


@pytest.fixture
def given_complaint(house: House) -> Callable[..., Case]:
    """``given_complaint(level=2, by="fei", …)`` → a case as ``POST complaints`` opened it.

    ``level`` picks something that has it; everything else is a member of the body. Everyone complains for the first
    time: each has a telephone number of their own, unless the test says whose it is.
    """
    callers = count(13800138000)

    def make(level: int | None = None, by: str = "fei", **changes: Any) -> Case:
        by_level = {2: {"insists": True}, 3: {"category": "safety.accident"}}
        at = changes.get("received_at")
        if isinstance(at, datetime):
            changes["received_at"] = at.isoformat()
        caller = {"complainant": {"name": "王芳", "phone": str(next(callers))}}
        answer = house.as_(by).post("complaints", said(**{**caller, **by_level.get(level or 1, {}), **changes}))
        assert answer.code == 201, answer
        assert level is None or answer.level == level, answer.level_reason
        return Case(house, answer)

    return make
