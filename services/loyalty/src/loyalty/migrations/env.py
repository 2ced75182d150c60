"""The loyalty service's own migration line."""

from __future__ import annotations

import loyalty.earning.tables
import loyalty.ledger.tables
import loyalty.members.tables
import loyalty.redemption.tables
import loyalty.tiers.tables  # noqa: F401 - imported so that the metadata is whole
from chassis.storage.migrations import run_env
from loyalty.base import Base

run_env(Base.metadata)
