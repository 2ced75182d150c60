"""People: this service's own copy of the staff, kept by the gateway's state events (decision 9)."""

from chassis.people.copy import StaffRow, UnitRow, administrators, is_away, subscription

__all__ = ["StaffRow", "UnitRow", "administrators", "is_away", "subscription"]
