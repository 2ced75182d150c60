"""A complaint service that answers as the real one does, for the pages that stand before it."""

from __future__ import annotations

from typing import Any

import pytest

CASE = "019aa3c2-7b10-7c4e-9d57-1f0a5be3c002"
CUSTOMER = "019aa3c2-7b10-7c4e-9d57-1f0a5be3c001"


def a_clock(**changes: Any) -> dict[str, Any]:
    """A running deadline with its calculation."""
    return {
        "id": "019aa3c2-7b10-7c4e-9d57-1f0a5be3c0c1", "kind": "first_contact", "status": "running", "round": 1,
        "level": 2, "started_at": "2026-11-19T02:00:00Z", "due_at": "2026-11-20T02:40:00Z",
        "warn_at": "2026-11-20T00:00:00Z", "used": "0.8",
        "explanation": "received Thu 10:00; 1 working day; due Fri 10:40",
        "provisional": False, "clause": "CG-13", "policyversion": "sha256:1", "warned_at": None, "breached_at": None,
        "escalated_at": None, "paused_since": None, "met_at": None, "ended_at": None, "late_seconds": None, **changes,
    }  # fmt: skip


def a_summary(**changes: Any) -> dict[str, Any]:
    """A case as lists have it."""
    return {
        "id": CASE, "number": "TS2026-000017", "type": "complaint", "channel": "hotline", "status": "investigating",
        "level": 2, "round": 1, "category": "service.attitude", "subject": "收银员<b>态度</b>差",
        "customer_id": CUSTOMER,
        "customer_name": "张三", "grade": "gold", "verified": True, "anonymous": False, "unit": "east",
        "handler": "wang.fang", "handler_role": "service_manager", "received_at": "2026-11-19T02:00:00Z",
        "next_due_at": "2026-11-20T02:40:00Z", "breached": False, "executive": False, "closed_at": None,
        "outcome": None, "satisfaction": None, "clocks": [a_clock()], **changes,
    }  # fmt: skip


def a_case(**changes: Any) -> dict[str, Any]:
    """A case with everything of it."""
    return a_summary() | {
        "description": "昨天结账时", "wanted": "道歉", "details": {"product": "热水器"}, "insists": False,
        "value": {"amount": "256.00", "currency": "CNY"},
        "complainant": {"name": "张三", "phone": "13800008801", "email": None}, "locale": "zh-CN",
        "against": {"kind": "staff", "ref": "li.lei"},
        "hidden_from": [{"staff": "li.lei", "with_subordinates": True}],
        "level_reason": {"level": 2, "clause": "CG-14", "because": "category service.attitude"}, "department": None,
        "founded": None, "cause": None, "waiting_from": None, "repeat_of": None, "approval_needed": False,
        "proposed_by": None, "compensated": "0.00", "created_at": "2026-11-19T02:00:00Z", "created_by": "qian",
        "acknowledged_at": None, "first_contacted_at": None, "resolved_at": None, "policyversion": "sha256:1",
        "version": 3, "rounds": [],
        "allowed": ["contact", "investigate", "propose", "promise", "withdraw"],
    } | changes  # fmt: skip


CHOICES = {
    "types": ["complaint", "inquiry"], "channels": ["hotline", "letter"],
    "categories": ["product.damaged", "service.attitude", "other"],
    "scale": {"1": "very satisfied"}, "closes": [1, 2, 3], "attempts": 3,
    "ladder": ["handler", "service_manager"], "backdated_by": ["front_desk"], "currency": "CNY", "clocks": [],
}  # fmt: skip
COUNTS = {"open": 3, "breached": 1, "due_today": 1, "mine": 1, "by_status": {"investigating": 2, "calling_back": 1},
          "by_level": {"1": 1, "2": 2, "3": 0}}  # fmt: skip


@pytest.fixture
def complaints(services: dict[str, Any]) -> Any:
    """The fake complaint service with one case in it."""
    fake = services["complaint"]
    fake.answers |= {
        "complaints": {"items": [a_summary()], "next": None},
        "complaints/counts": COUNTS,
        "complaints/choices": CHOICES,
        f"complaints/{CASE}": a_case(),
        f"complaints/{CASE}/history": {"items": [
            {"id": 1, "round": 1, "action": "receive", "from_status": None, "to_status": "received", "by": "qian",
             "by_role": "front_desk", "at": "2026-11-19T02:00:00Z", "note": None, "data": {}, "clause": "CG-13"},
            {"id": 2, "round": 1, "action": "contact", "from_status": "received", "to_status": "received",
             "by": "wang.fang", "by_role": "service_manager", "at": "2026-11-19T03:00:00Z", "note": "已致电<i>",
             "data": {"reached": True}, "clause": "FR-04"},
        ], "next": None},
        f"complaints/{CASE}/resolution": {"proposals": [], "compensations": [], "compensated": "0.00",
                                          "currency": "CNY"},
        f"POST complaints/{CASE}/contact": a_case(),
    }  # fmt: skip
    return fake
