"""The smallest service: one table, one resource, served by the whole stack."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.errors import NotFound
from chassis.service import Service
from chassis.storage.reading import RowReader
from chassis.storage.schema import TYPES
from chassis.web import Blueprint, Schema, answer, etag, fields, glimpse, requires


class Base(DeclarativeBase):
    type_annotation_map = TYPES


class ThingRow(Base):
    __tablename__ = "thing"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    price: Mapped[Decimal]
    at: Mapped[datetime]
    copies: Mapped[int]


class ThingSchema(Schema):
    id = fields.Uuid(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    price = fields.Money(required=True)
    at = fields.Instant(required=True)
    copies = fields.Whole(required=True)


things = Blueprint("things", __name__, description="Things")
ONE = RowReader(sa.select(ThingRow.__table__).where(ThingRow.id == sa.bindparam("id")))


@things.get("/things/<uuid:id>")
@requires("things:read")
@things.response(200, ThingSchema)
def one_thing(id: uuid.UUID) -> Any:
    """One thing"""
    found = glimpse(ONE, id=id)
    if found is None:
        raise NotFound("no such thing")
    etag.tag(found["copies"])
    return answer(found)


def build_service() -> Service:
    """Its declaration."""
    return Service(
        name="things",
        title="Things",
        version="1",
        migrations=Path(__file__).parent / "api_sample_migrations",
        blueprints=(things,),
        permissions={"things:read": frozenset({"reader"})},
    )
