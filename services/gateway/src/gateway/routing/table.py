"""Who owns which path: the one table by which the gateway routes (contract.md). None is shared.

Addresses come from the environment: ``KEZHI_SERVICE_<NAME>_URL``.
"""

from __future__ import annotations

from collections.abc import Mapping

SEGMENTS: Mapping[str, tuple[str, ...]] = {
    "customer": (
        "customers",
        "duplicates",
        "classifications",
        "gradings",
        "visits",
        "visit-plans",
        "visit-coverage",
        "surveys",
        "improvements",
        "dealers",
        "supply-cards",
        "dealer-alerts",
        "purchases",
        "unmatched-purchases",
        "imports",
        "insight",
    ),
    "complaint": (
        "complaints",
        "complaint-links",
        "work-orders",
        "corrective-actions",
        "accountability",
        "supervision",
        "suggestions",
        "complaint-reports",
        "complaint-kpis",
        "calendar",
    ),
    "loyalty": (
        "members",
        "quotes",
        "holds",
        "redemptions",
        "adjustments",
        "opening-balances",
        "rewards",
        "vouchers",
        "campaigns",
        "fraud-reviews",
        "tiers",
        "tier-reviews",
        "referrals",
        "loyalty-reports",
        "reconciliations",
    ),
    "notify": (
        "templates",
        "routes",
        "messages",
        "preferences",
        "consents",
        "care-plans",
        "receipts",
        "suppressions",
        "inbox",
    ),
}

OWNER: Mapping[str, str] = {segment: service for service, segments in SEGMENTS.items() for segment in segments}

_API = "/api/v1/"
_COMMON = "services"  # /api/v1/services/<service>/…: what every service has, routed by the second segment


def owner_of(path: str) -> str | None:
    """The service that owns a decoded path; None: the gateway's own affair, be it only a 404."""
    if not path.startswith(_API):
        return None
    first, _, rest = path[len(_API) :].partition("/")
    if first == _COMMON:
        second = rest.partition("/")[0]
        return second if second in SEGMENTS else None
    return OWNER.get(first)
