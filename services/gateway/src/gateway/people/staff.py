"""Taking staff on, and changing who they are to the company: unit, roles, superior, absence, access."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import uuid7
from chassis.web.fields import instant
from gateway.people.announcements import announce_staff, staff_state
from gateway.people.domain import ADMINISTRATOR, Absence, fold_username
from gateway.people.tables import Staff, Unit
from gateway.people.units import unit_by_code
from gateway.signin.passwords import checked_hash
from gateway.signin.refresh import end_all_sign_ins


@dataclass(frozen=True)
class NewStaff:
    """``unit`` is a code, ``superior`` a username. Without a password nobody can sign in yet."""

    username: str
    name: str
    unit: str
    roles: Collection[str]
    superior: str | None = None
    password: str | None = None


@dataclass(frozen=True)
class StaffState:
    """Everything that can be changed about a staff member, as it shall be afterwards."""

    name: str
    unit: str
    roles: Collection[str]
    superior: str | None
    enabled: bool
    absence: Absence | None


def take_on(session: Session, clock: Clock, known_roles: Collection[str], command: NewStaff) -> Staff:
    """Create the account. Raises Conflict for a taken username, Invalid for unknown unit, superior, role."""
    username = fold_username(command.username)
    if session.scalar(select(Staff.id).where(Staff.username == username)):
        raise Conflict(f"The username {username} is taken.", username=username)
    check_roles(command.roles, known_roles)
    now = clock.now()
    staff = Staff(
        id=uuid7(now),
        username=username,
        name=command.name,
        unit=unit_by_code(session, command.unit, "unit"),
        roles=sorted(set(command.roles)),
        superior=staff_by_username(session, command.superior, "superior") if command.superior else None,
        enabled=True,
        password_hash=checked_hash(command.password, username) if command.password else None,
        version=0,
        created_at=now,
        updated_at=now,
    )
    session.add(staff)
    announce_staff(session, staff, clock)
    return staff


def change_staff(
    session: Session, clock: Clock, known_roles: Collection[str], staff: Staff, wanted: StaffState
) -> Staff:
    """Bring a locked staff member to the wanted state.

    Disabling ends every sign-in at once; access tokens live on for at most their ten minutes where a service
    has not yet heard. The last enabled administrator can't be shut out (Conflict).
    """
    before = staff_state(staff)
    check_roles(wanted.roles, set(known_roles) | set(staff.roles))
    unit: Unit = unit_by_code(session, wanted.unit, "unit")
    superior = staff_by_username(session, wanted.superior, "superior") if wanted.superior else None
    _refuse_circle(staff, superior)
    if ADMINISTRATOR in staff.roles and staff.enabled and not (wanted.enabled and ADMINISTRATOR in wanted.roles):
        _refuse_last_administrator(session, staff)
    if staff.enabled and not wanted.enabled:
        end_all_sign_ins(session, clock, staff.id, "account disabled")
    staff.name, staff.unit, staff.superior, staff.enabled = wanted.name, unit, superior, wanted.enabled
    staff.roles = sorted(set(wanted.roles))
    _set_absence(session, staff, wanted.absence)
    session.flush()
    if staff_state(staff) != before:
        announce_staff(session, staff, clock)
    return staff


def reset_password(session: Session, clock: Clock, staff: Staff, password: str) -> None:
    """A second person gives a new password: every sign-in under the old one ends (decision 33)."""
    staff.password_hash = checked_hash(password, staff.username)
    end_all_sign_ins(session, clock, staff.id, "password changed")


def lock_staff(session: Session, staff_id: uuid.UUID) -> Staff:
    """The staff member, held against a second change. Raises NotFound."""
    staff = session.scalar(select(Staff).where(Staff.id == staff_id).with_for_update(of=Staff))
    if staff is None:
        raise NotFound("There is no such staff member.")
    return staff


def staff_by_username(session: Session, username: str, field: str) -> Staff:
    """The person that a request names by username in ``field``. Raises Invalid."""
    staff = session.scalar(select(Staff).where(Staff.username == fold_username(username)))
    if staff is None:
        raise Invalid("Someone whom the request names does not exist.", {field: [f"nobody is called {username}"]})
    return staff


def check_roles(roles: Collection[str], known: Collection[str]) -> None:
    """Raises Invalid naming the roles that the policy pack does not know."""
    if unknown := sorted(set(roles) - set(known)):
        raise Invalid(
            "A role that the request names is not in the policy pack.",
            {"roles": [f"unknown role {role}; the pack knows {', '.join(sorted(known))}" for role in unknown]},
        )


def set_absence(session: Session, clock: Clock, staff: Staff, absence: Absence | None) -> Staff:
    """A locked staff member is away, or back; announced if that is news. Raises Invalid."""
    before = staff_state(staff)
    _set_absence(session, staff, absence)
    session.flush()
    if staff_state(staff) != before:
        announce_staff(session, staff, clock)
    return staff


def _set_absence(session: Session, staff: Staff, absence: Absence | None) -> None:
    if absence == _absence_of(staff):
        return  # a deputy who has left meanwhile must not stand in the way of another change
    if absence is None:
        staff.absent_from = staff.absent_until = staff.deputy = None
        return
    if absence.until <= absence.since:
        raise Invalid("An absence must end after it begins.", {"absence.until": ["must be later than from"]})
    deputy = staff_by_username(session, absence.deputy, "absence.deputy") if absence.deputy else None
    if deputy is not None:
        _refuse_deputy(staff, deputy, absence)
    staff.absent_from, staff.absent_until, staff.deputy = absence.since, absence.until, deputy


def _absence_of(staff: Staff) -> Absence | None:
    if staff.absent_from is None or staff.absent_until is None:
        return None
    return Absence(staff.absent_from, staff.absent_until, staff.deputy.username if staff.deputy else None)


def _refuse_deputy(staff: Staff, deputy: Staff, absence: Absence) -> None:
    """Whoever stands in must be somebody else, have access, and be here all the while (decision 33)."""
    theirs = _absence_of(deputy)
    if deputy is staff:
        reason = "must be someone else"
    elif not deputy.enabled:
        reason = f"{deputy.username} has no access any more"
    elif theirs is not None and theirs.overlaps(absence):
        reason = f"{deputy.username} is away from {instant(theirs.since)} until {instant(theirs.until)}"
    else:
        return
    raise Invalid("This person can't stand in.", {"absence.deputy": [reason]})


def _refuse_circle(staff: Staff, superior: Staff | None) -> None:
    # Escalation climbs this chain; a circle would climb for ever.
    above = superior
    while above is not None:
        if above is staff:
            raise Invalid("That would make someone their own superior.", {"superior": ["reports to this person"]})
        above = above.superior


def _refuse_last_administrator(session: Session, staff: Staff) -> None:
    # All administrators' rows are locked, so that two of them cannot shut each other out at the same moment.
    holders = session.scalars(
        select(Staff.id)
        .where(Staff.enabled, Staff.roles.contains([ADMINISTRATOR]))
        .order_by(Staff.id)
        .with_for_update()
    ).all()
    if set(holders) <= {staff.id}:
        raise Conflict("This is the last enabled administrator; make another one first.", administrators=1)
