"""The customer service's line of revisions."""

from __future__ import annotations

from chassis.storage.migrations import run_env
from customer.tables import Base

run_env(Base.metadata)
