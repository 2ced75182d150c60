"""The declarative base of the notify service's own tables (schema ``public``)."""

from __future__ import annotations

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from chassis.storage.schema import CONVENTION, TYPES


class Base(DeclarativeBase):
    """Tables of the notify service."""

    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = TYPES
