"""Which role may do what, asked over HTTP: a table to be read by whoever decides about roles."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import said

ASKED: dict[str, tuple[str, str, Any]] = {
    "read": ("GET", "complaints", None),
    "count": ("GET", "complaints/counts", None),
    "create": ("POST", "complaints", said(description=None)),  # 422 for whoever may
    "act": ("POST", "complaints/{id}/acknowledge", {"x": 1}),
    "call": ("POST", "complaints/{id}/callback", {"x": 1}),
    "hand over": ("POST", "complaints/hand-over", {"x": 1}),
    "report": ("GET", "complaint-reports/weekly", None),
    "kpi": ("GET", "complaint-kpis", None),
    "link": ("GET", "complaint-links/none", None),
    "calendar": ("GET", "calendar/years", None),
    "publish": ("POST", "calendar/years", {"x": 1}),
}
LOOK = {"read", "count", "calendar"}
WORK = LOOK | {"create", "act", "call"}
MANAGE = WORK | {"hand over", "report", "kpi"}
MAY: dict[str, set[str]] = {
    "front_desk": WORK,
    "account_manager": LOOK | {"create"},
    "handler": WORK,
    "service_manager": MANAGE,
    "store_manager": MANAGE,
    "director": MANAGE | {"publish"},
    "supervisor": WORK | {"report", "kpi"},
    "auditor": LOOK | {"report", "kpi"},
    "marketing": {"report", "kpi"},
    "finance": set(),
    "integration": {"create"},
    "portal": {"create", "link"},
    "administrator": set(ASKED),
}


@pytest.mark.parametrize("role", MAY)
def test_a_role_may_exactly_this(house: Any, given_complaint: Any, role: str) -> None:
    house.company.employ("somebody", [role])
    id_ = given_complaint().id
    desk = house.as_("somebody")

    may = set()
    for name, (method, path, body) in ASKED.items():
        url = path.format(id=id_)
        answer = desk.get(url) if method == "GET" else desk.post(url, body)
        assert answer.code != 401
        if answer.code != 403:
            may.add(name)

    assert may == MAY[role]
    assert all(
        house.nobody().get(path.format(id=id_)).code == 401 for method, path, _ in ASKED.values() if method == "GET"
    )
