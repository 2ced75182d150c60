"""Whom the buttons of rewards and campaigns are shown to; the loyalty service decides, not this."""

from __future__ import annotations

OFFERING = frozenset({"marketing", "director"})  # rewards and campaigns are theirs
REDEEMING = frozenset({"front_desk", "service_manager", "store_manager", "director"})  # holds and vouchers too
CANCELLING = frozenset({"service_manager", "store_manager", "director"})
ADJUSTING = frozenset({"service_manager", "store_manager", "director", "finance"})  # and agreeing to others' changes
GRANTING_RIGHTS = frozenset({"front_desk", "account_manager", "service_manager", "store_manager", "director"})
STARTING = frozenset({"director", "finance"})  # agree to start a campaign
DIRECTING = frozenset({"director"})  # agree to the largest changes
