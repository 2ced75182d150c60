"""Lines that were received and wait for their job."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from customer.base import Base


class ImportLineRow(Base):
    """One line of a file; gone once it is worked off."""

    __tablename__ = "import_line"

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cells: Mapped[dict[str, Any]]
