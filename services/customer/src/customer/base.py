"""The declarative base of the customer service's tables; they live in ``public`` of its own database."""

from __future__ import annotations

from sqlalchemy import MetaData, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase

from chassis.storage.schema import CONVENTION, TYPES


class Base(DeclarativeBase):
    """Tables of the customer service."""

    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = {**TYPES, str: Text, list[str]: ARRAY(Text)}  # noqa: RUF012 - SQLAlchemy reads it so
