"""Which cases a viewer must not find even by their traces: audit lists leave their subjects out (TR-11)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Text, cast, not_, or_, select

from chassis.people.guard import Viewer
from complaint.cases.tables import Complaint


def hidden_subjects(viewer: Viewer) -> Select[Any]:
    """The ids, as text, of every case that this viewer must not know of."""
    guarded = or_(Complaint.hidden_alone != [], Complaint.hidden_with_subordinates != [])
    return select(cast(Complaint.id, Text)).where(guarded, not_(viewer.sees(Complaint)))
