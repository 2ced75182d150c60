"""The peer of `earning`: the same effect as a service would write it with an ORM, one event, one transaction.

Inbox, member, identity, purchase with breakdown, four entries, lot, outbox; the same tier rule, the same JSON Schema
at the gate. No worse than it must be: one session, identity look-up by key, one flush.
"""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Engine, ForeignKey, Index, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.sql import func

from chassis.messaging.admission import contents


class Base(DeclarativeBase):
    """The peer's own tables."""

    type_annotation_map = {dict[str, Any]: JSONB}  # noqa: RUF012


class Inbox(Base):
    __tablename__ = "p_inbox"
    source: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[bytes]


class Member(Base):
    __tablename__ = "p_member"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    pending: Mapped[int] = mapped_column(default=0)
    growth: Mapped[int] = mapped_column(default=0)
    tier: Mapped[str] = mapped_column(default="ordinary")


class Identity(Base):
    __tablename__ = "p_identity"
    identity: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("p_member.id"))
    member: Mapped[Member] = relationship()


class Transaction(Base):
    __tablename__ = "p_transaction"
    __table_args__ = (Index("p_transaction_member", "member_id", "occurred_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    business_key: Mapped[str] = mapped_column(unique=True)
    member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("p_member.id"))
    occurred_at: Mapped[datetime]
    growth: Mapped[int]
    breakdown: Mapped[dict[str, Any]]
    entries: Mapped[list[Entry]] = relationship()
    lots: Mapped[list[Lot]] = relationship()


class Entry(Base):
    __tablename__ = "p_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    transaction_id: Mapped[int] = mapped_column(ForeignKey("p_transaction.id"))
    account: Mapped[str]
    amount: Mapped[int]


class Lot(Base):
    __tablename__ = "p_lot"
    id: Mapped[int] = mapped_column(primary_key=True)
    transaction_id: Mapped[int] = mapped_column(ForeignKey("p_transaction.id"))
    member_id: Mapped[uuid.UUID]
    points: Mapped[int]
    available_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Outbox(Base):
    __tablename__ = "p_outbox"
    id: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    body: Mapped[bytes]


class Peer:
    """One consumer, event by event."""

    def __init__(self, engine: Engine, customers: list[str]) -> None:
        self.engine = engine
        Base.metadata.create_all(engine)
        with Session(engine) as session, session.begin():
            session.add_all(Member(id=uuid.UUID(customer)) for customer in customers)
            session.flush()
            session.add_all(
                Identity(identity=f"card:{number}", member_id=uuid.UUID(customer))
                for number, customer in enumerate(customers)
            )

    def take(self, bodies: list[bytes]) -> float:
        """Seconds for these events."""
        began = time.perf_counter()
        for body in bodies:
            event = orjson.loads(body)
            if contents(event["type"], event) is not None:
                raise ValueError("the benchmark's own events are valid")
            try:
                with Session(self.engine) as session, session.begin():
                    self._value(session, event, body)
            except IntegrityError:
                continue
        return time.perf_counter() - began

    def _value(self, session: Session, event: dict[str, Any], body: bytes) -> None:
        session.add(Inbox(source=event["source"], event_id=event["id"], body=body))
        session.flush()
        data = event["data"]
        identity = session.get_one(Identity, data["customer"]["identity"])
        member = session.get_one(Member, identity.member_id, with_for_update=True)
        at = datetime.fromisoformat(data["occurred_at"]).astimezone(UTC).replace(tzinfo=None)
        grown = select(func.coalesce(func.sum(Transaction.growth), 0)).where(
            Transaction.member_id == member.id, Transaction.occurred_at >= at - timedelta(days=365)
        )
        bonus = Decimal("0.10") if (session.scalar(grown) or 0) >= 1000 else Decimal(0)
        base = int(Decimal(data["total"]))
        points = base + int(base * bonus)
        breakdown = {"base": base, "bonus": points - base, "clause": "CG-22"}
        told = Transaction(
            business_key=data["purchase_id"], member_id=member.id, occurred_at=at, growth=base, breakdown=breakdown
        )
        told.entries = [
            Entry(account="pending", amount=points), Entry(account="issued", amount=-points),
            Entry(account="growth", amount=base), Entry(account="growth issued", amount=-base),
        ]  # fmt: skip
        told.lots = [
            Lot(
                member_id=member.id,
                points=points,
                available_at=at + timedelta(days=7),
                expires_at=at.replace(year=at.year + 1),
            )
        ]
        member.pending += points
        member.growth += base
        session.add(told)
        session.add(Outbox(type="points.earned.v1", body=orjson.dumps({"customer_id": str(member.id), **breakdown})))
