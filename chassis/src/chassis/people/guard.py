"""The retaliation guard: whoever a matter is against, and who works under them, must not learn of it (decision 13).

Every service that keeps something with a ``hidden_from`` keeps it as two columns, :class:`HiddenFrom`, and asks here:
with a condition on its lists, counts and searches, or for one thing at hand. The caller's *line* is the caller and
everyone above them by ``superior``; what is hidden with subordinates from anybody of that line is hidden from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, any_, cast, literal, not_, select, text
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.people.copy import StaffRow
from chassis.web.principal import Principal

# UNION, not UNION ALL: a line that bites its own tail ends all the same.
_LINE = text(
    """
    WITH RECURSIVE line (username, superior) AS (
        SELECT username, superior FROM chassis.staff WHERE username = ANY (:usernames)
        UNION
        SELECT above.username, above.superior FROM line JOIN chassis.staff AS above ON above.username = line.superior
    )
    SELECT username, superior FROM line
    """
)


class HiddenFrom:
    """Two columns of whatever is hidden: usernames that must not see it, alone or with all who work under them."""

    hidden_alone: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    hidden_with_subordinates: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")


@dataclass(frozen=True)
class Viewer:
    """One caller as the guard knows them. ``line``: the caller's username and all above; empty: nothing is hidden."""

    username: str
    line: frozenset[str]

    def may_see(self, hidden_from: Iterable[Mapping[str, Any]]) -> bool:
        """Whether something with this ``hidden_from`` (as in events) may be shown to the caller."""
        return not any(
            each["staff"] == self.username or (each["with_subordinates"] and each["staff"] in self.line)
            for each in hidden_from
            if self.line
        )

    def may_see_row(self, row: HiddenFrom) -> bool:
        """As ``may_see``, of a row that carries the two columns."""
        return self.may_see(as_hidden_from(row))

    def sees(self, table: Any) -> ColumnElement[bool]:
        """The condition on a table with the two columns (a mapped class, an alias, ``table.c``)."""
        if not self.line:
            return literal(True)
        line = cast(array(sorted(self.line)), ARRAY(Text))
        return and_(
            not_(literal(self.username) == any_(table.hidden_alone)),
            not_(table.hidden_with_subordinates.overlap(line)),
        )


def viewer(session: Session, principal: Principal) -> Viewer:
    """The caller and their line, from this service's copy of the staff. A service itself is nobody's subordinate."""
    if principal.kind == "system":
        return Viewer(principal.username, frozenset())
    return Viewer(principal.username, line_of(session, principal.username))


def line_of(session: Session, *usernames: str) -> frozenset[str]:
    """These people and everyone above any of them."""
    found = session.execute(_LINE, {"usernames": list(usernames)}).all()
    return frozenset(usernames) | {name for row in found for name in row if name is not None}


def subordinates_of(session: Session, username: str) -> frozenset[str]:
    """Everyone below a person, at any depth; without themselves."""
    below: set[str] = set()
    heads = [username]
    while heads:
        found = session.scalars(select(StaffRow.username).where(StaffRow.superior.in_(heads)))
        heads = [name for name in found if name not in below and name != username]
        below.update(heads)
    return frozenset(below)


def as_columns(hidden_from: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """An event's ``hidden_from`` as values of the two columns."""
    hidden = list(hidden_from)
    return {
        "hidden_alone": sorted(each["staff"] for each in hidden if not each["with_subordinates"]),
        "hidden_with_subordinates": sorted(each["staff"] for each in hidden if each["with_subordinates"]),
    }


def as_hidden_from(row: HiddenFrom) -> list[dict[str, Any]]:
    """The two columns as events carry them."""
    return [
        *({"staff": name, "with_subordinates": False} for name in row.hidden_alone),
        *({"staff": name, "with_subordinates": True} for name in row.hidden_with_subordinates),
    ]
