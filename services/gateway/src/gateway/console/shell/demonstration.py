"""Whom one can be in a demonstration: people of the made-up company that the sign-in page offers by a click.

``kezhi demo`` tells its one password by ``KEZHI_DEMO_PASSWORD``; nothing else sets it, and in production mode it is
never read. Whoever is offered signs in through the same form, with the same proof, as everybody.
"""

from __future__ import annotations

from dataclasses import dataclass

from environs import Env
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.settings import Settings
from gateway.console.words import N_
from gateway.people.tables import Staff

# Whom to show, in the order in which one walks through the house, and what there is to see as them.
WALK = (
    ("front_desk", N_("takes complaints by telephone, calls customers back")),
    ("handler", N_("works on cases, each with its deadlines and the next actions")),
    ("service_manager", N_("sees every case of the branch, approves compensation")),
    ("director", N_("reads figures and the weekly report, decides what others may not")),
    ("marketing", N_("looks at customers, grades, members and points")),
    ("finance", N_("sees what points are owed to members, and why each of them")),
    ("supervisor", N_("watches deadlines and how cases are handled, acts on none")),
    ("auditor", N_("reads who did what, masked, and checks the chain")),
    ("administrator", N_("sees everything: dead letters, staff, audit")),
)


@dataclass(frozen=True)
class Guise:
    """Somebody to be."""

    username: str
    name: str
    role: str
    sees: str


def password_told(settings: Settings) -> str:
    """The demonstration's password; empty in every other installation."""
    return Env(prefix="KEZHI_").str("DEMO_PASSWORD", "") if settings.mode == "evaluation" else ""


def guises(session: Session) -> list[Guise]:
    """For each role of the walk whoever has worked in it longest."""
    staff = session.scalars(select(Staff).where(Staff.enabled).order_by(Staff.id)).all()
    first = {role: next((one for one in staff if role in one.roles), None) for role, _ in WALK}
    return [Guise(one.username, one.name, role, sees) for role, sees in WALK if (one := first[role]) is not None]
