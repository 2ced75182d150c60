"""Where the chassis keeps its own tables: schema ``chassis`` of every service's database.

Services keep theirs in ``public`` under a ``DeclarativeBase`` of their own; neither migration line touches the other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

CONVENTION = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

TYPES = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB, list[Any]: JSONB}


class ChassisBase(DeclarativeBase):
    """Tables of the plumbing."""

    metadata = MetaData(schema="chassis", naming_convention=CONVENTION)
    type_annotation_map = TYPES
