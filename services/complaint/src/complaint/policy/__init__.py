"""The complaint rules of a policy pack, as the rest of the service reads them. All numbers live in the pack."""

from __future__ import annotations

from chassis.policies.section import PolicySection
from complaint.policy.reader import load
from complaint.policy.rules import (
    Categories,
    Channels,
    ClockRule,
    Compensation,
    ComplaintPolicy,
    Condition,
    Escalation,
    Kpis,
    LevelRule,
    Links,
    Queue,
    Record,
    Reopening,
    Repeats,
    Reports,
    Satisfaction,
    Waiting,
)

SECTION = PolicySection("complaint", load)

__all__ = [
    "SECTION",
    "Categories",
    "Channels",
    "ClockRule",
    "Compensation",
    "ComplaintPolicy",
    "Condition",
    "Escalation",
    "Kpis",
    "LevelRule",
    "Links",
    "Queue",
    "Record",
    "Reopening",
    "Repeats",
    "Reports",
    "Satisfaction",
    "Waiting",
    "load",
]
