"""A gateway in front of a small complaint service that remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chassis.runtime import Runtime
from gateway.bootstrap import build_service
from gateway.people.founding import found_company
from gateway.portal.challenge import Challenge, solve
from gateway.signin.keys import published

from ..conftest import ADMIN_PASSWORD, reply

FOLLOW, ANSWER = "follow-" + "a" * 40, "answer-" + "b" * 40


@dataclass
class FakeComplaints:
    """Answers as the complaint service does (its brief shapes); ``asked``: method, path, body, headers."""

    asked: list[tuple[str, str, Any, dict[str, str]]] = field(default_factory=list)
    status: int = 0  # another status for every answer
    errors: dict[str, list[str]] = field(default_factory=dict)
    used: bool = False
    case_status: str = "calling_back"

    def __call__(self, handler: Any) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        body = json.loads(handler.rfile.read(length)) if length else None
        self.asked.append((handler.command, handler.path, body, dict(handler.headers.items())))
        status, document = self.answer(handler.command, handler.path.removeprefix("/api/v1/"), body)
        reply(handler, status, json.dumps(document).encode(), Content_Type="application/json")

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if self.status:
            return self.status, {"title": "refused", "status": self.status, "errors": self.errors}
        if (method, path) == ("POST", "complaints"):
            return 201, {"id": "019aa3c2-7b10-7c4e-9d57-1f0a5be3c002", "number": "TS2026-000017",
                         "handler": "wang.fang", "verified": True,
                         "customer_id": "019aa3c2-7b10-7c4e-9d57-1f0a5be3c001"}  # fmt: skip
        if (method, path) == ("POST", "complaint-links"):
            return 201, {"token": FOLLOW, "expires_at": "2027-02-19T01:30:00Z"}
        if method == "GET" and path in (f"complaint-links/{FOLLOW}", f"complaint-links/{ANSWER}"):
            return (404, {}) if self.used and ANSWER in path else (200, self.case(may_answer=ANSWER in path))
        if method == "POST" and path == f"complaint-links/{ANSWER}/answer" and not self.used:
            self.used = True
            again = body["satisfaction"] > 3
            return 200, {
                "number": "TS2026-000017",
                "status": "investigating" if again else "closed",
                "round": 1 + again,
            }
        return 404, {"title": "Not found", "status": 404, "detail": "there is no such link"}

    def case(self, may_answer: bool) -> dict[str, Any]:
        return {
            "number": "TS2026-000017", "type": "complaint", "status": self.case_status,
            "status_text_key": "complaint.status.x", "round": 1, "subject": "热水器漏水",
            "received_at": "2026-11-19T01:30:00Z",
            "expected": [{"step": "callback", "due_at": "2026-11-24T02:00:00Z", "provisional": False}],
            "handler_name": "王芳", "handler_phone": None,
            "updates": [
                {"at": "2026-11-19T01:30:00Z", "kind": "received", "text": ""},
                {"at": "2026-11-20T01:30:00Z", "kind": "resolved", "text": "阀门已更换。<b>请放心使用</b>"},
            ],
            "purpose": "answer" if may_answer else "follow", "may_answer": may_answer,
            "expires_at": "2026-12-19T01:30:00Z", "scale": {"1": "very satisfied"}, "hidden_from": [{"staff": "x"}],
        }  # fmt: skip


@dataclass
class Portal:
    """The gateway as strangers meet it."""

    runtime: Runtime
    http: Any
    complaints: FakeComplaints

    def solved(self) -> dict[str, str]:
        """A fresh challenge with its solution."""
        made = self.http.get("/api/v1/portal/challenge").json
        challenge = Challenge(made["challenge"], made["bits"], self.runtime.clock.now())
        return {"challenge": made["challenge"], "solution": solve(challenge)}

    def form(self, **fields: Any) -> dict[str, Any]:
        """A complaint ready to be sent."""
        return {"subject": "热水器漏水", "description": "昨天开始漏水", **self.solved(), **fields}


@pytest.fixture
def portal(
    make_runtime: Callable[..., Runtime],
    client: Callable[..., Any],
    fake_service: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Portal]:
    """``portal(mode="evaluation")`` → a founded gateway whose complaint service is a fake."""
    monkeypatch.setattr("gateway.portal.challenge.BITS", 6)
    monkeypatch.setattr("gateway.portal.challenge.issue.__defaults__", (6,))

    def start(mode: str = "evaluation") -> Portal:
        complaints = FakeComplaints()
        monkeypatch.setenv("KEZHI_SERVICE_COMPLAINT_URL", fake_service(complaints).url)
        jwks = tmp_path / "jwks.json"
        runtime = make_runtime(build_service, jwks_url=f"file:{jwks}", mode=mode)
        with runtime.context() as context:
            found_company(context.session, ADMIN_PASSWORD)
            jwks.write_text(json.dumps(published(context.session, context.clock)))
        return Portal(runtime, client(runtime, roles=None), complaints)

    return start
