"""Whom a batch of messages is for: customers and staff with all that decides about them, in a few statements."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from chassis.people import StaffRow, UnitRow, is_away
from chassis.people.guard import Viewer, line_of
from chassis.web.principal import closed
from notify.messages.judging import Standing
from notify.recipients.domain import addresses, fingerprint
from notify.recipients.tables import Consent, OpenComplaint, Preference, RecipientCopy, Suppression


@dataclass(frozen=True)
class Customer:
    """A customer as known here, with what they allow."""

    customer_id: str
    standing: Standing
    name: str | None = None
    locale: str | None = None
    unit_path: str = "/"
    unit: str | None = None
    account_manager: str | None = None
    addresses: dict[str, str] = field(default_factory=dict)  # by channel; call_task: the number to dial
    channels: tuple[str, ...] = ()  # preferred, best first


def load_customers(session: Session, customer_ids: Iterable[str], kind: str = "customer") -> dict[str, Customer]:
    """By the id that was asked for; a merged customer is answered with the survivor's data, an unknown one as such."""
    wanted = {uuid.UUID(one) for one in customer_ids}
    if not wanted:
        return {}
    copies = {row.customer_id: row for row in _copies(session, wanted)}
    survivors = {row.merged_into for row in copies.values() if row.merged_into is not None} - set(copies)
    copies |= {row.customer_id: row for row in _copies(session, survivors)}
    paths = unit_paths(session, copies.values())
    ids = set(copies) | wanted
    preferences = {
        row.customer_id: row for row in session.scalars(select(Preference).where(Preference.customer_id.in_(ids)))
    }
    consents = _consents(session, ids)
    complaining = set(
        session.scalars(select(OpenComplaint.customer_id).where(OpenComplaint.customer_id.in_(ids), OpenComplaint.open))
    )
    found = {}
    for asked in wanted:
        copy = copies.get(asked)
        if copy is not None and copy.merged_into in copies:
            copy = copies[copy.merged_into]
        if copy is None:
            standing = Standing(kind, known=False, consents=consents[asked], complaint_open=asked in complaining)
            found[str(asked)] = Customer(str(asked), standing)
            continue
        about = {asked, copy.customer_id}
        preference = preferences.get(copy.customer_id)
        standing = Standing(
            kind,
            erased=copy.status == "erased",
            blacklisted=copy.blacklisted,
            complaint_open=bool(about & complaining),
            consents={**consents[asked], **consents[copy.customer_id]},
            off=frozenset((one["class"], one["channel"]) for one in preference.off) if preference else frozenset(),
            zone=ZoneInfo(preference.time_zone) if preference and preference.time_zone else None,
            quiet=(preference.quiet_from, preference.quiet_until)
            if preference and preference.quiet_from and preference.quiet_until
            else None,
        )
        contacts = orjson.loads(str(copy.contacts or "{}"))
        found[str(asked)] = Customer(
            str(copy.customer_id),
            standing,
            copy.name,
            (preference.locale if preference else None) or copy.locale,
            paths[copy.customer_id],
            copy.unit,
            copy.account_manager,
            addresses(contacts.get("phones", ()), contacts.get("emails", ())),
            tuple(preference.channels) if preference else (),
        )
    return found


def unit_paths(session: Session, copies: Collection[RecipientCopy]) -> dict[uuid.UUID, str]:
    """Whose people a customer belongs to: by our own copy of the organisation, since a unit may be moved meanwhile."""
    units = {copy.unit for copy in copies if copy.unit}
    found = session.execute(select(UnitRow.code, UnitRow.path).where(UnitRow.code.in_(units))) if units else ()
    known = {row.code: row.path for row in found}
    return {copy.customer_id: closed(known.get(copy.unit or "", copy.unit_path)) for copy in copies}


def _copies(session: Session, ids: Iterable[Any]) -> list[RecipientCopy]:
    wanted = list(ids)
    if not wanted:
        return []
    rows = list(session.scalars(select(RecipientCopy).where(RecipientCopy.customer_id.in_(wanted))))
    for row in rows:
        session.expunge(row)
    return rows


def _consents(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[tuple[str, str], Any]]:
    said: dict[uuid.UUID, dict[tuple[str, str], tuple[bool, datetime]]] = defaultdict(dict)
    rows = session.execute(
        select(Consent.customer_id, Consent.class_, Consent.channel, Consent.given, Consent.at)
        .where(Consent.customer_id.in_(list(ids)))
        .order_by(Consent.at, Consent.id)
    )
    for customer_id, class_, channel, given, at in rows:
        said[customer_id][(class_, channel)] = (given, at)
    return said


def barred(session: Session, ways: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (channel, fingerprint) nothing may be sent to."""
    asked = sorted(set(ways))
    if not asked:
        return set()
    found = session.execute(
        select(Suppression.channel, Suppression.fingerprint).where(
            tuple_(Suppression.channel, Suppression.fingerprint).in_(asked)
        )
    )
    return {(channel, mark) for channel, mark in found}


class Staff:
    """The staff as one batch sees them: looked up once each, with the guard's question about anybody."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session, self.now = session, now
        self._people: dict[str, StaffRow | None] = {}
        self._viewers: dict[str, Viewer] = {}

    def learn(self, usernames: Iterable[str]) -> None:
        """Look these up in one go."""
        unknown = sorted(set(usernames) - set(self._people))
        if unknown:
            self._people.update(dict.fromkeys(unknown))
            for row in self.session.scalars(select(StaffRow).where(StaffRow.username.in_(unknown))):
                self._people[row.username] = row

    def person(self, username: str | None) -> StaffRow | None:
        """Somebody who works here and is enabled."""
        if not username:
            return None
        self.learn([username])
        row = self._people[username]
        return row if row is not None and row.enabled else None

    def may_see(self, username: str, hidden_from: list[dict[str, Any]]) -> bool:
        """The retaliation guard's answer (decision 13)."""
        if not hidden_from:
            return True
        if username not in self._viewers:
            self._viewers[username] = Viewer(username, line_of(self.session, username))
        return self._viewers[username].may_see(hidden_from)

    def owns_address(self, address: str, hidden_from: list[dict[str, Any]]) -> bool:
        """Whether a bare address is that of somebody it must be hidden from."""
        if not hidden_from:
            return False
        plain = address.casefold()
        for row in self.session.scalars(select(StaffRow)):
            own = {str(row.state.get("email") or "").casefold(), str(row.state.get("phone") or "").casefold()}
            if plain in own and not self.may_see(row.username, hidden_from):
                return True
        return False

    def superior(self, username: str | None, hidden_from: list[dict[str, Any]]) -> StaffRow | None:
        """The nearest one above who works here and may see it: the accused are skipped."""
        seen: set[str] = set()
        row = self._people_row(username)
        while row is not None and row.superior and row.superior not in seen:
            seen.add(row.superior)
            above = self.person(row.superior)
            if above is not None and self.may_see(above.username, hidden_from):
                return above
            row = self._people_row(row.superior)
        return None

    def deputy(self, person: StaffRow) -> StaffRow | None:
        """Who stands in for somebody who is away now."""
        return self.person(person.state.get("deputy")) if is_away(person.state, self.now) else None

    def holders(self, role: str, unit: str | None) -> list[StaffRow]:
        """Who holds a role: of the unit, else of the nearest above where anybody does; without a unit, everybody."""
        found = list(
            self.session.scalars(
                select(StaffRow).where(StaffRow.enabled, StaffRow.roles.contains([role])).order_by(StaffRow.username)
            )
        )
        self._people.update({row.username: row for row in found})
        path = self.session.scalar(select(UnitRow.path).where(UnitRow.code == unit)) if unit else None
        while path is not None:
            if here := [row for row in found if row.unit_path == path]:
                return here
            if path == "/":
                return []
            path = closed(path.rstrip("/").rsplit("/", 1)[0])
        return found

    def _people_row(self, username: str | None) -> StaffRow | None:
        if not username:
            return None
        self.learn([username])
        return self._people[username]


def mark(channel: str, address: str) -> tuple[str, str]:
    """What ``barred`` is asked with."""
    return channel, fingerprint(channel, address)
