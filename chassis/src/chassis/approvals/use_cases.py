"""Propose, approve, reject: four eyes on a content that can't change between them.

The content is bound by its hash: what was proposed, what the second person saw and what is carried out are the same
bytes. The row is locked while it is decided, so of two decisions one wins and the other meets a 409.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Index, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.approvals.registry import Approval, find
from chassis.clock import Clock
from chassis.errors import Conflict, Forbidden, NotFound
from chassis.ids import uuid7
from chassis.people.copy import administrators
from chassis.runtime import Context
from chassis.storage.schema import ChassisBase
from chassis.web.principal import ADMINISTRATOR, Principal

EXPIRES_IN = timedelta(days=7)


class ApprovalRow(ChassisBase):
    """One proposal and what became of it. ``alone``: approved by its proposer, the only administrator there was."""

    __tablename__ = "approval"
    __table_args__ = (
        Index("ix_approval_open", "expires_at", postgresql_where=text("status = 'proposed'")),
        Index("ix_approval_kind", "kind", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    permission: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    content_hash: Mapped[str]
    status: Mapped[str]  # proposed · approved · rejected · expired
    proposed_by: Mapped[str]
    proposed_by_name: Mapped[str]
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    note: Mapped[str | None]
    alone: Mapped[bool] = mapped_column(default=False)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    def state(self, now: datetime) -> str:
        """``status``, with a proposal past its time called expired before the schedule says so."""
        return "expired" if self.status == "proposed" and self.expires_at <= now else self.status


def content_hash(content: dict[str, Any]) -> str:
    """Of the content's meaning: sorted members, no spelling."""
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def propose(
    session: Session,
    clock: Clock,
    principal: Principal,
    kind: Approval | str,
    content: dict[str, Any],
    expires_in: timedelta = EXPIRES_IN,
    permission: str | None = None,
    id: uuid.UUID | None = None,
) -> ApprovalRow:
    """Put something before those who may decide it. ``content`` must be plain JSON; it is what ``execute`` will get.

    Give the declared Approval; with its name alone, ``permission`` says who decides. ``id``: of the thing itself, where
    it has a row of its own, so that whoever knows one knows the other.
    """
    if isinstance(kind, Approval):
        permission, kind = kind.permission, kind.kind
    content = orjson.loads(orjson.dumps(content, default=str))
    now = clock.now()
    row = ApprovalRow(
        id=id or uuid7(now),
        kind=kind,
        permission=permission or "",
        content=content,
        content_hash=content_hash(content),
        status="proposed",
        proposed_by=principal.id,
        proposed_by_name=principal.username,
        proposed_at=now,
        expires_at=now + expires_in,
        alone=False,
    )
    session.add(row)
    session.flush()
    return row


def approve(
    context: Context,
    kinds: dict[str, Approval],
    principal: Principal,
    id: uuid.UUID,
    note: str | None,
    seen: str | None,
) -> ApprovalRow:
    """Agree, and carry it out in this transaction. ``seen``: the content hash that the approver read.

    Raises Forbidden for API keys, for those without the kind's permission and for the proposer - except the only
    administrator of a company (decision 14); Conflict when it is no longer open or isn't what was seen.
    """
    row, declared = _decide(context, kinds, principal, id)
    if (seen is not None and seen != row.content_hash) or content_hash(row.content) != row.content_hash:
        raise Conflict("the content is not the one you read: read it again", content_hash=row.content_hash)
    if row.proposed_by == principal.id:
        if ADMINISTRATOR not in principal.roles or administrators(context.session) >= 2:
            raise Forbidden("nobody approves their own proposal: ask a second person")
        row.alone = True
    row.status = "approved"
    _sign(row, principal, context.clock, note)
    context.session.flush()
    row.result = orjson.loads(orjson.dumps(declared.execute(context, row.content) or {}, default=str))
    context.session.flush()
    return row


def reject(
    context: Context, kinds: dict[str, Approval], principal: Principal, id: uuid.UUID, note: str | None
) -> ApprovalRow:
    """Decline; the proposer may so withdraw. Raises as ``approve``."""
    row, _ = _decide(context, kinds, principal, id, withdrawing=True)
    row.status = "rejected"
    _sign(row, principal, context.clock, note)
    context.session.flush()
    return row


def _decide(
    context: Context, kinds: dict[str, Approval], principal: Principal, id: uuid.UUID, withdrawing: bool = False
) -> tuple[ApprovalRow, Approval]:
    if principal.kind != "staff":
        raise Forbidden("approvals are decided by people, not by API keys")
    row = context.session.get(ApprovalRow, id, with_for_update=True)
    if row is None or not visible(row, principal):
        raise NotFound("no such approval")
    declared = find(kinds, row.kind)
    if not (withdrawing and row.proposed_by == principal.id):
        beyond = declared.may_decide is not None and not declared.may_decide(principal, row.content)
        if not principal.may(declared.permission) or beyond:
            raise Forbidden(f"deciding this needs the permission {declared.permission}, within its limit")
    state = row.state(context.clock.now())
    if state != "proposed":
        raise Conflict(f"this was {state} already", state=state)
    return row, declared


def _sign(row: ApprovalRow, principal: Principal, clock: Clock, note: str | None) -> None:
    row.decided_by, row.decided_by_name = principal.id, principal.username
    row.decided_at, row.note = clock.now(), note


def visible(row: ApprovalRow, principal: Principal) -> bool:
    """Those who may decide it, those who oversee approvals, and whoever proposed it."""
    return row.proposed_by == principal.id or principal.may(row.permission) or principal.may("approvals:read")


def expire(context: Context) -> bool:
    """Schedule step: say so of proposals past their time."""
    overdue = select(ApprovalRow).where(ApprovalRow.status == "proposed", ApprovalRow.expires_at <= context.clock.now())
    for row in context.session.scalars(overdue.limit(500).with_for_update(skip_locked=True)):
        row.status = "expired"
    return False
