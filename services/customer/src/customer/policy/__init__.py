"""The customer rules of a policy pack, as the rest of the service reads them. All numbers live in the pack."""

from __future__ import annotations

from chassis.policies.section import PolicySection
from customer.policy.reader import KINDS, load
from customer.policy.rules import (
    Band,
    Blacklist,
    Cleaning,
    CustomerPolicy,
    Duplicates,
    EveryDay,
    Facts,
    GradeScheme,
    Insight,
    Kind,
    Level,
    OddAmounts,
    Retention,
    Sanity,
    Scheme,
    Surveys,
    Visits,
    Window,
)

SECTION = PolicySection("customer", load)

__all__ = [
    "KINDS",
    "SECTION",
    "Band",
    "Blacklist",
    "Cleaning",
    "CustomerPolicy",
    "Duplicates",
    "EveryDay",
    "Facts",
    "GradeScheme",
    "Insight",
    "Kind",
    "Level",
    "OddAmounts",
    "Retention",
    "Sanity",
    "Scheme",
    "Surveys",
    "Visits",
    "Window",
    "load",
]
