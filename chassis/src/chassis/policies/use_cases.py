"""Stage a pack, activate a version with a second person, go back to an older one.

Activation is an event (``policy.activated.v1``). It never reaches back: a version decides from a moment that is still
to come, except the first one, which covers all earlier time (decision 10).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.approvals.registry import Approval
from chassis.approvals.use_cases import EXPIRES_IN, ApprovalRow, content_hash, propose
from chassis.clock import Clock
from chassis.errors import Conflict, Invalid, NotFound
from chassis.messaging import outbox
from chassis.policies.pack import Pack, from_documents, read_documents
from chassis.policies.tables import PolicyActivationRow, PolicyVersionRow
from chassis.runtime import Context
from chassis.service import Service
from chassis.web.principal import Principal

KIND = "policy.activate"
PERMISSION = "policies:write"


def stage(
    session: Session, service: Service, documents: Mapping[str, str], author: str, clock: Clock
) -> PolicyVersionRow:
    """Keep a pack as a version that may be activated. The same content is the same version, whoever stages it.

    Raises PolicyRefused with every fault of what this service reads of it.
    """
    pack = _readable(service, from_documents(documents))
    session.execute(
        insert(PolicyVersionRow)
        .values(
            hash=pack.hash,
            pack=pack.name,
            version=pack.version,
            documents=dict(pack.documents),
            author=author,
            staged_at=clock.now(),
        )
        .on_conflict_do_nothing()
    )
    return session.get_one(PolicyVersionRow, pack.hash)


def _readable(service: Service, pack: Pack) -> Pack:
    if service.policy is not None:
        service.policy.read(pack)
    return pack


def found_policy(session: Session, service: Service, pack: Path, clock: Clock) -> str:
    """The first version of an installation that has none; elsewhere nothing changes (decision 15).

    Returns how the version activated last is cited.
    """
    _one_at_a_time(session)
    last = _last(session)
    if last is None:
        row = stage(session, service, read_documents(pack), f"system:{service.name}", clock)
        last = _activate(session, service, row, clock.now(), f"system:{service.name}", None, False, clock)
    return session.get_one(PolicyVersionRow, last.hash).cited


def propose_activation(
    context: Context, principal: Principal, hash: str, effective_from: datetime | None
) -> ApprovalRow:
    """Put a staged version before a second person. Without ``effective_from`` it decides from their word on.

    Raises NotFound for a version that is not staged, Invalid for a moment gone by, Conflict when it is in force.
    """
    row = staged(context.session, hash)
    now = context.clock.now()
    if effective_from is not None and effective_from <= now:
        raise Invalid("a policy never reaches back", {"effective_from": ["must lie in the future, or be left out"]})
    last = _last(context.session)
    if last is not None and last.hash == row.hash:
        raise Conflict("this version is the one activated last", hash=row.hash)
    _readable(context.runtime.service, from_documents(row.documents))
    content = {
        "hash": row.hash,
        "version": row.cited,
        "effective_from": effective_from.isoformat() if effective_from else None,
        "after": last.id if last else 0,
    }
    expires_in = min(EXPIRES_IN, effective_from - now) if effective_from else EXPIRES_IN
    return propose(
        context.session, context.clock, principal, ACTIVATION, content, max(expires_in, timedelta(seconds=1))
    )


def _execute(context: Context, content: dict[str, Any]) -> dict[str, Any]:
    """The second person agreed. Of two proposals made over the same state, the second to be approved meets a 409."""
    session, clock = context.session, context.clock
    _one_at_a_time(session)
    last = _last(session)
    if (last.id if last else 0) != content["after"]:
        raise Conflict(
            "another version was activated since this was proposed: propose it again",
            activated=last.hash if last else None,
        )
    now = clock.now()
    effective_from = datetime.fromisoformat(content["effective_from"]) if content["effective_from"] else now
    if effective_from < now:
        raise Conflict("the moment it was to take effect has passed: propose it again with a later one")
    decided = session.scalars(
        select(ApprovalRow)
        .where(
            ApprovalRow.kind == KIND,
            ApprovalRow.content_hash == content_hash(content),
            ApprovalRow.status == "approved",
        )
        .order_by(ApprovalRow.decided_at.desc(), ApprovalRow.id.desc())
    ).first()
    if decided is None:
        raise LookupError("an activation is executed by its approval")
    row = staged(session, content["hash"])
    service = context.runtime.service
    activated = _activate(
        session,
        service,
        row,
        effective_from,
        decided.proposed_by_name,
        decided.decided_by_name,
        decided.alone,
        clock,
    )
    context.policies.forget_after(session)
    return {"hash": row.hash, "version": row.cited, "effective_from": activated.effective_from.isoformat()}


ACTIVATION = Approval(
    KIND,
    PERMISSION,
    _execute,
    lambda content: f"{content['version']} decides from {content['effective_from'] or 'approval'} on",
)


def _activate(
    session: Session,
    service: Service,
    row: PolicyVersionRow,
    effective_from: datetime,
    by: str,
    approved_by: str | None,
    alone: bool,
    clock: Clock,
) -> PolicyActivationRow:
    previous = _last(session)
    activation = PolicyActivationRow(
        hash=row.hash,
        effective_from=effective_from,
        activated_at=clock.now(),
        activated_by=by,
        approved_by=approved_by,
        alone=alone,
    )
    session.add(activation)
    session.flush()
    outbox.announce(
        session,
        "policy.activated.v1",
        subject=f"policy:{service.name}",
        key=f"policy:{activation.id}",
        sequence=activation.id,
        policyversion=row.cited,
        data={
            "service": service.name,
            "version": row.cited,
            "hash": row.hash,
            "effective_from": effective_from.isoformat(),
            "previous_hash": previous.hash if previous else None,
            "activated_at": activation.activated_at.isoformat(),
            "by": by,
            "approved_by": approved_by,
        },
    )
    return activation


def _last(session: Session) -> PolicyActivationRow | None:
    return session.scalars(select(PolicyActivationRow).order_by(PolicyActivationRow.id.desc()).limit(1)).first()


def staged(session: Session, hash: str) -> PolicyVersionRow:
    """The version with this hash. Raises NotFound."""
    row = session.get(PolicyVersionRow, hash)
    if row is None:
        raise NotFound("no policy version with this hash is staged here")
    return row


def _one_at_a_time(session: Session) -> None:
    """Activations queue on one lock, so that each sees the one before it."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('kezhi:policy'))"))
