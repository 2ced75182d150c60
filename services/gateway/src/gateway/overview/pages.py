"""The console's pages as the search box knows them: by their names in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ConsolePage:
    """One page; ``permission`` is the gateway's own, None: whoever is signed in."""

    url: str
    en: str
    zh: str
    permission: str | None = None


PAGES = (
    ConsolePage("/console/", "Today", "今日"),
    ConsolePage("/console/customers/", "Customers", "客户"),
    ConsolePage("/console/complaints/", "Complaints", "投诉"),
    ConsolePage("/console/members/", "Members and ledger", "会员与积分账"),
    ConsolePage("/console/approvals/", "Approvals", "审批"),
    ConsolePage("/console/dead-letters/", "Dead letters", "死信", "dead-letters:read"),
    ConsolePage("/console/audit/", "Audit", "审计", "audit:read"),
    ConsolePage("/console/staff/", "Staff and units", "员工与单位", "staff:read"),
)


def pages_named(q: str, permissions: frozenset[str], chinese: bool) -> Iterator[dict[str, Any]]:
    """Pages whose name contains the words, as hits of the search."""
    wanted = q.casefold()
    for page in PAGES:
        named = wanted in page.en.casefold() or wanted in page.zh
        if named and (page.permission is None or page.permission in permissions):
            title, subtitle = (page.zh, page.en) if chinese else (page.en, page.zh)
            yield {"kind": "page", "id": page.url, "title": title, "subtitle": subtitle, "url": page.url}
