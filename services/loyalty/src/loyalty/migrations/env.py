"""The loyalty service's own migration line."""

from __future__ import annotations

import loyalty.campaigns.tables
import loyalty.earning.tables
import loyalty.expiry.tables
import loyalty.fraud.tables
import loyalty.ledger.tables
import loyalty.members.tables
import loyalty.merging.tables
import loyalty.rebates.tables
import loyalty.redemption.tables
import loyalty.rewards.tables
import loyalty.tiers.tables
import loyalty.vouchers.tables  # noqa: F401 - imported so that the metadata is whole
from chassis.storage.migrations import run_env
from loyalty.base import Base

run_env(Base.metadata)
