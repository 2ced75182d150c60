"""Which roles may do what here: a table, read by the guard of every view. The administrator may do all of it."""

from __future__ import annotations

from collections.abc import Mapping

_FRONT = frozenset(
    {"front_desk", "account_manager", "handler", "service_manager", "store_manager", "director", "marketing"}
)
_LOOKING = frozenset({"auditor", "finance", "supervisor"})

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "members:read": _FRONT | _LOOKING | {"integration"},
    "members:balance": _FRONT | _LOOKING | {"integration", "portal"},  # the portal shows customers their own
    "quotes:read": _FRONT | _LOOKING | {"integration"},
    "holds:read": _FRONT | _LOOKING | {"integration"},
    "holds:write": frozenset({"front_desk", "service_manager", "store_manager", "director", "integration"}),
    "adjustments:read": _FRONT | _LOOKING,
    "adjustments:write": frozenset({"service_manager", "store_manager", "director", "finance"}),
    "adjustments:approve": frozenset({"service_manager", "store_manager", "director", "finance"}),
    "rewards:read": _FRONT | _LOOKING | {"integration"},
    "rewards:write": frozenset({"marketing", "director"}),
    "redemptions:read": _FRONT | _LOOKING | {"integration"},
    "redemptions:write": frozenset({"front_desk", "service_manager", "store_manager", "director", "integration"}),
    "redemptions:cancel": frozenset({"service_manager", "store_manager", "director", "integration"}),
    "vouchers:read": _FRONT | _LOOKING | {"integration"},
    "vouchers:use": frozenset({"front_desk", "service_manager", "store_manager", "director", "integration"}),
    "referrals:read": _FRONT | _LOOKING | {"integration"},
    "referrals:write": _FRONT | {"integration"},
    "campaigns:read": _FRONT | _LOOKING,
    "campaigns:write": frozenset({"marketing", "director"}),
    "campaigns:approve": frozenset({"director", "finance"}),
    "fraud-reviews:read": frozenset({"service_manager", "store_manager", "director"}) | _LOOKING,
    "fraud-reviews:decide": frozenset({"store_manager", "director", "finance"}),
    "openings:read": frozenset({"finance", "auditor", "director"}),
    "openings:write": frozenset({"director"}),
    "reconciliations:run": frozenset({"finance", "auditor", "director"}),
    "merges:part": frozenset({"service_manager", "director", "finance"}),  # what a merge mixed up, taken apart
    "tiers:grant": frozenset({"service_manager", "store_manager", "director", "marketing"}),
    "tiers:approve": frozenset({"store_manager", "director"}),
    "tier-reviews:run": frozenset({"director", "marketing"}),
    "tier-reviews:read": frozenset({"director", "marketing", "store_manager", "finance", "auditor"}),
    "benefits:use": frozenset(
        {"front_desk", "account_manager", "service_manager", "store_manager", "director", "integration"}
    ),
    "loyalty-reports:read": frozenset({"finance", "auditor", "director", "marketing", "store_manager"}),
    "policies:read": frozenset({"director", "marketing", "finance", "auditor"}),  # and try one on everybody
}
