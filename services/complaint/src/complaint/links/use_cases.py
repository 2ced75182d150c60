"""Issue personal links, and find the case behind one. A link that is wrong, used or too old is never told apart."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.ids import uuid7
from chassis.messaging import outbox
from chassis.messaging.event import Event
from chassis.people.guard import as_hidden_from
from chassis.runtime import Context
from chassis.web.fields import instant
from complaint.cases.tables import Complaint
from complaint.links.domain import ANSWER, FOLLOW, draw, hashed
from complaint.links.tables import PersonalLink
from complaint.policy import ComplaintPolicy

if TYPE_CHECKING:
    from chassis.web.principal import Principal


def issue(context: Context, case: Complaint, purpose: str, policy: ComplaintPolicy, at: datetime) -> None:
    """Send the complainant a link, where there is a way to reach them: ``link.issued`` carries it to notify.

    Earlier links of the same purpose stay good until they are too old: somebody may have kept the first message.
    """
    if (drawn := new_link(context, case, purpose, policy, at)) is not None:
        link, event = drawn
        context.session.add(link)
        outbox.record_one(context.session, event)


def new_link(
    context: Context, case: Complaint, purpose: str, policy: ComplaintPolicy, at: datetime
) -> tuple[PersonalLink, Event] | None:
    """A link and what tells of it, both unwritten; None where there is no way to the complainant."""
    if not reachable(case):
        return None
    link, token = _drawn(case, purpose, policy, at)
    return link, outbox.draft(
        context.session,
        "link.issued.v1",
        subject=str(case.id),
        data=_told(case, link, token),
        key=f"link:{link.id}",
        partitionkey=str(case.customer_id or case.id),
        policyversion=case.policyversion,
        time=at,
    )


def issue_on_screen(context: Context, principal: Principal, complaint_id: uuid.UUID) -> tuple[str, datetime]:
    """A link to follow a case, and until when, for the complainant who just handed it in and may have left no address.

    Raises NotFound unless the caller recorded this case: the portal is no way to somebody else's.
    """
    case = context.session.get(Complaint, complaint_id)
    if case is None or case.created_by != principal.username:
        raise NotFound(f"no complaint {complaint_id}")
    link, token = _drawn(case, FOLLOW, context.policies.in_force().rules, context.clock.now())
    context.session.add(link)
    return token, link.expires_at


def _drawn(case: Complaint, purpose: str, policy: ComplaintPolicy, at: datetime) -> tuple[PersonalLink, str]:
    """A new link and its token, which is told once and kept by nobody."""
    lives = policy.links.answer if purpose == ANSWER else policy.links.follow
    token = draw()
    link = PersonalLink(
        id=uuid7(at),
        token_hash=hashed(token),
        complaint_id=case.id,
        round=case.round,
        purpose=purpose,
        issued_at=at,
        expires_at=lives.after(at, policy.company.time_zone),
        used_at=None,
    )
    return link, token


def reachable(case: Complaint) -> bool:
    """Whether there is a way to the complainant: a customer of ours, a telephone number, a mail address."""
    return bool(case.customer_id or case.complainant_phone or case.complainant_email)


def _told(case: Complaint, link: PersonalLink, token: str) -> dict[str, Any]:
    contacts = {
        "name": case.complainant_name, "phone": case.complainant_phone, "email": case.complainant_email,
    }  # fmt: skip
    known = {name: str(value) for name, value in contacts.items() if value}
    return {
        "customer_id": str(case.customer_id) if case.customer_id else None,
        "complaint_id": str(case.id),
        "number": case.number,
        "purpose": link.purpose,
        "round": link.round,
        "token": token,
        "expires_at": instant(link.expires_at),
        "complainant": known,
        "locale": case.locale,
        "hidden_from": as_hidden_from(case),
        "at": instant(link.issued_at),
    }


def opened(session: Session, token: str, now: datetime) -> tuple[PersonalLink, Complaint]:
    """The link of a token and its case. Raises NotFound, in the same words whatever is wrong with it."""
    link = session.scalar(select(PersonalLink).where(PersonalLink.token_hash == hashed(token)))
    if link is None or link.used_at is not None or link.expires_at <= now:
        raise no_such_link()
    case = session.get_one(Complaint, link.complaint_id)
    if link.purpose == ANSWER and not answerable(link, case):
        raise no_such_link()
    return link, case


def answerable(link: PersonalLink, case: Complaint) -> bool:
    """Whether this link may still answer: it asks for one round, and that round is being called back."""
    return link.purpose == ANSWER and case.status == "calling_back" and case.round == link.round


def claim(session: Session, token: str, at: datetime) -> PersonalLink:
    """Use an ``answer`` link up. Of two who come at once, one is told that there is none."""
    link = session.scalar(select(PersonalLink).where(PersonalLink.token_hash == hashed(token)).with_for_update())
    if link is None or link.purpose != ANSWER or link.used_at is not None or link.expires_at <= at:
        raise no_such_link()
    link.used_at = at
    return link


def no_such_link() -> NotFound:
    """The one refusal that links know."""
    return NotFound("there is no such link, or it was used, or its time is over")


def answer(context: Context, principal: Principal, token: str, satisfaction: int, comment: str | None) -> Complaint:
    """Take the complainant's answer to the call-back of the round that the link was issued for, once."""
    from complaint.cases.acting import lock, take  # noqa: PLC0415 - the effects that acting joins issue links

    at = context.clock.now()
    link = claim(context.session, token, at)
    if not answerable(link, lock(context.session, link.complaint_id)):
        raise no_such_link()
    said = {"satisfaction": satisfaction, "comment": comment, "via": "link"}
    return take(context, principal, link.complaint_id, "callback", said)
